"""`opik-assist serve`: runs the service until SIGTERM or Ctrl-C."""

import socket
import sys
from types import FrameType

import click
import uvicorn

from app.errors import StartRefused
from app.main import create_app, settle_memory
from app.settings import Settings
from app.shutdown import STREAM_END_SECONDS
from app.web import sse


class Server(uvicorn.Server):
    """A server whose process exits with 0 after a signal.

    Uvicorn's own raises the signal once more at the end, so that the process dies of it.
    """

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.should_exit = True


@click.command()
def command() -> None:
    """Serve until SIGTERM or Ctrl-C, at HOST and PORT.

    The tables are created or updated first, unless MIGRATE_AT_START=false. Exits with 1 for a wrong
    setting or a busy port, with 3 where the start fails.
    """
    settings = Settings.load()
    app = create_app(settings)
    settle_memory()
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=round(settings.shutdown_seconds) + STREAM_END_SECONDS,
    )
    server = Server(config)
    with bind_listener(settings.host, settings.port) as listener:
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
