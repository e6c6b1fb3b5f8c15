"""Serving an ASGI app on a real loopback socket from a thread, for programs that need one."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

_STOP_SECONDS = 5.0


def open_listener(port: int = 0) -> socket.socket:
    """A listening socket on that port, 0 for any free one. Raises OSError when it is taken."""
    # asyncio switches Nagle's algorithm off only on sockets that say they are TCP; with it a
    # stream's small pieces wait 40 ms each.
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def build_server(app: ASGIApp) -> uvicorn.Server:
    """A quiet server for the app; it is given its sockets when it runs."""
    return uvicorn.Server(
        uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1)
    )


@contextmanager
def serve_in_thread(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """Serve the app while the context lasts; gives its URL, without a closing slash."""
    listener = open_listener(port)
    running = build_server(app)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        running.should_exit = True
        thread.join(_STOP_SECONDS)
        listener.close()
