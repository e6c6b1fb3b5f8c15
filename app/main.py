"""Composition root: an app is routes, a lifespan and handlers, made from settings.

`app.main:app` is built on first access; importing this module reads no settings.
"""

import gc
import sys
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from app.agent.prompt import SYSTEM
from app.errors import OpikAssistError, StartRefused
from app.lifecycle import PlainStart, running, storage_of
from app.settings import Settings
from app.web import error_responses as problems
from app.web.markdown.ui_urls import UiLinks
from app.web.middleware import RequestId, SameSite
from app.web.requests import BodyLimits
from app.web.routes import Api, EdgeLimits
from app.web.sse import Pace
from app.wiring import observing_of, reporting_of


def create_app(
    settings: Settings,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    system: str = SYSTEM,
) -> Starlette:
    """The service for these settings.

    `transport` replaces the network below the HTTP client, `system` the model's instructions.
    """
    reporting_of(settings).start()
    observing_of(settings).start()
    limits = EdgeLimits(
        BodyLimits(settings.body_bytes, settings.body_seconds),
        settings.message_characters,
        Pace(settings.heartbeat_seconds, settings.reader_seconds),
    )
    ui = UiLinks(settings.opik_ui_url, settings.opik_ui_span_url, settings.opik_ui_trace_url)
    api = Api(limits, ui=ui, storage=storage_of(settings))
    return Starlette(
        routes=api.routes(settings.url_prefix),
        lifespan=lambda _: running(settings, transport, system=system),
        middleware=_middleware(settings),
        exception_handlers={
            OpikAssistError: problems.on_error,
            HTTPException: problems.on_http_exception,
            Exception: problems.on_crash,
        },
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


def __getattr__(name: str) -> Any:
    """Builds `app` when a server first asks for it."""
    if name != "app":
        raise AttributeError(name)
    try:
        built = globals().setdefault("app", create_app(Settings.load()))
        settle_memory()
        return built
    except StartRefused as error:
        sys.exit(error.message)


def settle_memory() -> None:
    """Leaves what was imported out of garbage collections, and lets the full ones be rare.

    A full collection walks every object and holds the event loop meanwhile: while a trace of
    10,000 spans is opened that was up to 170 ms, and is 20 ms so.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
