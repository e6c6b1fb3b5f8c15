"""Frames as server-sent events, for a panel that decodes each network read by itself.

The panel splits every read at newlines and each line at `data:`, and parses what stands between;
what is cut or does not parse is dropped. So a frame is one short ASCII line, sent in one piece,
and never holds the characters `data:` inside.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

import anyio
import structlog
from starlette.types import Message, Receive, Scope, Send

from app.conversation.turn import Turn
from app.errors import InvalidRequest, OpikAssistError
from app.web.panel import Panel, encode_json_line

log = structlog.get_logger(__name__)

T = TypeVar("T")

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]
HEARTBEAT = b": ping\n\n"
HEARTBEAT_SECONDS = 15.0
"""Idle time after which a comment line is sent: nginx closes what is idle for 60 s."""
READER_SECONDS = 60.0
"""A client that reads nothing for so long counts as gone; its turn would hold memory."""


def encode_frame(frame: dict[str, Any]) -> bytes:
    """One frame as one line: pure ASCII, so that no network cut falls into a character."""
    return f"data: {encode_json_line(frame)}\n\n".encode("ascii")


class FrameStream:
    """A response of frames that are known beforehand."""

    def __init__(self, frames: Iterable[dict[str, Any]]) -> None:
        self._frames = tuple(frames)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(_start_message())
        body = b"".join(encode_frame(frame) for frame in self._frames)
        await send({"type": "http.response.body", "body": body})


class TurnStream:
    """Streams a running turn; the turn stops when the client disconnects.

    A frame is sent only after the one before it was accepted. A client that accepts nothing for
    `timeouts.reader` seconds counts as disconnected.
    """

    def __init__(self, turn: Turn, panel: Panel) -> None:
        self._turn = turn
        self._panel = panel

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_cancel_on_disconnect, receive, group.cancel_scope)
                await self._send_all(send)
                group.cancel_scope.cancel()
        finally:
            self._turn.disconnect_reader()

    async def _send_all(self, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            with anyio.fail_after(READER_SECONDS):
                await send(message)

        try:
            await self._send_frames(send_in_time)
        except TimeoutError:
            log.info("client_reads_nothing", seconds=READER_SECONDS)

    async def _send_frames(self, send: Send) -> None:
        await send(_start_message())
        feed = self._turn.feed
        while True:
            event = await feed.next(HEARTBEAT_SECONDS)
            if event is None and feed.ended:
                break
            if event is None:
                await send({"type": "http.response.body", "body": HEARTBEAT, "more_body": True})
                continue
            for frame in self._panel.build_frames(event):
                body = encode_frame(frame)
                await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def run_while_connected(receive: Receive, work: Callable[[], Awaitable[T]]) -> T:
    """Returns or raises what `work` does; cancels it when the client disconnects meanwhile.

    Raises InvalidRequest, which no client reads, where the client was gone before the
    result.
    """
    results: list[T] = []
    refusal: OpikAssistError | None = None
    async with anyio.create_task_group() as group:
        group.start_soon(_cancel_on_disconnect, receive, group.cancel_scope)
        try:
            results.append(await work())
        except OpikAssistError as error:
            refusal = error
        group.cancel_scope.cancel()
    if results:
        return results[0]
    raise refusal or InvalidRequest("The client disconnected before there was a response.")


async def _cancel_on_disconnect(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


def _start_message() -> Message:
    return {"type": "http.response.start", "status": 200, "headers": list(HEADERS)}
