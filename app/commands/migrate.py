"""`opik-assist migrate`: creates or updates the tables."""

import anyio
import click

from app.db.engine import create_engine, describe_database
from app.db.migrations import lock_schema, move_schema, prepare_schema
from app.settings import DatabaseSettings, database_url
from app.telemetry import logs


@click.command()
@click.option(
    "--to",
    "revision",
    metavar="REVISION",
    help="Upgrade or downgrade to this revision, such as 0001, before an older version is run.",
)
def command(revision: str | None) -> None:
    """Create or update the tables in the database of SESSION_SERVICE_URI.

    Waits for a database that is not up yet, and for another process that migrates. Needs no other
    setting.
    """
    logs.configure(style="console", level="INFO")
    anyio.run(_migrate, DatabaseSettings.load(), revision)


async def _migrate(settings: DatabaseSettings, revision: str | None) -> None:
    url = database_url(settings.session_service_uri)
    engine = create_engine(url, pool_recycle=-1)
    attempts, delay = settings.session_service_max_retries, settings.session_service_retry_delay
    try:
        if revision is None:
            await prepare_schema(engine, migrate=True, attempts=attempts, delay=delay)
        else:
            async with lock_schema(engine, attempts=attempts, delay=delay) as connection:
                await connection.run_sync(move_schema, revision)
    finally:
        await engine.dispose()
    state = "are up to date" if revision is None else f"are at revision {revision}"
    click.echo(f"{describe_database(url)}: the tables {state}.")
