"""Builds the app from settings: routes, lifespan, middleware and error handlers.

`app.main:app` is built on first access; importing this module reads no settings.
"""

import contextlib
import gc
import sys
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import __version__
from app.agent.prompt import SYSTEM_PROMPT
from app.analysis.analyse_trace import prepare_rules
from app.backend_connection import open_http_client
from app.conversation.prices import find_price_date
from app.db.engine import create_engine, storage_kind
from app.db.migrations import SchemaCheck, prepare_schema
from app.db.store import Store
from app.errors import OpikAssistError, StartRefused
from app.opik.rest_client import RestClient
from app.removed_settings import find_ignored_variables
from app.settings import DEFAULT_DATABASE, Settings, database_url
from app.shutdown import LimitTime, Shutdown, ShutdownSignals
from app.telemetry import logs
from app.telemetry.error_reports import ErrorReports
from app.telemetry.reporting import Reporting
from app.web import error_responses as problems
from app.web import ui_api
from app.web.app_state import AppState
from app.web.middleware import (
    BodyDrainMiddleware,
    HostMiddleware,
    RequestIdMiddleware,
    SameOriginMiddleware,
)
from app.web.page_files import PageFiles
from app.web.routes import Endpoints
from app.wiring import (
    build_backend,
    build_conversations,
    build_error_reports,
    build_explorer,
    build_health,
    build_mcp,
    build_reporting,
    build_retention,
    build_ui_links,
)

if TYPE_CHECKING:
    from app.mcp.http import McpEndpoint

log = structlog.get_logger(__name__)

SWITCH_SECONDS = 0.001
"""For which a worker thread that computes keeps the interpreter. The event loop waits so long after
each read and write of a request: Python's own 5 ms add up to 40 ms."""


def create_app(
    settings: Settings,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    system: str = SYSTEM_PROMPT,
) -> Starlette:
    """The service for these settings.

    `transport` replaces the network below the HTTP client, `system` the model's instructions.
    """
    error_reports = build_error_reports(settings)
    error_reports.start()
    reporting = build_reporting(settings)
    ui = build_ui_links(settings)
    mcp = build_mcp(settings, ui)
    api = Endpoints(ui=ui, storage=describe_storage(settings), with_page=settings.ui_enabled)
    return Starlette(
        routes=[
            *api.routes(settings.url_prefix),
            *reporting.build_routes(settings.url_prefix),
            *([mcp.build_route(settings.url_prefix)] if mcp else []),
            *_build_page_routes(settings),
        ],
        lifespan=lambda _: lifespan(
            settings, transport, error_reports, reporting, mcp, system=system
        ),
        middleware=[*reporting.middleware, *_middleware(settings)],
        exception_handlers={
            OpikAssistError: problems.handle_service_error,
            HTTPException: problems.handle_http_exception,
            Exception: problems.handle_crash,
        },
    )


def _build_page_routes(settings: Settings) -> list[Route]:
    path = f"{settings.url_prefix}/ui"
    return [*ui_api.build_routes(path), *PageFiles().routes(path)] if settings.ui_enabled else []


def _middleware(settings: Settings) -> list[Middleware]:
    allowed = settings.allowed_origins
    cors = Middleware(
        CORSMiddleware,
        allow_origins=allowed,
        allow_credentials=True,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Content-Type", "Comet-Workspace"],
    )
    probes = [f"{settings.url_prefix}/{name}" for name in ("healthz", "readyz")]
    # Links to the page lead there from other sites, too.
    open_paths = [*probes, *(f"{settings.url_prefix}/{name}" for name in ("ui", "ui/"))]
    same_site = Middleware(SameOriginMiddleware, allowed=allowed, open_paths=open_paths)
    hosts = settings.allowed_hosts
    # Prometheus asks by address, as probes do; the labels of metrics hold no ids.
    by_address = [*probes, f"{settings.url_prefix}/metrics"]
    known_host = Middleware(HostMiddleware, allowed=hosts, open_paths=by_address)
    return [
        Middleware(ReadableStartErrors),
        Middleware(BodyDrainMiddleware),
        Middleware(RequestIdMiddleware),
        *([known_host] if hosts else []),
        *([cors] if allowed else []),
        same_site,
    ]


def __getattr__(name: str) -> Any:
    """Builds `app` when a server first asks for it."""
    if name != "app":
        raise AttributeError(name)
    try:
        built = globals().setdefault("app", create_app(Settings.load()))
        settle_interpreter()
        return built
    except StartRefused as error:
        sys.exit(error.message)


def settle_interpreter() -> None:
    """Shortens what garbage collections and worker threads take from the event loop.

    Keeps imported objects out of garbage collections, and makes full collections rare. To look for
    garbage before that would take 0.1 s of a start and find next to none.

    A full collection walks every object and blocks the event loop meanwhile: 130 ms with a trace
    of 10,000 spans, 1.3 s with one of 100,000. One of the younger objects takes up to 20 ms with
    these settings, and a full one comes only after millions of objects were made and kept.
    """
    gc.freeze()
    gc.set_threshold(5_000, 5, 100)
    sys.setswitchinterval(SWITCH_SECONDS)


@contextlib.asynccontextmanager
async def lifespan(
    settings: Settings,
    transport: httpx.AsyncBaseTransport | None,
    error_reports: ErrorReports,
    reporting: Reporting,
    mcp: "McpEndpoint | None",
    *,
    system: str,
) -> AsyncIterator[AppState]:
    """Opens the database and the HTTP client, runs turns until the end, closes all again."""
    logs.configure(style=settings.log_format, level=settings.log_level)
    if ignored := find_ignored_variables():
        log.warning("settings_ignored", variables=ignored)
    storage = describe_storage(settings)
    log.info(
        "service_starting", version=__version__, storage=storage, backend=settings.agent_opik_url
    )
    engine = create_engine(
        database_url(settings.session_service_uri), pool_recycle=settings.session_pool_recycle
    )
    signals = ShutdownSignals()
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(signals.receiving(settings.drain_seconds + settings.shutdown_seconds))
        await stack.enter_async_context(error_reports.running())
        stack.push_async_callback(engine.dispose)
        await prepare_schema(
            engine,
            migrate=settings.migrate_at_start,
            attempts=settings.session_service_max_retries,
            delay=settings.session_service_retry_delay,
            sleep=signals.sleep,
        )
        signals.check()
        store = Store(engine, on_failure=reporting.record_database_failure)
        observer = await stack.enter_async_context(reporting.running(store.owner_key))
        http = await stack.enter_async_context(open_http_client(settings.agent_opik_url, transport))
        tasks = await stack.enter_async_context(anyio.create_task_group())

        schema = SchemaCheck(engine, is_disk_full=store.is_disk_full)
        limit_transactions: list[LimitTime] = [store.limit_time, schema.limit_time]
        backend = build_backend(settings, http)
        # One for all, so that the page and the turns know of each other that the backend is down.
        rest = RestClient(
            backend,
            timeout=settings.opik_backend_timeout,
            on_failure=reporting.record_backend_failure,
        )
        conversations = build_conversations(
            settings,
            store,
            backend=backend,
            rest=rest,
            tasks=tasks,
            observer=observer,
            system=system,
        )
        explorer = build_explorer(rest)
        if (retention := build_retention(settings, engine, observer)) is not None:
            limit_transactions.append(retention.limit_time)
            tasks.start_soon(retention.run)
        shutdown = Shutdown(signals, conversations, limit_transactions)
        tasks.start_soon(shutdown.run, settings.drain_seconds, settings.shutdown_seconds)
        if mcp is not None:
            await tasks.start(mcp.run, signals.first)
        tasks.start_soon(_prepare_first_answer)
        yield {
            "conversations": conversations,
            "explorer": explorer,
            "health": build_health(settings, http, schema, is_draining=signals.first.is_set),
            "request_id": "",
        }

        await shutdown.finish(settings.shutdown_seconds)
        tasks.cancel_scope.cancel()


async def _prepare_first_answer() -> None:
    """Imports the rules and reads the list of prices, in a thread that leaves the event loop alone;
    a failure leaves the service as it is."""
    try:
        await anyio.to_thread.run_sync(prepare_rules)
        await anyio.to_thread.run_sync(find_price_date)
    except Exception as error:
        # Such as no file descriptor left. The first question tries again.
        log.warning("first_answer_not_prepared", reason=str(error))


def describe_storage(settings: Settings) -> str:
    """The kind of the database, and whether it is the default, for the log and `readyz`."""
    kind = storage_kind(database_url(settings.session_service_uri))
    unset = settings.session_service_uri == DEFAULT_DATABASE
    return f"{kind} (embedded default)" if unset else kind


class ReadableStartErrors:
    """Reports a StartRefused by its one line instead of a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_plain(message: Message) -> None:
            error = sys.exc_info()[1]
            if message["type"] == "lifespan.startup.failed" and isinstance(error, StartRefused):
                message["message"] = error.message
            await send(message)

        await self._app(scope, receive, send_plain if scope["type"] == "lifespan" else send)
