"""Conversations, their turns, events and feedback, and the facts about this schema.

MySQL commits after each table, and a migration that was interrupted runs again from its start: so
every statement skips what exists already.
"""

import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None

OLDEST_CODE = "0001"

SESSIONS = "opik_assist_sessions"
TABLE: dict[str, Any] = {
    "if_not_exists": True,
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}


def upgrade() -> None:
    _create_sessions()
    _create_turns()
    _create_events()
    _create_feedback()
    _create_facts()


def downgrade() -> None:
    for name in ("facts", "feedback", "events", "turns", "sessions"):
        op.drop_table(f"opik_assist_{name}", if_exists=True)


def _create_sessions() -> None:
    op.create_table(
        SESSIONS,
        sa.Column("id", _id(), nullable=False),
        sa.Column("workspace", _name(), nullable=False),
        sa.Column("owner", _name(), nullable=False),
        sa.Column("trace_id", _id(), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("marker", _ascii(32), nullable=False),
        sa.Column("active_turn_id", _id()),
        sa.Column("next_sequence", sa.Integer, nullable=False),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("updated_at", _time(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{SESSIONS}"),
        sa.UniqueConstraint("workspace", "owner", "trace_id", "number", name=f"uq_{SESSIONS}"),
        **TABLE,
    )


def _create_turns() -> None:
    name = "opik_assist_turns"
    op.create_table(
        name,
        sa.Column("session_id", _id(), nullable=False),
        sa.Column("id", _id(), nullable=False),
        sa.Column("parent_turn_id", _id()),
        sa.Column("state", _ascii(16), nullable=False),
        sa.Column("lease_until", _time(), nullable=False),
        sa.Column("model", _name(), nullable=False),
        sa.Column("prompt_tokens", sa.Integer, nullable=False),
        sa.Column("completion_tokens", sa.Integer, nullable=False),
        sa.Column("cached_tokens", sa.Integer, nullable=False),
        sa.Column("reasoning_tokens", sa.Integer, nullable=False),
        sa.Column("started_at", _time(), nullable=False),
        sa.Column("ended_at", _time()),
        sa.PrimaryKeyConstraint("session_id", "id", name=f"pk_{name}"),
        _of_session(name),
        **TABLE,
    )


def _create_events() -> None:
    name = "opik_assist_events"
    op.create_table(
        name,
        sa.Column("id", _id(), nullable=False),
        sa.Column("session_id", _id(), nullable=False),
        sa.Column("turn_id", _id(), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("type", _ascii(32), nullable=False),
        sa.Column("payload", _long_text(), nullable=False),
        sa.Column("created_at", _time(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sa.UniqueConstraint("session_id", "sequence", name=f"uq_{name}_session_id_sequence"),
        _of_session(name),
        **TABLE,
    )


def _create_feedback() -> None:
    name = "opik_assist_feedback"
    op.create_table(
        name,
        sa.Column("session_id", _id(), nullable=False),
        sa.Column("value", sa.SmallInteger, nullable=False),
        sa.Column("updated_at", _time(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", name=f"pk_{name}"),
        sa.CheckConstraint("value IN (0, 1)", name=op.f(f"ck_{name}_value")),
        _of_session(name),
        **TABLE,
    )


def _create_facts() -> None:
    name = "opik_assist_facts"
    op.create_table(
        name,
        sa.Column("name", _ascii(64), nullable=False),
        sa.Column("value", _name(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=f"pk_{name}"),
        **TABLE,
    )
    facts = sa.table(name, sa.column("name", sa.String), sa.column("value", sa.String))
    known = set(op.get_bind().scalars(sa.select(facts.c.name)))
    fresh = {"owner_key": secrets.token_hex(32), "oldest_code_revision": OLDEST_CODE}
    for fact in fresh.keys() - known:
        op.execute(facts.insert().values(name=fact, value=fresh[fact]))


def _of_session(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_session_id"
    return sa.ForeignKeyConstraint(["session_id"], [f"{SESSIONS}.id"], name, ondelete="CASCADE")


def _ascii(length: int) -> Any:
    exact = mysql.VARCHAR(length, charset="ascii", collation="ascii_bin")
    return sa.String(length).with_variant(exact, "mysql")


def _id() -> Any:
    exact = mysql.CHAR(36, charset="ascii", collation="ascii_bin")
    return sa.CHAR(36).with_variant(exact, "mysql")


def _name() -> Any:
    exact = mysql.VARCHAR(255, charset="utf8mb4", collation="utf8mb4_bin")
    return sa.String(255).with_variant(exact, "mysql")


def _long_text() -> Any:
    long = mysql.LONGTEXT(charset="utf8mb4", collation="utf8mb4_bin")
    return sa.Text().with_variant(long, "mysql")


def _time() -> Any:
    return sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")
