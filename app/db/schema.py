"""The tables of the service, in a database that may hold tables of others as well.

Every name carries the prefix and every constraint has a name of its own, so that a migration can
name it. Collations are explicit: MySQL's defaults ignore case and accents, and MariaDB's compare
all emoji as equal. Times are UTC by the database's clock, never by a process's.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    CHAR,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    literal,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

PREFIX = "opik_assist_"
VERSION_TABLE = f"{PREFIX}alembic_version"

OWNER_KEY = "owner_key"
IMPORTED = "imported"
OLDEST_CODE = "oldest_code_revision"


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC, to the microsecond; the column itself has no time zone."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "mysql":
            # Imported only there, for its 4 MB and a twentieth of a start.
            from sqlalchemy.dialects import mysql

            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class utc_in(FunctionElement[datetime]):  # noqa: N801 - reads as the SQL function that it is
    """The database's own time, moved by some seconds (negative for the past)."""

    type = UtcDateTime()
    inherit_cache = True
    name = "utc_in"

    def __init__(self, seconds: float | str) -> None:
        """`seconds`, or the name of a statement's parameter that holds whole microseconds."""
        if isinstance(seconds, str):
            super().__init__(bindparam(seconds, type_=BigInteger()))
        else:
            super().__init__(literal(to_microseconds(seconds), BigInteger()))


def to_microseconds(seconds: float) -> int:
    return round(seconds * 1_000_000)


def utc_now() -> utc_in:
    """The database's own time."""
    return utc_in(0)


@compiles(utc_in, "mysql")
def _utc_in_mysql(element: utc_in, compiler: SQLCompiler, **kw: Any) -> str:
    return f"TIMESTAMPADD(MICROSECOND, {compiler.process(element.clauses, **kw)}, UTC_TIMESTAMP(6))"


@compiles(utc_in, "sqlite")
def _utc_in_sqlite(element: utc_in, compiler: SQLCompiler, **kw: Any) -> str:
    # The text must look like the one that SQLAlchemy writes (six digits), or the two would not
    # compare; SQLite's own clock has three.
    shift = f"({compiler.process(element.clauses, **kw)} / 1000000.0) || ' seconds'"
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', {shift})"


def _ascii(length: int) -> TypeEngine[str]:
    return String(length).with_variant(String(length, collation="ascii_bin"), "mysql")


def _id() -> TypeEngine[str]:
    return CHAR(36).with_variant(CHAR(36, collation="ascii_bin"), "mysql")


def _name() -> TypeEngine[str]:
    return String(255).with_variant(String(255, collation="utf8mb4_bin"), "mysql")


class _LongText(TypeDecorator[str]):
    """A text of any length, which MySQL's TEXT does not hold."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "mysql":
            from sqlalchemy.dialects import mysql

            return dialect.type_descriptor(
                mysql.LONGTEXT(charset="utf8mb4", collation="utf8mb4_bin")
            )
        return dialect.type_descriptor(Text())


def _count() -> TypeEngine[int]:
    """64 bits: SQLite's integers have them under any name."""
    return BigInteger().with_variant(Integer, "sqlite")


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _session_key() -> ForeignKey:
    return ForeignKey(f"{PREFIX}sessions.id", ondelete="CASCADE")


sessions = Table(
    f"{PREFIX}sessions",
    metadata,
    Column("id", _id(), primary_key=True),
    Column("workspace", _name(), nullable=False),
    Column("owner", _name(), nullable=False),
    Column("trace_id", _id(), nullable=False),
    Column("number", Integer, nullable=False),
    Column("marker", _ascii(32), nullable=False),
    Column("title", _name()),
    Column("active_turn_id", _id()),
    Column("next_sequence", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("workspace", "owner", "trace_id", "number", name="uq_opik_assist_sessions"),
    Index(None, "updated_at"),
)

# The key begins with the session: every statement asks for it, and MySQL uses the key as the
# foreign key's index too.
turns = Table(
    f"{PREFIX}turns",
    metadata,
    Column("session_id", _id(), _session_key(), nullable=False),
    Column("id", _id(), nullable=False),
    Column("parent_turn_id", _id()),
    Column("state", _ascii(16), nullable=False),
    Column("lease_until", UtcDateTime, nullable=False),
    Column("model", _name(), nullable=False),
    Column("prompt_tokens", _count(), nullable=False),
    Column("completion_tokens", _count(), nullable=False),
    Column("cached_tokens", _count(), nullable=False),
    Column("reasoning_tokens", _count(), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("unfinished_reply", _LongText()),
    PrimaryKeyConstraint("session_id", "id"),
    Index(None, "lease_until"),
)

events = Table(
    f"{PREFIX}events",
    metadata,
    Column("id", _id(), primary_key=True),
    Column("session_id", _id(), _session_key(), nullable=False),
    Column("turn_id", _id(), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("type", _ascii(32), nullable=False),
    Column("payload", _LongText(), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("session_id", "sequence"),
)

feedback = Table(
    f"{PREFIX}feedback",
    metadata,
    Column("session_id", _id(), _session_key(), primary_key=True),
    Column("value", SmallInteger, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    CheckConstraint("value IN (0, 1)", name="value"),
)

# What is known about the schema and this database: the oldest code, the key of owner names.
facts = Table(
    f"{PREFIX}facts",
    metadata,
    Column("name", _ascii(64), primary_key=True),
    Column("value", _name(), nullable=False),
)

# One row for each workspace, locked while a turn is admitted, so that turns are counted one by one.
workspaces = Table(f"{PREFIX}workspaces", metadata, Column("name", _name(), primary_key=True))

# Admitted turns and their tokens: kept for a day, also when their conversation is deleted.
admissions = Table(
    f"{PREFIX}admissions",
    metadata,
    Column("turn_id", _id(), primary_key=True),
    Column("workspace", _name(), nullable=False),
    Column("owner", _name(), nullable=False),
    Column("admitted_at", UtcDateTime, nullable=False),
    Column("tokens", _count(), nullable=False),
    Index(None, "workspace", "admitted_at"),
    Index(None, "admitted_at"),
)

# Leases of work that one process at a time does for all.
chores = Table(
    f"{PREFIX}chores",
    metadata,
    Column("name", _ascii(64), primary_key=True),
    Column("holder", _id(), nullable=False),
    Column("lease_until", UtcDateTime, nullable=False),
)
