"""Server-sent events for a reader that decodes each network read by itself.

The panel splits every read at newlines and each line at `data:`, and parses what stands between;
what is cut or does not parse is dropped. So a frame is one short ASCII line, sent in one piece,
and never holds the characters `data:` inside.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import anyio
import structlog
from starlette.types import Message, Receive, Scope, Send

from app.conversation.turn import Turn
from app.errors import InvalidRequest, OpikAssistError
from app.web.panel import Panel, json_line

log = structlog.get_logger(__name__)

T = TypeVar("T")

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]
HEARTBEAT = b": ping\n\n"


def encode_frame(frame: dict[str, Any]) -> bytes:
    """One frame as one line: pure ASCII, so that no network cut falls into a character."""
    return f"data: {json_line(frame)}\n\n".encode("ascii")


class FrameStream:
    """A response of frames that are all known already."""

    def __init__(self, frames: Iterable[dict[str, Any]]) -> None:
        self._frames = tuple(frames)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(_start())
        body = b"".join(encode_frame(frame) for frame in self._frames)
        await send({"type": "http.response.body", "body": body})


@dataclass(frozen=True, slots=True)
class StreamTimeouts:
    """Seconds: of silence after which a comment line is sent, of a reader that takes nothing."""

    heartbeat: float
    reader: float


class TurnStream:
    """Streams a running turn; when the reader goes, so does the turn.

    A frame is sent when the one before it is on its way: a server that has its hands full with a
    reader who takes nothing lets us wait, and such a reader counts as gone after a while.
    """

    def __init__(self, turn: Turn, panel: Panel, pace: StreamTimeouts) -> None:
        self._turn = turn
        self._panel = panel
        self._pace = pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_watch, receive, group.cancel_scope)
                await self._stream(send)
                group.cancel_scope.cancel()
        finally:
            self._turn.disconnect_reader()

    async def _stream(self, send: Send) -> None:
        async def give(message: Message) -> None:
            with anyio.fail_after(self._pace.reader):
                await send(message)

        try:
            await self._frames(give)
        except TimeoutError:
            log.info("reader_took_nothing", seconds=self._pace.reader)

    async def _frames(self, send: Send) -> None:
        await send(_start())
        feed = self._turn.feed
        while True:
            event = await feed.next(self._pace.heartbeat)
            if event is None and feed.ended:
                break
            if event is None:
                await send({"type": "http.response.body", "body": HEARTBEAT, "more_body": True})
                continue
            for frame in self._panel.frames(event):
                body = encode_frame(frame)
                await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def run_while_connected(receive: Receive, work: Callable[[], Awaitable[T]]) -> T:
    """What `work` returns or raises; it is cancelled when the client leaves meanwhile.

    Raises InvalidRequest, which nobody reads, where the client left before there was a result.
    """
    results: list[T] = []
    refusal: OpikAssistError | None = None
    async with anyio.create_task_group() as group:
        group.start_soon(_watch, receive, group.cancel_scope)
        try:
            results.append(await work())
        except OpikAssistError as error:
            refusal = error
        group.cancel_scope.cancel()
    if results:
        return results[0]
    raise refusal or InvalidRequest("The client left before it could be answered.")


async def _watch(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


def _start() -> Message:
    return {"type": "http.response.start", "status": 200, "headers": list(HEADERS)}
