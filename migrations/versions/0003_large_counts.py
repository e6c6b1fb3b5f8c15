"""Token counts of 64 bits, and the unfinished reply of a running turn.

Code of the earlier revisions runs on this schema. A downgrade cuts counts to what the smaller
columns hold, and drops what running turns have of a reply that is not complete. MySQL commits after
each statement, so each can be repeated.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"

OLDEST_CODE = "0001"
OLDEST_CODE_BEFORE = "0001"

COUNTS = {
    "opik_assist_turns": (
        "prompt_tokens",
        "completion_tokens",
        "cached_tokens",
        "reasoning_tokens",
    ),
    "opik_assist_admissions": ("tokens",),
}
MOST_IN_32_BITS = 2**31 - 1
TURNS, REPLY = "opik_assist_turns", "unfinished_reply"


def upgrade() -> None:
    _change_counts("BIGINT")
    if REPLY not in _columns(TURNS):
        op.add_column(TURNS, sa.Column(REPLY, _long_text()))
    _admit(OLDEST_CODE)


def downgrade() -> None:
    if REPLY in _columns(TURNS):
        op.drop_column(TURNS, REPLY)
    for table, columns in COUNTS.items():
        for name in columns:
            count = sa.column(name, sa.BigInteger)
            large = sa.table(table, count).update().where(count > MOST_IN_32_BITS)
            op.execute(large.values({name: MOST_IN_32_BITS}))
    _change_counts("INTEGER")
    _admit(OLDEST_CODE_BEFORE)


def _change_counts(kind: str) -> None:
    """One statement a table, since MySQL copies the table for each; SQLite's have 64 bits."""
    if op.get_bind().dialect.name == "sqlite":
        return
    for table, columns in COUNTS.items():
        changes = ", ".join(f"MODIFY {name} {kind} NOT NULL" for name in columns)
        op.execute(f"ALTER TABLE {table} {changes}")


def _admit(revision: str) -> None:
    facts = sa.table("opik_assist_facts", sa.column("name"), sa.column("value"))
    op.execute(facts.update().where(facts.c.name == "oldest_code_revision").values(value=revision))


def _columns(table: str) -> set[str]:
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}


def _long_text() -> Any:
    long = mysql.LONGTEXT(charset="utf8mb4", collation="utf8mb4_bin")
    return sa.Text().with_variant(long, "mysql")
