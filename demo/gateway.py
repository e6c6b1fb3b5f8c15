"""What the browser talks to: the page, the service behind `/opik-ai`, and the stand-in's API.

One origin for all three, as nginx gives Opik's own frontend, so that no CORS is involved.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE = Path(__file__).parent / "page"
BODY_BYTES = 1_048_576

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types dompurify",
    ]
)
_SAFETY = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_FORWARDED = frozenset(
    {"accept", "comet-workspace", "content-type", "cookie", "origin", "x-request-id"}
)
# Headers of one connection only, so never forwarded (RFC 9110, 7.6.1).
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "te", "trailer", "transfer-encoding"}
)
# No limit for silence: the service ends its streams itself, and sends a heartbeat.
_TIMEOUTS = {"connect": 5.0, "write": 30.0, "pool": None, "read": None}


def create_gateway(standin: ASGIApp, *, service_url: str, prefix: str = "/opik-ai") -> Starlette:
    """The app at the demo's URL.

    `service_url` is where the service listens; it is asked under `prefix`, which stays in the
    path. `standin` serves `/api/…` and `/v1/private/…` in this process. The page also answers
    at the path that Opik's UI has for spans, so links made for that UI lead somewhere.
    """
    transport = httpx.AsyncHTTPTransport(http1=True, http2=False, trust_env=False)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with transport:
            yield

    return Starlette(
        routes=[
            Route("/", _serve_page),
            Route("/{workspace}/projects/{project_id}/logs", _serve_page),
            Mount("/page", StaticFiles(directory=PAGE)),
            Mount(prefix, Upstream(service_url, transport)),
            Mount("/api", _AtRoot(standin)),
            Mount("/v1/private", _AtRoot(standin)),
        ],
        middleware=[Middleware(_Safety)],
        lifespan=lifespan,
    )


async def _serve_page(_: object) -> Response:
    return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})


class Upstream:
    """A reverse proxy that hands on each piece as it comes and leaves when the browser leaves.

    It speaks through a bare transport: no cookie jar, no redirects, no decoding of bodies.
    """

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport) -> None:
        self._url = httpx.URL(url)
        self._transport = transport

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        body = await _read_body(receive)
        if body is None:
            too_large = JSONResponse({"code": "too_large", "message": "Too long a request."}, 413)
            await too_large(scope, receive, send)
            return
        request = self._build_request(scope, body)
        async with anyio.create_task_group() as group:
            group.start_soon(_cancel_on_disconnect, receive, group.cancel_scope)
            await self._send_response(request, scope, receive, send)
            group.cancel_scope.cancel()

    def _build_request(self, scope: Scope, body: bytes) -> httpx.Request:
        path: bytes = scope.get("raw_path") or scope["path"].encode()
        query: bytes = scope["query_string"]
        url = self._url.copy_with(raw_path=path + b"?" + query if query else path)
        came = Headers(scope=scope)
        headers = [
            (name, value)
            for name, value in came.items()
            if name in _FORWARDED or name.startswith("sec-fetch-")
        ]
        headers.append(("x-forwarded-host", came.get("host", "")))
        headers.append(("accept-encoding", "identity"))
        timeouts = {"timeout": _TIMEOUTS}
        return httpx.Request(
            scope["method"], url, headers=headers, content=body, extensions=timeouts
        )

    async def _send_response(
        self, request: httpx.Request, scope: Scope, receive: Receive, send: Send
    ) -> None:
        try:
            response = await self._transport.handle_async_request(request)
        except httpx.TransportError:
            gone = {"code": "unreachable", "message": "The service does not answer."}
            await JSONResponse(gone, 502)(scope, receive, send)
            return
        try:
            await send(_build_start(response))
            async for piece in response.aiter_raw():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except httpx.TransportError:
            return  # an answer without its end makes the server cut the browser's connection too
        finally:
            with anyio.CancelScope(shield=True):
                await response.aclose()


async def _read_body(receive: Receive) -> bytes | None:
    """The whole body, or None for one that is too large."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > BODY_BYTES:
            return None
        if not message.get("more_body"):
            return bytes(body)


def _build_start(response: httpx.Response) -> Message:
    headers = [(k.lower(), v) for k, v in response.headers.raw]
    kept = [(k, v) for k, v in headers if k.decode("latin-1") not in _HOP_BY_HOP]
    return {"type": "http.response.start", "status": response.status_code, "headers": kept}


async def _cancel_on_disconnect(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


class _AtRoot:
    """Serves a mounted app as if it stood at the root: its routes hold whole paths."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, "root_path": ""}, receive, send)


class _Safety:
    """Adds the headers that keep a browser from running or loading what is not ours."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_SAFETY)
            await send(message)

        await self._app(scope, receive, send_safely)
