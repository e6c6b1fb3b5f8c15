"""`python -m app`: serves OpikAssist; `--version` prints the version."""

import argparse
import signal
import sys

import uvicorn

from app import __version__
from app.errors import StartRefused
from app.main import create_app, settle_memory
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
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=round(settings.shutdown_seconds) + 5,
        )
    )
    # The server raises the signal that ended it once more, for whoever handled it before: nobody.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: None)
    server.run()
    if not server.started:
        sys.exit(3)


if __name__ == "__main__":
    main()
