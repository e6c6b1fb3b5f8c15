"""Finds the conversations that have a thumb."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import anyio
from sqlalchemy import Connection, select

from app.db.ownership import fit_column
from app.db.schema import feedback, sessions
from app.db.transactions import Transactions

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine


@dataclass(frozen=True, slots=True)
class RatedConversation:
    """A conversation with its thumb: 1 up, 0 down, given at `rated_at` (UTC)."""

    conversation_id: str
    trace_id: str
    value: int
    rated_at: datetime


async def find_rated_conversations(
    engine: "AsyncEngine", workspace: str
) -> list[RatedConversation]:
    """The conversations of a workspace that have a thumb, oldest thumb first.

    Raises DatabaseUnavailable.
    """
    query = (
        select(sessions.c.id, sessions.c.trace_id, feedback.c.value, feedback.c.updated_at)
        .join(feedback, feedback.c.session_id == sessions.c.id)
        .where(sessions.c.workspace == fit_column(workspace))
        .order_by(feedback.c.updated_at, sessions.c.id)
    )

    def read(db: Connection) -> list[RatedConversation]:
        return [RatedConversation(*row) for row in db.execute(query).all()]

    return await Transactions(engine, attempts=3, sleep=anyio.sleep).run(read)
