"""The outermost layer: notes each request, unpacks it, asks who calls, and applies faults."""

import asyncio
import contextlib
import gzip
import json
import zlib
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from standin.faults import (
    Answer,
    ChatCutAfter,
    ChatErrorAfter,
    CutAfter,
    Delay,
    Effect,
    Endless,
    PauseAfter,
    Refuse,
)
from standin.switches import ReceivedRequest, Switches, UserAccount

PRIVATE = "/v1/private"
OPEN_SOURCE = UserAccount("admin", frozenset({"default"}))


class RequestLayer:
    """An ASGI layer around the routes; see the module."""

    def __init__(self, app: ASGIApp, switches: Switches) -> None:
        self._app = app
        self._switches = switches

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body unpacked and its user and workspace in the scope, or
        answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix("/api")
        headers = Headers(scope=scope)
        body = _unpack_body(await _whole_body(receive), headers)
        self._record_request(scope, path, headers, body)
        wire = _Wire(self._switches, headers, receive, send)
        request = (scope["method"], path, headers.get("comet-workspace"))
        effects = [fault.effect for fault in self._switches.faults if fault.takes(*request)]
        if await wire.prepare(effects):
            return
        scope = {**scope, "chat_faults": wire.chat_faults}
        answer: ASGIApp | None = self._find_refusal(scope, path, headers)
        await (answer or self._app)(scope, _replay_body(body, receive), wire.send)
        await wire.finish()

    def _record_request(self, scope: Scope, path: str, headers: Headers, body: bytes) -> None:
        query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        try:
            parsed = json.loads(body) if body else None
        except ValueError:
            parsed = body
        noted = ReceivedRequest(scope["method"], path, query, dict(headers), parsed)
        self._switches.received.append(noted)

    def _find_refusal(self, scope: Scope, path: str, headers: Headers) -> Response | None:
        if not path.startswith(PRIVATE):
            return None
        left = self._switches.requests_left
        if left is not None:
            self._switches.requests_left = max(0, left - 1)
            if left <= 0:
                reset = {"RateLimit-Reset": f"{self._switches.rate_limit_reset:g}"}
                return _build_error(429, "Too Many Requests", reset)
        return self._identify(scope, headers)

    def _identify(self, scope: Scope, headers: Headers) -> Response | None:
        workspace = headers.get("comet-workspace", "")
        if self._switches.accounts is None:
            scope["user"], scope["workspace"] = OPEN_SOURCE.user, "default"
            return None
        cookies = SimpleCookie(headers.get("cookie", ""))
        token = cookies["sessionToken"].value if "sessionToken" in cookies else None
        account = self._switches.accounts.get(token or headers.get("authorization", ""))
        if workspace == "default" and self._switches.default_workspace_resolves and account:
            workspace = min(account.workspaces)
        if workspace in ("", "default"):
            return _build_error(403, "Workspace name should be provided")
        if account is None:
            return _build_error(401, "User not allowed to access workspace")
        if workspace not in account.workspaces:
            return _build_error(403, "User has no permission for this workspace")
        scope["user"], scope["workspace"] = account.user, workspace
        return None


class _Wire:
    """The way back to the client, with the faults that happen on it."""

    def __init__(self, switches: Switches, headers: Headers, receive: Receive, send: Send) -> None:
        self._switches = switches
        self._receive = receive
        self._send = send
        allowed = "gzip" in headers.get("accept-encoding", "")
        packs = switches.gzip_answers and (allowed or switches.gzip_unasked)
        self._held: list[Message] | None = [] if packs else None
        self._sent = 0
        self._lines = 0
        self._dropped = False
        self._cut: CutAfter | None = None
        self._pause: PauseAfter | None = None
        self.chat_faults: list[ChatErrorAfter | ChatCutAfter] = []

    async def prepare(self, effects: list[Effect]) -> bool:
        """Set the faults up; True when one of them has answered the request already."""
        for effect in effects:
            match effect:
                case Delay():
                    await self._wait_or_leave(effect.seconds)
                case Refuse():
                    await self._drop_connection(flush=False)
                    return True
                case Answer():
                    await _build_response(effect)({"type": "http"}, self._receive, self.send)
                    return True
                case Endless():
                    await _build_endless_response(effect)(
                        {"type": "http"}, self._receive, self.send
                    )
                    return True
                case CutAfter():
                    self._cut = effect
                case PauseAfter():
                    self._pause = effect
                case ChatErrorAfter() | ChatCutAfter():
                    self.chat_faults.append(effect)
        return False

    async def send(self, message: Message) -> None:
        """Send on, packed, slowly or only in part as the faults have it."""
        if self._dropped:
            return
        if message["type"] == "http.response.start" and self._switches.set_cookie:
            MutableHeaders(scope=message).append("set-cookie", self._switches.set_cookie)
        if self._held is not None:
            self._held.append(message)
            return
        if message["type"] != "http.response.body":
            await self._send(message)
            return
        await self._send_body(message)

    async def _send_body(self, message: Message) -> None:
        body: bytes = message.get("body", b"")
        kept = self._cut_body(body)
        if self._pause and self._sent + len(body) >= self._pause.bytes:
            head = max(0, self._pause.bytes - self._sent)
            seconds, self._pause = self._pause.seconds, None
            await self._send({**message, "body": body[:head], "more_body": True})
            await self._wait_or_leave(seconds)
            self._sent += head
            await self._send_body({**message, "body": body[head:]})
            return
        self._sent += len(kept)
        self._lines += kept.count(b"\n")
        if self._cut and len(kept) < len(body):
            await self._send({**message, "body": kept, "more_body": True})
            await self._drop_connection(flush=True)
            return
        await self._send(message)

    async def _wait_or_leave(self, seconds: float) -> None:
        """Let so much time pass, at most until the client leaves."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while (await self._receive())["type"] != "http.disconnect":
                    pass

    def _cut_body(self, body: bytes) -> bytes:
        if self._cut and self._cut.bytes is not None:
            return body[: max(0, self._cut.bytes - self._sent)]
        if self._cut and self._cut.lines is not None:
            lines = body.splitlines(keepends=True)
            return b"".join(lines[: max(0, self._cut.lines - self._lines)])
        return body

    async def finish(self) -> None:
        """Send what was held back to be packed, all at once as a compressing server does."""
        if not self._held:
            return
        start, *rest = self._held
        body = gzip.compress(b"".join(message.get("body", b"") for message in rest))
        headers = MutableHeaders(scope=start)
        headers["content-encoding"] = "gzip"
        headers["content-length"] = str(len(body))
        await self._send(start)
        await self._send_body({"type": "http.response.body", "body": body})

    async def _drop_connection(self, *, flush: bool) -> None:
        """Close the connection under the answer, as a crashed server would.

        ASGI has no word for this, so under uvicorn the transport behind `send` is closed; without
        one (an in-process client) the request ends in an exception.
        """
        self._dropped = True
        transport: Any = getattr(getattr(self._send, "__self__", None), "transport", None)
        if transport is None:
            raise ConnectionResetError("the stand-in closed the connection")
        if flush:
            transport.close()
        else:
            transport.abort()
        while (await self._receive())["type"] != "http.disconnect":
            pass


def _build_response(answer: Answer) -> Response:
    if isinstance(answer.body, dict | list):
        return JSONResponse(answer.body, answer.status, answer.headers)
    return Response(answer.body, answer.status, answer.headers)


def _build_endless_response(effect: Endless) -> Response:
    async def chunks() -> Any:
        while True:
            yield effect.chunk
            # Also a pause of 0, since a send to a client that has left waits for nothing.
            await asyncio.sleep(effect.pause)

    return StreamingResponse(chunks(), media_type="application/octet-stream")


def _build_error(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"code": status, "message": message}, status, headers)


async def _whole_body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _unpack_body(body: bytes, headers: Headers) -> bytes:
    if headers.get("content-encoding") == "gzip":
        return zlib.decompress(body, wbits=zlib.MAX_WBITS | 16)
    return body


def _replay_body(body: bytes, receive: Receive) -> Receive:
    """A receive that gives the unpacked body first and then only reports when the client leaves."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
