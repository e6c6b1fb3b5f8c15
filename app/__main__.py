"""`python -m app`: serves OpikAssist; `--version` prints the version."""

import argparse
import socket
import sys
from types import FrameType

import uvicorn

from app import __version__
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
        timeout_graceful_shutdown=round(settings.shutdown_seconds) + STREAM_END_SECONDS,
    )
    server = Server(config)
    with _bind_listener(config) as listener:
        try:
            server.run(sockets=[listener])
        except SystemExit:
            # A start that was stopped by a signal counts as failed for uvicorn.
            if not server.should_exit:
                raise


def _bind_listener(config: uvicorn.Config) -> socket.socket:
    """A socket whose connections send each frame at once and drop clients that read nothing.

    A connection inherits both options. The second also ends one whose other end has vanished, for
    which the system itself waits some 15 minutes; not every system has it.
    """
    listener = config.bind_socket()
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if sys.platform == "linux":
        # A little sooner than a stream gives up by itself, which the server takes for a fault.
        milliseconds = round(sse.READER_SECONDS * 900)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
    return listener


if __name__ == "__main__":
    main()
