"""Server-sent events for a reader that decodes each network read by itself.

The panel splits every read at newlines and each line at `data:`, and parses what stands between;
what is cut or does not parse is dropped. So a frame is one short ASCII line, sent in one piece,
and never holds the characters `data:` inside.
"""

from collections.abc import Iterable
from typing import Any

import anyio
from starlette.types import Message, Receive, Scope, Send

from app.conversation.turn import Turn
from app.web.panel import Panel, json_line

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]
HEARTBEAT = b": ping\n\n"


def encode(frame: dict[str, Any]) -> bytes:
    """One frame as one line: pure ASCII, so that no network cut falls into a character."""
    return f"data: {json_line(frame)}\n\n".encode("ascii")


class FrameStream:
    """A response of frames that are all known already."""

    def __init__(self, frames: Iterable[dict[str, Any]]) -> None:
        self._frames = tuple(frames)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(_start())
        body = b"".join(encode(frame) for frame in self._frames)
        await send({"type": "http.response.body", "body": body})


class TurnStream:
    """Streams a running turn; when the reader goes, so does the turn."""

    def __init__(self, turn: Turn, panel: Panel, *, heartbeat: float) -> None:
        """`heartbeat` is the silence in seconds after which a comment line is sent."""
        self._turn = turn
        self._panel = panel
        self._heartbeat = heartbeat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_watch, receive, group.cancel_scope)
                await self._send(send)
                group.cancel_scope.cancel()
        finally:
            self._turn.leave()

    async def _send(self, send: Send) -> None:
        await send(_start())
        feed = self._turn.feed
        while not feed.ended:
            event = await feed.next(self._heartbeat)
            if event is not None:
                for frame in self._panel.frames(event):
                    await send(_body(encode(frame)))
            elif not feed.ended:
                await send(_body(HEARTBEAT))
        await send({"type": "http.response.body", "body": b""})


async def _watch(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


def _start() -> Message:
    return {"type": "http.response.start", "status": 200, "headers": list(HEADERS)}


def _body(data: bytes) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": True}
