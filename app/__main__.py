"""`python -m app`: serves OpikAssist; `--version` prints the version."""

import argparse
import signal
import socket
import sys

import uvicorn

from app import __version__
from app.errors import StartRefused
from app.main import LAST_WORDS_SECONDS, create_app, settle_memory
from app.settings import Settings


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m app", description="Serve OpikAssist.")
    parser.add_argument("--version", action="version", version=f"opik-assist {__version__}")
    parser.parse_args()
    try:
        settings = Settings.load()
    except StartRefused as error:
        sys.exit(error.message)
    app = create_app(settings)
    settle_memory()
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=round(settings.shutdown_seconds) + LAST_WORDS_SECONDS,
    )
    server = uvicorn.Server(config)

    def end(*_: object) -> None:
        """Before the server listens to signals; at its end it raises its last one once more."""
        if not server.started:
            sys.exit(0)

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, end)
    with _listener(config, reader_seconds=settings.reader_seconds) as listener:
        try:
            server.run(sockets=[listener])
        except SystemExit:
            if not server.should_exit:
                raise
            return
    if not server.started:
        sys.exit(3)


def _listener(config: uvicorn.Config, *, reader_seconds: float) -> socket.socket:
    """A bound socket whose connections send each frame at once and drop readers that take nothing.

    A connection inherits both options. The second also ends one whose other end has vanished, for
    which the system's own patience is some 15 minutes; not every system has it.
    """
    listener = config.bind_socket()
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if sys.platform == "linux":
        # A little sooner than a stream gives up by itself, which the server takes for a fault.
        milliseconds = round(reader_seconds * 900)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
    return listener


if __name__ == "__main__":
    main()
