"""Runs migrations on the connection that the service passes, else on one of its own."""

import asyncio
import logging
import sys

import structlog
from alembic import context
from sqlalchemy import Connection

from app.db import migrations
from app.db.engine import create_engine, describe_database
from app.db.schema import VERSION_TABLE, metadata
from app.errors import StartRefused
from app.settings import DatabaseSettings, database_url

_MYSQL_OPTIONS = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}
"""Of each table, for migrations that alembic writes. SQLAlchemy loads a dialect for its options, so
they are not in the schema that each process imports."""


def run(connection: Connection) -> None:
    for each in metadata.sorted_tables:
        each.kwargs.update(_MYSQL_OPTIONS)
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table=VERSION_TABLE,
        include_name=migrations.is_own_object,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_from_shell() -> None:
    settings = DatabaseSettings.load()
    url = database_url(settings.session_service_uri)
    sys.stderr.write(f"Database: {describe_database(url)}\n")
    engine = create_engine(url, pool_recycle=settings.session_pool_recycle)
    attempts, delay = settings.session_service_max_retries, settings.session_service_retry_delay
    try:
        async with migrations.lock_schema(engine, attempts=attempts, delay=delay) as own:
            await own.run_sync(run)
    finally:
        await engine.dispose()


if (given := context.config.attributes.get("connection")) is not None:
    run(given)
elif context.is_offline_mode():
    raise SystemExit("Migrations read the database while they run: --sql is not supported.")
else:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        asyncio.run(run_from_shell())
    except StartRefused as refused:
        raise SystemExit(refused.message) from None
