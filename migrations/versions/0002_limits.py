"""Tables that limits are counted in, leases for chores, and the indexes that both need.

Code of the previous revision runs on this schema: it does not use the new tables, and the limits
do not count its turns. MySQL commits after each statement, so each skips what exists already.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"

OLDEST_CODE = "0001"
OLDEST_CODE_BEFORE = "0001"

WORKSPACES = "opik_assist_workspaces"
ADMISSIONS = "opik_assist_admissions"
CHORES = "opik_assist_chores"
TABLE: dict[str, Any] = {
    "if_not_exists": True,
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}
INDEXES = {
    "ix_opik_assist_turns_lease_until": ("opik_assist_turns", ["lease_until"]),
    "ix_opik_assist_sessions_updated_at": ("opik_assist_sessions", ["updated_at"]),
    f"ix_{ADMISSIONS}_workspace_admitted_at": (ADMISSIONS, ["workspace", "admitted_at"]),
    f"ix_{ADMISSIONS}_admitted_at": (ADMISSIONS, ["admitted_at"]),
}


def upgrade() -> None:
    op.create_table(
        WORKSPACES,
        sa.Column("name", _name(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=f"pk_{WORKSPACES}"),
        **TABLE,
    )
    op.create_table(
        ADMISSIONS,
        sa.Column("turn_id", _id(), nullable=False),
        sa.Column("workspace", _name(), nullable=False),
        sa.Column("owner", _name(), nullable=False),
        sa.Column("admitted_at", _time(), nullable=False),
        sa.Column("tokens", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("turn_id", name=f"pk_{ADMISSIONS}"),
        **TABLE,
    )
    op.create_table(
        CHORES,
        sa.Column("name", _ascii(64), nullable=False),
        sa.Column("holder", _id(), nullable=False),
        sa.Column("lease_until", _time(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=f"pk_{CHORES}"),
        **TABLE,
    )
    for name, (table, columns) in INDEXES.items():
        if name not in _indexes(table):
            op.create_index(name, table, columns)
    _admit(OLDEST_CODE)


def downgrade() -> None:
    for name, (table, _) in INDEXES.items():
        if table != ADMISSIONS and name in _indexes(table):
            op.drop_index(name, table)
    for table in (CHORES, ADMISSIONS, WORKSPACES):
        op.drop_table(table, if_exists=True)
    _admit(OLDEST_CODE_BEFORE)


def _admit(revision: str) -> None:
    facts = sa.table("opik_assist_facts", sa.column("name"), sa.column("value"))
    op.execute(facts.update().where(facts.c.name == "oldest_code_revision").values(value=revision))


def _indexes(table: str) -> set[str | None]:
    return {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}


def _ascii(length: int) -> Any:
    exact = mysql.VARCHAR(length, charset="ascii", collation="ascii_bin")
    return sa.String(length).with_variant(exact, "mysql")


def _id() -> Any:
    exact = mysql.CHAR(36, charset="ascii", collation="ascii_bin")
    return sa.CHAR(36).with_variant(exact, "mysql")


def _name() -> Any:
    exact = mysql.VARCHAR(255, charset="utf8mb4", collation="utf8mb4_bin")
    return sa.String(255).with_variant(exact, "mysql")


def _time() -> Any:
    return sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")
