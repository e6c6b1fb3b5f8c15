"""One client's connection: limited in number, in the time of its requests, and in unread responses.

The server below limits none of these. A client that connects and sends nothing, or a byte now and
then, would hold a file descriptor for ever, and one that reads a byte now and then its response.
"""

import asyncio
import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.errors import OpikAssistError, RequestTimedOut
from app.web.once_in import OnceIn

log = structlog.get_logger(__name__)

HEAD_SECONDS = 10.0
"""For the head of a request, from the connection or its first byte, and for what is left of an
answered request's body: as long as a body may take."""
KEEP_ALIVE_SECONDS = 75
"""A connection without a request is kept longer than clients and proxies keep theirs (nginx 60 s):
a request that is sent while the other end closes is lost, and a question is not sent again."""
LATE_SECONDS = 1.0
"""For the head of a request on a connection that was accepted just as the server stopped listening:
the client sends it at once, and the process waits for it."""
READ_SECONDS = 60.0
SLOWEST_READER_BYTES = 16_384
"""A finished response that is not yet read: READ_SECONDS and a second for so many bytes, which any
usable line brings. Nothing else would end a client that reads a byte a minute."""

_TOO_MANY = "The service has too many connections now. Try again in a moment."
_LOG_SECONDS = 10.0


@dataclass
class ConnectionPool:
    """The connections of one process: `waiting` are those without a request, oldest first.

    While `closing` no connection is kept for another request.
    """

    limit: int
    closing: bool = False
    waiting: dict["HttpConnection", None] = field(default_factory=dict)
    _reports: OnceIn = field(default_factory=lambda: OnceIn(_LOG_SECONDS))

    @property
    def head_seconds(self) -> float:
        """The time for the head of a request."""
        return LATE_SECONDS if self.closing else HEAD_SECONDS

    def make_room(self) -> bool:
        """Closes the connection that has waited longest for a request; False if there is none."""
        if self._reports.is_due():
            log.warning("connection_limit_reached", limit=self.limit, waiting=len(self.waiting))
        oldest = next(iter(self.waiting), None)
        if oldest is not None:
            oldest.drop()
        return oldest is not None


class HttpConnection(H11Protocol):
    def __init__(self, *, pool: ConnectionPool, **uvicorn_arguments: Any) -> None:
        super().__init__(**uvicorn_arguments)
        self._pool = pool
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._pool.limit and not self._pool.make_room():
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", _TOO_MANY)
            return
        self._check_progress()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._check_progress()

    def on_response_complete(self) -> None:
        self._cancel_deadline()
        super().on_response_complete()
        self._check_progress()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._check_progress()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_deadline()
        super().connection_lost(exc)

    def drop(self) -> None:
        """Closes the connection at once."""
        self._cancel_deadline()
        self.transport.abort()

    def _check_progress(self) -> None:
        """Sets the deadline that the connection's state asks for, unless it is set already."""
        if self.transport.is_closing():
            self._await_reader()
        elif self.cycle is not None and not self.cycle.response_complete:
            self._cancel_deadline()
            if self._pool.closing:
                self.cycle.keep_alive = False
        else:
            self._pool.waiting.setdefault(self)
            if self._deadline is None and self.timeout_keep_alive_task is None:
                self._deadline = self.loop.call_later(self._pool.head_seconds, self._end_waiting)

    def _await_reader(self) -> None:
        """Gives the client time to read what is still to be sent before the connection closes."""
        self._cancel_deadline()
        if unread := self.transport.get_write_buffer_size():
            seconds = READ_SECONDS + unread / SLOWEST_READER_BYTES
            self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _cancel_deadline(self) -> None:
        self._pool.waiting.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end_waiting(self) -> None:
        """Ends a connection whose request did not come; a message is for half a head only.

        Who has sent nothing may be about to reuse the connection, and would take the message for
        the response to its next request.
        """
        answered = self.cycle is not None and self.cycle.response_complete
        if self.conn.trailing_data[0] and not answered:
            seconds = f"{self._pool.head_seconds:g} seconds"
            text = f"The head of the request did not arrive within {seconds}."
            error: OpikAssistError = RequestTimedOut(text)
            self._refuse(HTTPStatus(error.status), error.reason, error.message)
        else:
            self.transport.close()
            self._await_reader()

    def _refuse(self, status: HTTPStatus, code: str, message: str) -> None:
        body = json.dumps({"code": code, "message": message}).encode()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
        self._await_reader()
