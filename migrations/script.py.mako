"""${message}"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}

# The oldest revision whose code may still run on the schema that this migration makes. Keep the
# earlier one while old code does no harm to the new tables; else name this revision.
OLDEST_CODE = ${repr(up_revision)}
OLDEST_CODE_BEFORE = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
    _admit(OLDEST_CODE)


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
    _admit(OLDEST_CODE_BEFORE)


def _admit(revision: str) -> None:
    facts = sa.table("opik_assist_facts", sa.column("name"), sa.column("value"))
    op.execute(
        facts.update().where(facts.c.name == "oldest_code_revision").values(value=revision)
    )
