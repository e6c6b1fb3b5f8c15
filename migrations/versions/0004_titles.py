"""Titles of conversations.

Code of the earlier revisions runs on this schema: it leaves the title out, and its turns follow the
latest one as before. It shows and continues replaced turns as if they were not replaced.
MySQL commits after each statement, so each skips what exists already.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0004"
down_revision = "0003"

OLDEST_CODE = "0001"
OLDEST_CODE_BEFORE = "0001"

SESSIONS = "opik_assist_sessions"


def upgrade() -> None:
    columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns(SESSIONS)}
    if "title" not in columns:
        exact = mysql.VARCHAR(255, charset="utf8mb4", collation="utf8mb4_bin")
        op.add_column(SESSIONS, sa.Column("title", sa.String(255).with_variant(exact, "mysql")))
    _admit(OLDEST_CODE)


def downgrade() -> None:
    """Keeps the column, which earlier code does not use: users gave these titles."""
    _admit(OLDEST_CODE_BEFORE)


def _admit(revision: str) -> None:
    facts = sa.table("opik_assist_facts", sa.column("name"), sa.column("value"))
    op.execute(facts.update().where(facts.c.name == "oldest_code_revision").values(value=revision))
