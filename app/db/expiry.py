"""Removes conversations in which nothing has happened for a long time, a few at a time."""

from collections.abc import Awaitable, Callable

import anyio
from sqlalchemy import ColumnElement, and_, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.db.chores import hold
from app.db.quotas import alive, purge
from app.db.tables import sessions, turns, utc_in
from app.db.transactions import Transactions

CHORE = "retention"
BATCH_CONVERSATIONS = 50
BATCH_EVENTS = 500
"""A batch is over before it passes this, unless its first conversation alone does."""


class Expiry:
    """`days` without an event make a conversation one to remove; one process at a time does it."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        days: float,
        holder: str,
        lease_seconds: float,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        """`holder` is this process's own id (a UUID), with which it holds the lease."""
        self._transactions = Transactions(engine, attempts=3, sleep=sleep)
        self._seconds = days * 86_400
        self._holder = holder
        self._lease_seconds = lease_seconds

    async def remove_some(self) -> set[str] | None:
        """Removes the oldest and returns their ids; None while another process does this.

        One short transaction; none are left once it returns none. Conversations with a living turn
        stay. Raises DatabaseUnavailable.
        """
        gone: set[str] = set()
        held = await self._transactions.run(lambda db: self._remove_some(db, gone))
        return gone if held else None

    async def _remove_some(self, db: AsyncConnection, gone: set[str]) -> bool:
        if not await hold(db, CHORE, self._holder, seconds=self._lease_seconds):
            return False
        await purge(db)
        if ids := await self._oldest(db):
            # By their keys: whoever writes into a conversation locks it by its key, too.
            locked = select(sessions.c.id).where(sessions.c.id.in_(ids), self._expired())
            found = list(await db.scalars(locked.order_by(sessions.c.id).with_for_update()))
            await db.execute(delete(sessions).where(sessions.c.id.in_(found)))
            gone.update(found)
        return True

    async def _oldest(self, db: AsyncConnection) -> list[str]:
        query = (
            select(sessions.c.id, sessions.c.next_sequence - 1)
            .where(self._expired())
            .order_by(sessions.c.updated_at)
            .limit(BATCH_CONVERSATIONS)
        )
        chosen: list[str] = []
        events_in_all = 0
        for session_id, events in await db.execute(query):
            events_in_all += events
            if chosen and events_in_all > BATCH_EVENTS:
                break
            chosen.append(session_id)
        return chosen

    def _expired(self) -> ColumnElement[bool]:
        living = exists().where(
            turns.c.session_id == sessions.c.id, turns.c.id == sessions.c.active_turn_id, alive()
        )
        return and_(sessions.c.updated_at < utc_in(-self._seconds), ~living)
