"""`opik-assist migrate`: creates or updates the tables."""

import anyio
import click

from app.db.engine import create_engine
from app.db.migrations import prepare_schema
from app.settings import DatabaseSettings, database_url
from app.telemetry import logs


@click.command()
def command() -> None:
    """Create or update the tables in the database of SESSION_SERVICE_URI.

    Waits for a database that is not up yet, and for another process that migrates. Needs no other
    setting.
    """
    logs.configure(style="console", level="INFO")
    anyio.run(_migrate, DatabaseSettings.load())


async def _migrate(settings: DatabaseSettings) -> None:
    url = database_url(settings.session_service_uri)
    engine = create_engine(url, pool_recycle=-1)
    try:
        await prepare_schema(
            engine,
            migrate=True,
            attempts=settings.session_service_max_retries,
            delay=settings.session_service_retry_delay,
        )
    finally:
        await engine.dispose()
    click.echo(f"{url.set(query={}).render_as_string()}: the tables are up to date.")
