"""Frames as server-sent events, for a panel that decodes each network read by itself.

The panel splits every read at newlines and each line at `data:`, and parses what stands between;
what is cut or does not parse is dropped. So a frame is one short ASCII line, sent in one piece,
and never holds the characters `data:` inside.
"""

import math
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio
import structlog
from starlette.types import Receive, Scope, Send

from app.conversation.turn import Turn
from app.errors import InvalidRequest, OpikAssistError
from app.task_groups import open_task_group
from app.web.error_responses import INTERNAL_ERROR, build_turn_error_frame
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


SendBody = Callable[[bytes], Awaitable[None]]
StartTurn = Callable[[], Awaitable[tuple[Turn, Panel]]]
"""Starts a turn; raises what there is for its user to read instead of an answer."""


class TurnStream:
    """Starts a turn and streams it; the turn stops when the client disconnects.

    The headers and a comment line come first, since the panel shows nothing before them and the
    backend may be slow. A frame is sent only after the one before it was accepted. A client that
    accepts nothing for `READER_SECONDS` counts as disconnected.
    """

    def __init__(self, start: StartTurn, *, request_id: str) -> None:
        """`request_id` is quoted in the message of a turn that does not start."""
        self._start = start
        self._request_id = request_id
        self._turn: Turn | None = None
        self._sending_since = math.inf

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_cancel_on_disconnect, receive, group.cancel_scope)
                group.start_soon(self._cancel_when_unread, group.cancel_scope)
                await self._send_all(send)
                group.cancel_scope.cancel()
        finally:
            if self._turn is not None:
                self._turn.disconnect_reader()

    async def _send_all(self, send: Send) -> None:
        async def send_body(body: bytes) -> None:
            self._sending_since = time.monotonic()
            await send({"type": "http.response.body", "body": body, "more_body": bool(body)})
            self._sending_since = math.inf

        await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
        await send_body(HEARTBEAT)
        await self._send_frames(send_body)
        await send_body(b"")

    async def _cancel_when_unread(self, scope: anyio.CancelScope) -> None:
        """Cancels `scope` when the client has accepted nothing for `READER_SECONDS`.

        One task a stream: a time limit around each frame would cost more than the frame.
        """
        while not scope.cancel_called:
            left = self._sending_since + READER_SECONDS - time.monotonic()
            if left <= 0:
                log.info("client_reads_nothing", seconds=READER_SECONDS)
                scope.cancel()
            await anyio.sleep(min(left, READER_SECONDS))

    async def _send_frames(self, send_body: SendBody) -> None:
        try:
            turn, panel = await self._start_turn(send_body)
        except OpikAssistError as error:
            await send_body(encode_frame(build_turn_error_frame(error, self._request_id)))
            return
        while True:
            event = await turn.feed.next(HEARTBEAT_SECONDS)
            if event is None and turn.feed.ended:
                break
            if event is None:
                await send_body(HEARTBEAT)
                continue
            for frame in panel.build_frames(event):
                await send_body(encode_frame(frame))

    async def _start_turn(self, send_body: SendBody) -> tuple[Turn, Panel]:
        """Starts the turn, with comment lines while that takes long; raises what `start` does."""
        outcome: tuple[Turn, Panel] | OpikAssistError = INTERNAL_ERROR

        async def send_heartbeats() -> None:
            while True:
                await anyio.sleep(HEARTBEAT_SECONDS)
                await send_body(HEARTBEAT)

        async with anyio.create_task_group() as group:
            group.start_soon(send_heartbeats)
            try:
                outcome = await self._start()
                self._turn = outcome[0]
            except OpikAssistError as error:
                outcome = error
            except Exception:
                log.exception("turn_start_crashed")
            group.cancel_scope.cancel()
        if isinstance(outcome, OpikAssistError):
            raise outcome
        return outcome


async def run_while_connected(receive: Receive, work: Callable[[], Awaitable[T]]) -> T:
    """Returns or raises what `work` does; cancels it when the client disconnects meanwhile.

    Raises InvalidRequest, which no client reads, where the client was gone before the
    result.
    """
    results: list[T] = []
    refusal: OpikAssistError | None = None
    async with open_task_group() as group:
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
