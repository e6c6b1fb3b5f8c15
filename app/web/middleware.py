"""Middleware before every route: a request id, and the refusal of other sites' pages."""

import re
from collections.abc import Collection
from urllib.parse import urlsplit
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import NotAllowed
from app.web.error_responses import build_error_response

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestIdMiddleware:
    """Gives each request an id to quote: the proxy's `X-Request-ID` or one of our own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = Headers(scope=scope).get("x-request-id", "")
        request_id = sent if _REQUEST_ID.fullmatch(sent) else uuid4().hex[:16]
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request=request_id):
            await self._app(scope, receive, send_with_id)


class SameOriginMiddleware:
    """Refuses requests that another site's page makes with the user's cookie.

    `Sec-Fetch-Site: same-origin`, which only the browser can set, is enough. Without that header,
    as over plain HTTP, the page's `Origin` has to be this host's or one of `allowed`.
    """

    def __init__(self, app: ASGIApp, *, allowed: Collection[str], open_paths: Collection[str]):
        self._app = app
        self._allowed = frozenset(allowed)
        self._open_paths = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        checked = scope["type"] == "http" and scope["path"] not in self._open_paths
        if checked and self._is_foreign(Headers(scope=scope)):
            refusal = build_error_response(
                NotAllowed("Pages of another site may not call this service.")
            )
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_foreign(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin in self._allowed:
            return False
        site = headers.get("sec-fetch-site")
        if site == "cross-site":
            return True
        if origin is None or site in {"same-origin", "none"}:
            return False
        hosts = (headers.get("host"), headers.get("x-forwarded-host"))
        return not any(_is_same_host(origin, host) for host in hosts if host)


def _is_same_host(origin: str, host: str) -> bool:
    """Whether an origin is of this host; a proxy may have dropped the port from `Host`."""
    try:
        ours, theirs = urlsplit(f"//{host}"), urlsplit(origin)
        if ours.hostname != theirs.hostname or ours.hostname is None:
            return False
        return ours.port is None or ours.port == (theirs.port or _DEFAULT_PORTS.get(theirs.scheme))
    except ValueError:
        return False


_DEFAULT_PORTS = {"http": 80, "https": 443}
