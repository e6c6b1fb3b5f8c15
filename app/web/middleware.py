"""Middleware before every route: a request id, refusals of other sites' pages and of unknown hosts,
and the reading of bodies that nobody wanted."""

import re
from collections.abc import Collection
from typing import ClassVar
from urllib.parse import urlsplit
from uuid import uuid4

import anyio
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


DRAIN_BYTES = 16_777_216
"""What is read of an unwanted body: several times the largest question."""
DRAIN_SECONDS = 5.0
"""How long it is read; a line that takes longer for 16 MB would not wait for an answer either."""


class BodyDrainMiddleware:
    """Reads the rest of a request's body before the response begins, a bounded part of it.

    A server that closes a connection with unread bytes resets it, and the reset takes the response
    away from a client that still writes: a refusal would never be read.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # A client that waits for permission to send its body sends none after a refusal.
        unread = "100-continue" not in Headers(scope=scope).get("expect", "").lower()

        async def receive_noting() -> Message:
            nonlocal unread
            message = await receive()
            unread = message["type"] == "http.request" and message.get("more_body", False)
            return message

        async def send_after_body(message: Message) -> None:
            if message["type"] == "http.response.start" and unread:
                with anyio.move_on_after(0 if message["status"] == 408 else DRAIN_SECONDS):
                    await drain()
                if unread:
                    MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        async def drain() -> None:
            left = DRAIN_BYTES
            while unread and left > 0:
                left -= len((await receive_noting()).get("body", b""))

        await self._app(scope, receive_noting, send_after_body)


class _GuardMiddleware:
    """Refuses requests by their headers, but for the paths in `open_paths`."""

    refusal: ClassVar[str]

    def __init__(self, app: ASGIApp, *, allowed: Collection[str], open_paths: Collection[str]):
        self._app = app
        self._allowed = frozenset(allowed)
        self._open_paths = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        checked = scope["type"] == "http" and scope["path"] not in self._open_paths
        if checked and self._is_foreign(Headers(scope=scope)):
            await build_error_response(NotAllowed(self.refusal))(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_foreign(self, headers: Headers) -> bool:
        raise NotImplementedError


class HostMiddleware(_GuardMiddleware):
    """Refuses requests for other hosts than `allowed`, of which `*.name` stands for all below it.

    A page whose own name leads to this address (DNS rebinding) is of the same origin; only the
    host's name gives it away. Probes and Prometheus ask by address.
    """

    refusal = "This service does not answer under this host name."

    def __init__(self, app: ASGIApp, *, allowed: Collection[str], open_paths: Collection[str]):
        lower = [each.lower() for each in allowed]
        super().__init__(app, allowed=lower, open_paths=open_paths)

    def _is_foreign(self, headers: Headers) -> bool:
        try:
            name = urlsplit(f"//{headers.get('host', '')}").hostname or ""
        except ValueError:
            return True
        parents = (f"*{name[at:]}" for at, character in enumerate(name) if character == ".")
        return name not in self._allowed and self._allowed.isdisjoint(parents)


class SameOriginMiddleware(_GuardMiddleware):
    """Refuses requests that another site's page makes with the user's cookie.

    `Sec-Fetch-Site: same-origin`, which only the browser can set, is enough. Without that header,
    as over plain HTTP, the page's `Origin` has to be this host's or one of `allowed`.
    """

    refusal = "Pages of another site may not call this service."

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
