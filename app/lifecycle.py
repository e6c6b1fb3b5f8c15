"""From start to end of a process: what is opened, and how it is closed again."""

import contextlib
import sys
from collections.abc import AsyncIterator, Sequence
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Protocol

import anyio
import httpx
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import __version__
from app.conversation.conversations import Conversations
from app.conversation.health import Health
from app.db.engine import create_engine, storage_kind
from app.db.migrations import prepare
from app.db.schema_check import SchemaCheck
from app.db.store import Store
from app.errors import StartRefused
from app.opik.reach import answers
from app.settings import DEFAULT_DATABASE, Settings, database_url
from app.shutdown import Stopping
from app.telemetry import logs
from app.web.routes import State
from app.wiring import conversations_of, observing_of, reporting_of, retention_of

log = structlog.get_logger(__name__)

BACKEND_PROBE_SECONDS = 2.0
LAST_WORDS_SECONDS = 8
"""How long streams may take to end after the turns' time is up."""
LAST_WRITE_SECONDS = 1.0
"""How long a transaction may take then: a database that hangs must not hold up the end."""


class UsesDatabase(Protocol):
    """Whatever has transactions of its own."""

    def hurry(self, seconds: float) -> None: ...


@contextlib.asynccontextmanager
async def running(
    settings: Settings, transport: httpx.AsyncBaseTransport | None, *, system: str
) -> AsyncIterator[State]:
    """Opens the database and the HTTP client, runs turns until the end, closes all again."""
    logs.configure(style=settings.log_format, level=settings.log_level)
    log.info("starting", storage=storage_of(settings), backend=settings.agent_opik_url)
    engine = create_engine(
        database_url(settings.session_service_uri), pool_recycle=settings.session_pool_recycle
    )
    stopping = Stopping()
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(stopping.listening())
        await stack.enter_async_context(reporting_of(settings).running())
        stack.push_async_callback(engine.dispose)
        await prepare(
            engine,
            migrate=settings.migrate_at_start,
            attempts=settings.session_service_max_retries,
            delay=settings.session_service_retry_delay,
            sleep=stopping.sleep,
        )
        stopping.check()
        observer = await stack.enter_async_context(observing_of(settings).running())
        http = await stack.enter_async_context(_http_client(transport))
        tasks = await stack.enter_async_context(anyio.create_task_group())
        store, schema = Store(engine), SchemaCheck(engine)
        users: list[UsesDatabase] = [store, schema]
        conversations = conversations_of(
            settings, store, http=http, tasks=tasks, observer=observer, system=system
        )
        if (retention := retention_of(settings, engine, observer)) is not None:
            users.append(retention)
            tasks.start_soon(retention.run_until, stopping.asked)
        tasks.start_soon(_shut_down, conversations, users, stopping, settings)
        health = _health(settings, schema, http=http, stopping=stopping)
        yield {"conversations": conversations, "health": health, "request_id": ""}
        stopping.undelayed.set()
        stopping.asked.set()
        stopping.served.set()


def _health(
    settings: Settings, schema: SchemaCheck, *, http: httpx.AsyncClient, stopping: Stopping
) -> Health:
    backend_answers = partial(
        answers, http, base_url=settings.agent_opik_url, seconds=BACKEND_PROBE_SECONDS
    )
    return Health(
        schema_fault=schema.fault_for_turns,
        backend_answers=backend_answers,
        draining=stopping.asked.is_set,
    )


async def _shut_down(
    conversations: Conversations,
    users: Sequence[UsesDatabase],
    stopping: Stopping,
    settings: Settings,
) -> None:
    """Takes no more questions, serves on for those who do not know yet, then gives running turns
    their time to end. What still uses the database then has no longer than a moment."""
    await stopping.asked.wait()
    conversations.drain()
    log.info("stopping", delay=settings.drain_seconds, grace=settings.shutdown_seconds)
    with anyio.move_on_after(settings.drain_seconds):
        await stopping.undelayed.wait()
    stopping.hand_on()
    grace = settings.shutdown_seconds
    async with anyio.create_task_group() as group:
        group.start_soon(_hurry, conversations, users, stopping, grace)
        await conversations.shut_down(grace)
        await stopping.served.wait()
        group.cancel_scope.cancel()
    _hurry_all(users)


async def _hurry(
    conversations: Conversations, users: Sequence[UsesDatabase], stopping: Stopping, grace: float
) -> None:
    """Lets nothing wait for long once the time is up, or as soon as a second signal comes."""
    with anyio.move_on_after(grace):
        await stopping.hurried.wait()
    _hurry_all(users)
    await conversations.shut_down(0)


def _hurry_all(users: Sequence[UsesDatabase]) -> None:
    for each in users:
        each.hurry(LAST_WRITE_SECONDS)


@contextlib.asynccontextmanager
async def _http_client(
    transport: httpx.AsyncBaseTransport | None,
) -> AsyncIterator[httpx.AsyncClient]:
    """The one client to the backend: it keeps no cookies and follows no redirects, since one
    caller's must never reach another's request."""
    nobody = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    pool = httpx.Limits(max_connections=500, max_keepalive_connections=50, keepalive_expiry=30)
    async with httpx.AsyncClient(
        transport=transport,
        cookies=nobody,
        follow_redirects=False,
        limits=pool,
        timeout=httpx.Timeout(30, pool=10),
        headers={"User-Agent": f"opik-assist/{__version__}"},
    ) as client:
        yield client


def storage_of(settings: Settings) -> str:
    """What operators read about the database: its kind, and whether it was chosen."""
    kind = storage_kind(database_url(settings.session_service_uri))
    unset = settings.session_service_uri == DEFAULT_DATABASE
    return f"{kind} (embedded default)" if unset else kind


class PlainStart:
    """Tells a refused start in its one line instead of a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_plain(message: Message) -> None:
            error = sys.exc_info()[1]
            if message["type"] == "lifespan.startup.failed" and isinstance(error, StartRefused):
                message["message"] = error.message
            await send(message)

        await self._app(scope, receive, send_plain if scope["type"] == "lifespan" else send)
