"""`opik-assist import-adk`: conversations of the replaced service."""

from collections import Counter

import anyio
import click
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from app.adk_import.conversion import convert_session
from app.adk_import.source import AdkSession, AdkSource, open_adk_source
from app.adk_import.target import store_conversation
from app.db.engine import create_engine, storage_kind
from app.db.migrations import SchemaCheck
from app.db.transactions import Transactions
from app.errors import StartRefused
from app.settings import DatabaseSettings, database_url
from app.telemetry import logs


@click.command()
@click.option(
    "--from",
    "source",
    required=True,
    envvar="ADK_SESSION_SERVICE_URI",
    help="Database of the replaced service: its SESSION_SERVICE_URI.",
)
def command(source: str) -> None:
    """Import the conversations of the replaced service, which Google's ADK stored.

    Reads the tables of ADK 1.10 to 2.x and writes into the database of SESSION_SERVICE_URI, which
    may be the same one. Nothing in the old tables is changed. It may be repeated: what is there
    already is left as it is, and new questions are added.

    Only their owners see them, as before: any client with the same browser session, or everybody
    where Opik has no accounts. The password of a database is safer in ADK_SESSION_SERVICE_URI
    than in --from, where other users of the machine can read it.
    """
    logs.configure(style="console", level="WARNING")
    try:
        url = database_url(source)
    except ValueError as error:
        raise StartRefused(f"--from {error}") from None
    if storage_kind(url) != "mysql":
        raise StartRefused("--from must start with mysql://, where the replaced service kept them")
    anyio.run(_import_all, url, DatabaseSettings.load().session_service_uri)


async def _import_all(source: URL, target_uri: str) -> None:
    target = create_engine(database_url(target_uri), pool_recycle=-1)
    try:
        fault = await SchemaCheck(target).find_fault()
        if fault is not None:
            raise StartRefused(fault)
        async with open_adk_source(source) as old:
            report = await _import_sessions(old, target)
    finally:
        await target.dispose()
    report.print()


async def _import_sessions(old: AdkSource, target: AsyncEngine) -> "ImportReport":
    report = ImportReport(Transactions(target, attempts=3, sleep=anyio.sleep))
    count = await old.count_sessions()
    with click.progressbar(length=count, label="Sessions", show_pos=True) as progress:
        async for session in old.read_sessions():
            await report.add(session)
            progress.update(1)
    return report


class ImportReport:
    """Imports sessions and counts what became of them."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._outcomes: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()
        self._unreadable = 0

    async def add(self, session: AdkSession) -> None:
        """Imports one session. Raises DatabaseUnavailable."""
        self._unreadable += session.unreadable
        converted = convert_session(session)
        if isinstance(converted, str):
            self._left_out[converted] += 1
            return
        outcome = await self._transactions.run(lambda db: store_conversation(db, converted))
        self._outcomes[outcome] += 1

    def print(self) -> None:
        """Prints the counts, one line each."""
        done = self._outcomes
        click.echo(f"{done['imported']:,} conversations imported, {done['extended']:,} extended")
        if done["unchanged"]:
            click.echo(f"{done['unchanged']:,} were there already")
        if done["continued"]:
            click.echo(f"{done['continued']:,} left as they are: they go on in the service")
        for reason, number in sorted(self._left_out.items()):
            click.echo(f"{number:,} sessions left out: {reason}")
        if self._unreadable:
            click.echo(f"{self._unreadable:,} events left out: no known form of ADK's")
