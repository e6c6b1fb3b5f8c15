"""`opik-assist serve`: runs the service until SIGTERM or Ctrl-C."""

import click

from app.main import create_app, settle_interpreter
from app.server import serve
from app.settings import Settings


@click.command()
def command() -> None:
    """Serve until SIGTERM or Ctrl-C, at HOST and PORT.

    The tables are created or updated first, unless MIGRATE_AT_START=false. Exits with 1 for a wrong
    setting or a busy port, with 3 where the start fails.
    """
    settings = Settings.load()
    app = create_app(settings)
    settle_interpreter()
    serve(app, host=settings.host, port=settings.port, shutdown_seconds=settings.shutdown_seconds)
