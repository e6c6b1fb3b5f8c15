"""Creates the database engine and configures each of its connections."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import QueuePool

from app.db.local_engine import LocalEngine

if TYPE_CHECKING:
    # Imported where the database is MySQL, for the reason that `LocalEngine` gives.
    from sqlalchemy.ext.asyncio import AsyncEngine

CONNECT_SECONDS = 5
LOCK_WAIT_SECONDS = 5
"""Three attempts that each wait for both fit into what a unit of work may take (30 s)."""
STATEMENT_SECONDS = 10
"""Statements take milliseconds; one of a client that is gone keeps its locks for as long."""
MYSQL_CONNECTIONS = 20
"""The most at once in a process: half of them stay open."""
_STATEMENT_BYTES = 1_000
"""Allowance for the statement around an event's text."""

MAX_EVENT_BYTES = "event_bytes"
"""Key of a connection's `info`: the most bytes of one event, where the server has a limit."""

# When a client is lost, the server goes on with its statement and keeps its locks: both are short.
# Each server kind skips the other's executable comment: only MariaDB knows max_statement_time
# (seconds, every statement), only MySQL max_execution_time (milliseconds, SELECT).
_MYSQL_SESSION = (
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', SESSION sql_notes = 0,"
    f" SESSION innodb_lock_wait_timeout = {LOCK_WAIT_SECONDS},"
    f" SESSION lock_wait_timeout = {LOCK_WAIT_SECONDS}"
    f" /*M!100101 , SESSION max_statement_time = {STATEMENT_SECONDS} */"
    f" /*!50708 , SESSION max_execution_time = {STATEMENT_SECONDS * 1000} */"
)

# The busy timeout comes first: the change to WAL already competes with other processes.
_SQLITE_PRAGMAS = (
    "PRAGMA busy_timeout = 5000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
)

_POOL_LOGGER = "sqlalchemy.pool.impl.AsyncAdaptedQueuePool"
_LOST_CONNECTION_CODES = ((2006,), (2013,), (2014,), (2055,))
"""MySQL's error codes for a lost connection."""

StorageKind = Literal["mysql", "sqlite"]


def storage_kind(url: URL) -> StorageKind:
    """Which family of databases an address belongs to; MariaDB counts as MySQL."""
    return "sqlite" if url.get_backend_name() == "sqlite" else "mysql"


def describe_database(url: URL) -> str:
    """The address as operators write it, without the password, the driver and the options."""
    plain = url.set(drivername=url.get_backend_name(), query={})
    return plain.render_as_string(hide_password=True)


def describe_error(error: Exception) -> str:
    """A driver's error in one short line. Drivers never quote the password; the message of a
    violated constraint would quote the row."""
    if type(error) is TimeoutError:
        return "it accepted the connection and sent nothing"
    if isinstance(error, IntegrityError):
        return "a constraint is violated"
    cause = error.orig if isinstance(error, DBAPIError) else error
    return f"{type(cause).__name__}: {' '.join(str(cause).split())[:200]}"


def create_engine(url: URL, *, pool_recycle: int) -> "AsyncEngine":
    """An engine for an address with one of our drivers (`mysql+asyncmy`, `sqlite+pysqlite`).

    `pool_recycle` is the age in seconds at which a MySQL connection is renewed, -1 for never.
    Nothing is connected yet. An engine belongs to one event loop; `dispose` ends it.

    Its async connections work in the calling thread where the database is SQLite, so they block
    the event loop: while requests are served, all work is done by `Transactions`.
    """
    if storage_kind(url) == "sqlite":
        return cast("AsyncEngine", _create_sqlite_engine(url))
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(
        url,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_recycle=pool_recycle,
        pool_size=MYSQL_CONNECTIONS // 2,
        max_overflow=MYSQL_CONNECTIONS // 2,
        pool_timeout=10,
        hide_parameters=True,
        connect_args={"connect_timeout": CONNECT_SECONDS, "init_command": _MYSQL_SESSION},
    )
    event.listen(engine.sync_engine, "connect", _read_packet_limit)
    logging.getLogger(_POOL_LOGGER).addFilter(_is_no_lost_connection)
    logging.getLogger("asyncmy").addFilter(_is_no_key_name)
    return engine


def _is_no_key_name(record: logging.LogRecord) -> bool:
    """Filters the driver's log: MariaDB warns of each primary key that a migration names."""
    return "ignored for PRIMARY key" not in record.getMessage()


def _is_no_lost_connection(record: logging.LogRecord) -> bool:
    """Filters the pool's log: a connection that broke while it was idle is no news.

    The pool replaces it. Work that is cut short is logged by `Transactions`.
    """
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, Exception) and error.args[:1] in _LOST_CONNECTION_CODES)


def _read_packet_limit(connection: Any, record: Any) -> None:
    """Reads how large a packet may be; a larger one ends the connection.

    An event gets half of it, since escaping may double the length of a text.
    """
    cursor = connection.cursor()
    cursor.execute("SELECT @@max_allowed_packet")
    record.info[MAX_EVENT_BYTES] = (cursor.fetchone()[0] - _STATEMENT_BYTES) // 2
    cursor.close()


def _create_sqlite_engine(url: URL) -> LocalEngine:
    """One connection for the whole process: SQLite has one writer, and a second one only waits.

    With the driver's default transactions two writers lose updates without any error, so it leaves
    transactions to us, and each one begins as a write. The standard library's driver serves here,
    from any thread: an async one moves to its thread and back for every statement.
    """
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sqlalchemy.create_engine(
        url,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=15,
        hide_parameters=True,
        connect_args={"check_same_thread": False},
    )
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return LocalEngine(engine)


def _configure_sqlite(connection: Any, _record: Any) -> None:
    try:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _SQLITE_PRAGMAS:
            cursor.execute(pragma)
        cursor.close()
    except BaseException:
        connection.close()
        raise


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
