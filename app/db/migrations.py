"""Upgrades the schema at start, and checks whether this code can run on it.

The service and the `alembic` command take the same path: wait for the database, take a lock that
all processes share, run the missing migrations. Each migration stores in the table of facts the
oldest revision whose code can still run on the new schema.
"""

import hashlib
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import structlog
from sqlalchemy import Connection, column, false, func, inspect, select, table, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.db.engine import describe_error, storage_kind
from app.db.schema import OLDEST_CODE, PREFIX, VERSION_TABLE, events, facts
from app.db.transactions import Sleep, Transactions
from app.errors import DatabaseUnavailable, StartRefused

if TYPE_CHECKING:
    # Imported where a schema has to change, since that takes a fifth of the time of a start.
    from alembic.config import Config
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


# In an installed package, else at the top of a checkout.
_ALEMBIC_INI = next(
    path for folder in Path(__file__).parents[1:3] if (path := folder / "alembic.ini").exists()
)
REACH_SECONDS = 6
"""How long a server may take to greet after it has accepted a connection."""
_LOCK_SECONDS = 5
"""How long the server waits for the lock at a time; in between the process can be ended."""
_LOCK_ATTEMPTS = 120
"""Ten minutes in all: another process may be migrating large tables."""
# A migration may take longer than a statement of the service.
_MYSQL_NO_TIME_LIMIT = text(
    "SET SESSION sql_mode = @@SESSION.sql_mode"
    " /*M!100101 , SESSION max_statement_time = 0 */"
    " /*!50708 , SESSION max_execution_time = 0 */"
)

log = structlog.get_logger(__name__)


async def prepare_schema(
    engine: "AsyncEngine", *, migrate: bool, attempts: int, delay: float, sleep: Sleep = anyio.sleep
) -> None:
    """Makes sure that this code can run on the schema.

    Waits for a database that is not up yet (`attempts`, `delay` seconds apart). With `migrate` an
    older schema is upgraded; of many processes that start at once, one does it. Raises StartRefused
    when the database does not answer, when the schema is older and `migrate` is off, or when it is
    newer and no longer supports this code.
    """
    async with lock_schema(engine, attempts=attempts, delay=delay, sleep=sleep) as connection:
        await connection.run_sync(_upgrade_schema, migrate=migrate)


@asynccontextmanager
async def lock_schema(
    engine: "AsyncEngine", *, attempts: int, delay: float, sleep: Sleep = anyio.sleep
) -> "AsyncIterator[AsyncConnection]":
    """A connection in a transaction, the only one that may change the schema meanwhile.

    MySQL: `GET_LOCK` on this very connection, since its DDL commits as it goes. SQLite: the
    transaction itself is the lock. Commits at the end; raises StartRefused for any failure of the
    database.
    """
    connection = await _connect_with_retries(engine, attempts=attempts, delay=delay, sleep=sleep)
    try:
        if storage_kind(engine.url) == "mysql":
            async with _named_lock(connection, sleep):
                yield connection
                await connection.commit()
        else:
            yield connection
            await connection.commit()
    except DBAPIError as error:
        raise StartRefused(
            f"The database schema could not be prepared: {describe_error(error)}"
        ) from None
    finally:
        with anyio.CancelScope(shield=True):
            await connection.close()


def is_own_object(name: str | None, kind: str, _parents: object) -> bool:
    """Whether alembic may look at an object of the database: all but tables of others."""
    return kind != "table" or (name or "").startswith(PREFIX)


def lock_name(database: str) -> str:
    """The name of a database's migration lock.

    A server's locks are shared by all its databases, and their names have at most 64 characters.
    """
    name = f"{PREFIX}migration:{database}"
    if len(name) <= 64:
        return name
    return PREFIX + hashlib.sha256(database.encode()).hexdigest()[:40]


def list_revisions() -> tuple[str, ...]:
    """The revisions that this code knows, the oldest first; the names of their files begin with
    them."""
    folder = _ALEMBIC_INI.parent / "migrations" / "versions"
    return tuple(sorted(path.name.partition("_")[0] for path in folder.glob("[0-9]*_*.py")))


def find_schema_fault(connection: Connection, known: Sequence[str]) -> str | None:
    """Why this code, which knows these revisions, cannot run on the schema, in one line; None
    where it can."""
    current, head = _read_revision(connection), known[-1]
    if current == head:
        return None
    if current is None or current in known:
        return (
            f"The database schema (revision {current or 'none'}) is older than this version needs"
            f" (revision {head}): run `opik-assist migrate` or `alembic upgrade head`."
        )
    oldest_code = _read_oldest_code(connection)
    if oldest_code in known:
        return None
    return (
        f"The database schema (revision {current}) is newer than this version can use"
        f" (revision {head}): run a newer version of the service."
    )


async def _connect_with_retries(
    engine: "AsyncEngine", *, attempts: int, delay: float, sleep: Sleep
) -> "AsyncConnection":
    attempts = max(attempts, 1)
    for attempt in range(1, attempts + 1):
        try:
            return await _connect(engine)
        except (DBAPIError, PoolTimeout, OSError) as error:
            why = describe_error(error)
            if _is_login_refused(error):
                raise StartRefused(
                    f"The database refuses the user name or password of SESSION_SERVICE_URI: {why}"
                ) from None
        log.warning("database_not_ready", attempt=attempt, of=attempts, reason=why)
        if attempt < attempts:
            await sleep(delay)
    raise StartRefused(f"The database could not be used in {attempts} attempts: {why}")


def _is_login_refused(error: Exception) -> bool:
    """Whether waiting will not help, unlike for a server or a database that comes up later."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    return cause is not None and cause.args[:1] in _LOGIN_REFUSED_CODES


_LOGIN_REFUSED_CODES = ((1045,), (1698,))
"""MySQL's and MariaDB's codes for a wrong password, and for a user who may not use one."""


async def _connect(engine: "AsyncEngine") -> "AsyncConnection":
    # The driver's own limit ends with TCP. SQLite bounds its waits itself, one after the other.
    seconds = REACH_SECONDS if storage_kind(engine.url) == "mysql" else None
    with anyio.fail_after(seconds, shield=True):
        connection = await engine.connect()
        try:
            await connection.begin()
            if storage_kind(engine.url) == "mysql":
                # Closed at the end instead of going back to the pool with its own limits.
                await connection.run_sync(lambda sync: sync.detach())
                await connection.execute(_MYSQL_NO_TIME_LIMIT)
        except BaseException:
            await connection.close()
            raise
    return connection


@asynccontextmanager
async def _named_lock(connection: "AsyncConnection", sleep: Sleep) -> AsyncIterator[None]:
    name = lock_name(await connection.scalar(select(func.database())) or "")
    for _ in range(_LOCK_ATTEMPTS):
        if await connection.scalar(select(func.get_lock(name, _LOCK_SECONDS))) == 1:
            break
        log.info("migration_awaited")
        # The server has waited already; this raises where the process is to end.
        await sleep(0)
    else:
        raise StartRefused("Another process has been migrating the database for too long.")
    try:
        yield
    finally:
        # A connection that is gone holds no lock.
        with anyio.CancelScope(shield=True), suppress(DBAPIError):
            await connection.rollback()
            await connection.scalar(select(func.release_lock(name)))


def _upgrade_schema(connection: Connection, *, migrate: bool) -> None:
    known = list_revisions()
    current, head = _read_revision(connection), known[-1]
    fault = find_schema_fault(connection, known)
    if fault is None:
        if current != head:
            log.warning("schema_newer", revision=current, ours=head)
        return
    if not migrate or current not in {None, *known}:
        raise StartRefused(fault)
    from alembic import command

    command.upgrade(_build_config(connection), "head")
    log.info("schema_migrated", before=current, revision=head)


def move_schema(connection: Connection, revision: str) -> None:
    """Upgrades or downgrades the schema to a revision of this code; raises StartRefused else."""
    from alembic import command

    known = list_revisions()
    current = _read_revision(connection)
    if revision not in known or current not in {None, *known}:
        unknown = revision if revision not in known else current
        raise StartRefused(f"This version knows no revision {unknown}, only {', '.join(known)}.")
    config = _build_config(connection)
    if current is not None and known.index(revision) < known.index(current):
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)
    log.info("schema_migrated", before=current, revision=revision)


def _build_config(connection: Connection) -> "Config":
    """Alembic's configuration for work on this connection."""
    from alembic.config import Config

    config = Config(str(_ALEMBIC_INI))
    config.attributes["connection"] = connection
    return config


def _read_revision(connection: Connection) -> str | None:
    """The schema's revision; None for an empty database."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.scalar(select(column("version_num")).select_from(table(VERSION_TABLE)))


def _read_oldest_code(connection: Connection) -> str | None:
    """None also for a schema without a table of facts, which is not ours."""
    if not inspect(connection).has_table(facts.name):
        return None
    return connection.scalar(select(facts.c.value).where(facts.c.name == OLDEST_CODE))


CHECK_SECONDS = 15
"""What a connection and a statement may take together."""
LEAST_DISK_BYTES = 4_000_000
"""Less is free on the disk of an SQLite file that is full: one turn may write as much."""
_INSERT_NOTHING = events.insert().from_select(events.c.keys(), select(events).where(false()))


def _has_full_disk(file: str | None) -> bool:
    """Whether the disk of an SQLite file is full, which no small write needs to notice."""
    if not file or not Path(file).parent.exists():
        return False
    return shutil.disk_usage(Path(file).parent).free < LEAST_DISK_BYTES


class SchemaCheck:
    def __init__(
        self,
        engine: "AsyncEngine",
        *,
        seconds: float = CHECK_SECONDS,
        is_disk_full: Callable[[], bool] = lambda: False,
    ) -> None:
        """`seconds` is the most that a check takes on a slow or hanging database.

        `is_disk_full` says whether writes of others have failed for it.
        """
        self._is_disk_full = is_disk_full
        self._file = engine.url.database if storage_kind(engine.url) == "sqlite" else None
        # A probe asks again soon: no attempt is repeated here.
        self._transactions = Transactions(engine, attempts=1, sleep=anyio.sleep, seconds=seconds)
        self._known = list_revisions()

    def limit_time(self, seconds: float) -> None:
        """From now on a check, also one under way, has at most so many seconds."""
        self._transactions.limit_time(seconds)

    async def find_fault(self) -> str | None:
        """Why this code cannot run on the schema, in one line; raises DatabaseUnavailable."""
        return await self._transactions.run(self._check)

    async def find_fault_for_turns(self) -> str | None:
        """The same; raises DatabaseUnavailable also where events cannot be written."""
        return await self._transactions.run(self._check_and_write)

    def _check(self, db: Connection) -> str | None:
        return find_schema_fault(db, self._known)

    def _check_and_write(self, db: Connection) -> str | None:
        if self._is_disk_full() or _has_full_disk(self._file):
            raise DatabaseUnavailable("The disk of the assistant's database is full.")
        fault = self._check(db)
        if fault is None:
            db.execute(_INSERT_NOTHING)
        return fault
