"""Composition root: puts the parts together. `app.main:app` is built on first access."""

import asyncio
import contextlib
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import FrameType
from typing import Any

import anyio
import httpx
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import __version__
from app.agent.budget import CHARACTERS_PER_TOKEN, Limits
from app.chat.choice import ModelDesk, Wishes
from app.chat.parameters import ChatOptions
from app.conversation.conversations import Conversations, Rules
from app.conversation.health import Health
from app.conversation.spending import Price
from app.conversation.turn import Lease
from app.db.engine import create_engine, storage_kind
from app.db.migrating import prepare
from app.db.schema_check import SchemaCheck
from app.db.store import Store
from app.errors import OpikAssistError, StartRefused
from app.opik.access import Access
from app.opik.client import OpikClient
from app.opik.offers import Offers
from app.opik.reach import answers
from app.opik.transport import Retries, Transport
from app.settings import DEFAULT_DATABASE, ModelPrice, Settings, database_url
from app.telemetry import logs
from app.telemetry.reporting import Reporting
from app.tools.catalogue import TOOLS
from app.tools.loading import LoadLimits, TraceLoader
from app.tools.workbench import ToolLimits, Workshop
from app.web import problems
from app.web.guard import RequestId, SameSite
from app.web.routes import Api, EdgeLimits, State
from app.web.span_links import UiLinks

log = structlog.get_logger(__name__)

BACKEND_PROBE_SECONDS = 2.0


def create_app(
    settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None
) -> Starlette:
    """The service for these settings; `transport` replaces the network below the HTTP client."""
    _reporting(settings).start()
    limits = EdgeLimits(
        settings.body_bytes, settings.message_characters, settings.heartbeat_seconds
    )
    ui = UiLinks(settings.opik_ui_url, settings.opik_ui_span_url)
    api = Api(limits, ui=ui, storage=_storage(settings))
    return Starlette(
        routes=api.routes(settings.url_prefix),
        lifespan=lambda _: _running(settings, transport),
        middleware=_middleware(settings),
        exception_handlers={
            OpikAssistError: problems.on_error,
            HTTPException: problems.on_http_exception,
            Exception: problems.on_crash,
        },
    )


def _reporting(settings: Settings) -> Reporting:
    return Reporting(
        dsn=settings.sentry_dsn,
        environment=settings.sentry_environment,
        traces_sample_rate=settings.sentry_traces_sample_rate,
        profiles_sample_rate=settings.sentry_profiles_sample_rate,
        send_default_pii=settings.sentry_send_default_pii,
    )


def _middleware(settings: Settings) -> list[Middleware]:
    allowed = settings.allowed_origins
    cors = Middleware(
        CORSMiddleware,
        allow_origins=allowed,
        allow_credentials=True,
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=["Content-Type", "Comet-Workspace"],
    )
    probes = [f"{settings.url_prefix}/{name}" for name in ("healthz", "readyz")]
    same_site = Middleware(SameSite, allowed=allowed, open_paths=probes)
    return [Middleware(PlainStart), Middleware(RequestId), *([cors] if allowed else []), same_site]


@contextlib.asynccontextmanager
async def _running(
    settings: Settings, transport: httpx.AsyncBaseTransport | None
) -> AsyncIterator[State]:
    """Opens the database and the HTTP client, runs turns until the end, closes all again."""
    logs.configure(style=settings.log_format, level=settings.log_level)
    log.info("starting", storage=_storage(settings), backend=settings.agent_opik_url)
    engine = create_engine(
        database_url(settings.session_service_uri), pool_recycle=settings.session_pool_recycle
    )
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(_reporting(settings).running())
        stack.push_async_callback(engine.dispose)
        await prepare(
            engine,
            migrate=settings.migrate_at_start,
            attempts=settings.session_service_max_retries,
            delay=settings.session_service_retry_delay,
        )
        http = await stack.enter_async_context(_http_client(transport))
        tasks = await stack.enter_async_context(anyio.create_task_group())
        conversations = _conversations(settings, Store(engine), http, tasks)
        ending = anyio.Event()
        tasks.start_soon(_shut_down, conversations, ending, settings.shutdown_seconds)
        stack.enter_context(_on_signal(ending))
        health = Health(
            schema_fault=SchemaCheck(engine).fault,
            backend_answers=partial(
                answers, http, base_url=settings.agent_opik_url, seconds=BACKEND_PROBE_SECONDS
            ),
            draining=lambda: conversations.draining,
        )
        yield {"conversations": conversations, "health": health, "request_id": ""}
        ending.set()


async def _shut_down(conversations: Conversations, ending: anyio.Event, seconds: float) -> None:
    await ending.wait()
    await conversations.shut_down(seconds)


def _conversations(
    settings: Settings, store: Store, http: httpx.AsyncClient, tasks: anyio.abc.TaskGroup
) -> Conversations:
    transport = Transport(
        http,
        base_url=settings.agent_opik_url,
        timeout=settings.opik_backend_timeout,
        retries=_retries(settings),
    )
    client = OpikClient(transport)
    loader = TraceLoader(client, LoadLimits(spans=settings.max_spans))
    limits = ToolLimits(
        result_characters=settings.tool_result_characters, seconds=settings.tool_seconds
    )
    return Conversations(
        store,
        Access(client, owner_key=store.owner_key, seconds=settings.access_cache_seconds),
        open_bench=Workshop(client, loader, TOOLS, limits),
        open_model=_models(settings, http, transport),
        rules=_rules(settings),
        tasks=tasks,
    )


def _retries(settings: Settings) -> Retries:
    return Retries(
        statuses=frozenset(settings.retry_statuses),
        attempts=settings.retry_max_attempts,
        backoff=settings.retry_backoff_factor,
    )


def _rules(settings: Settings) -> Rules:
    limits = Limits(
        steps=settings.turn_steps,
        calls_per_step=settings.turn_calls_per_step,
        seconds=settings.turn_seconds,
        tokens=settings.turn_tokens,
        tool_characters=settings.turn_tool_characters,
        context_characters=settings.agent_context_tokens * CHARACTERS_PER_TOKEN,
    )
    return Rules(
        limits=limits,
        lease=Lease(settings.lease_seconds),
        busy_wait=settings.busy_wait_seconds,
        concurrent_turns=settings.concurrent_turns,
        prices={name: _price(each) for name, each in settings.model_prices.items()},
    )


def _price(price: ModelPrice) -> Price:
    cached = price.prompt if price.cached is None else price.cached
    return Price(price.prompt, price.completion, cached)


def _models(settings: Settings, http: httpx.AsyncClient, transport: Transport) -> ModelDesk:
    """Opens models behind the chat proxy, with a caller's rights."""
    return ModelDesk(
        http,
        Offers(transport),
        base_url=settings.agent_opik_url,
        wishes=Wishes(
            models=settings.agent_model,
            order=settings.agent_model_order,
            allowed=settings.agent_models_allowed,
        ),
        options=ChatOptions(
            max_completion_tokens=settings.agent_max_completion_tokens,
            temperature=settings.agent_temperature,
            reasoning_effort=settings.agent_reasoning_effort,
            silence_seconds=settings.model_silence_seconds,
            reply_bytes=settings.reply_bytes,
            statuses=frozenset(settings.retry_statuses),
            attempts=settings.retry_max_attempts,
            backoff=settings.retry_backoff_factor,
        ),
    )


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


@contextlib.contextmanager
def _on_signal(ending: anyio.Event) -> Iterator[None]:
    """Sets `ending` at SIGTERM or SIGINT, before the server's own handler runs.

    A server waits for its streams first and ends the lifespan last, so running turns have to be
    ended from here. Signals can be handled in the main thread only.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(ending.set)
        previous = before[signal.Signals(number)]
        if callable(previous):
            previous(number, frame)

    for each in before:
        signal.signal(each, handle)
    try:
        yield
    finally:
        for each, previous in before.items():
            signal.signal(each, previous)


def _storage(settings: Settings) -> str:
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


def __getattr__(name: str) -> Any:
    """Builds `app` when a server first asks for it; importing this module reads no settings."""
    if name != "app":
        raise AttributeError(name)
    try:
        return globals().setdefault("app", create_app(Settings.load()))
    except StartRefused as error:
        sys.exit(error.message)
