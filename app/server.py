"""Serves the app by uvicorn: on one port, within the limits of the system, until a signal."""

import asyncio
import functools
import resource
import socket
import sys
from types import FrameType
from typing import Any, cast

import structlog
import uvicorn
from starlette.types import ASGIApp

from app.errors import StartRefused
from app.shutdown import STREAM_END_SECONDS
from app.web import sse
from app.web.connection import KEEP_ALIVE_SECONDS, ConnectionPool, HttpConnection
from app.web.once_in import OnceIn

log = structlog.get_logger(__name__)

MOST_CONNECTIONS = 4_096
"""Far more than the streams that one process serves; each takes some 20 kB."""
ACCEPTED_AT_ONCE = 16
"""Connections that asyncio accepts before it does other work. When it has no file descriptor left
it fails as many times at once, and reports each."""
QUEUED_CONNECTIONS = 2_048
"""Connections that the system keeps until they are accepted; it allows fewer where it must."""
_LOG_SECONDS = 10.0


class Server(uvicorn.Server):
    """A server whose process exits with 0 after a signal.

    Uvicorn's own raises the signal once more at the end, so that the process dies of it.
    """

    def __init__(self, config: uvicorn.Config, pool: ConnectionPool) -> None:
        super().__init__(config)
        self._pool = pool

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(_AcceptErrors().handle)
        await super().startup(sockets)
        if self.started:
            for each in sockets or []:
                each.listen(QUEUED_CONNECTIONS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._pool.closing = True
        await super().shutdown(sockets)


def serve(app: ASGIApp, *, host: str, port: int, shutdown_seconds: float) -> None:
    """Serves until SIGTERM or SIGINT.

    Raises StartRefused where the address cannot be had, SystemExit where the app does not start.

    Requests that run then have `shutdown_seconds` and STREAM_END_SECONDS to end.
    """
    pool = ConnectionPool(limit=compute_connection_limit(raise_descriptor_limit()))
    config = uvicorn.Config(
        app,
        # Uvicorn only calls it.
        http=cast("Any", functools.partial(HttpConnection, pool=pool)),
        ws="none",
        backlog=ACCEPTED_AT_ONCE,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=round(shutdown_seconds) + STREAM_END_SECONDS,
    )
    server = Server(config, pool)
    with bind_listener(host, port) as listener:
        try:
            server.run(sockets=[listener])
        except SystemExit:
            # A start that was stopped by a signal counts as failed for uvicorn.
            if not server.should_exit:
                raise


def bind_listener(host: str, port: int) -> socket.socket:
    """A socket whose connections send each frame at once and drop clients that read nothing.

    A connection inherits both options. The second also ends one whose other end has vanished, for
    which the system itself waits some 15 minutes; not every system has it. Raises StartRefused
    where the address cannot be had.
    """
    # asyncio switches Nagle's algorithm off only on sockets that say they are TCP.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if sys.platform == "linux":
        # A little sooner than a stream gives up by itself, which the server takes for a fault.
        milliseconds = round(sse.READER_SECONDS * 900)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise StartRefused(
            f"Cannot listen on port {port} of {host} ({error.strerror}): set PORT to a free port,"
            " HOST to an address of this machine"
        ) from None
    return listener


def raise_descriptor_limit() -> int:
    """Allows this process as many file descriptors as it may allow itself; returns how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):
        # macOS names no limit as the hard one, and refuses it as the soft one.
        return soft
    return hard


def compute_connection_limit(descriptors: int) -> int:
    """How many clients may be connected.

    Half of the descriptors are for what they ask for: each needs a connection to the backend, and
    the database its own. A few more are accepted before they can be counted.
    """
    if descriptors == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(1, min(MOST_CONNECTIONS, descriptors // 2 - ACCEPTED_AT_ONCE))


class _AcceptErrors:
    """Reports that the system accepts no connection in one line, and that once in ten seconds."""

    def __init__(self) -> None:
        self._reports = OnceIn(_LOG_SECONDS)

    def handle(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An exception handler of the event loop; anything else is reported as usual."""
        if not str(context.get("message", "")).startswith("socket.accept()"):
            loop.default_exception_handler(context)
        elif self._reports.is_due():
            log.error("connections_not_accepted", reason=str(context.get("exception")))
