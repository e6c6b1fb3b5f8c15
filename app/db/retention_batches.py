"""Deletes conversations without recent events, a few in each transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
from sqlalchemy import ColumnElement, Connection, and_, delete, exists, select

from app.db.quotas import delete_old_admissions, has_live_lease
from app.db.schema import chores, events, sessions, turns, utc_in, utc_now
from app.db.transactions import Transactions

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

_CHORE = "retention"


def _acquire_lease(db: Connection, holder: str, *, seconds: float) -> bool:
    """Takes or renews the lease; returns False while another process holds it.

    The lease's row stays locked until the commit, so no other process deletes meanwhile.
    """
    row = db.execute(
        select(chores.c.holder, (chores.c.lease_until > utc_now()).label("alive"))
        .where(chores.c.name == _CHORE)
        .with_for_update()
    ).first()
    values = {"holder": holder, "lease_until": utc_in(seconds)}
    if row is None:
        db.execute(chores.insert().values(name=_CHORE, **values))
        return True
    if row.alive and row.holder != holder:
        return False
    db.execute(chores.update().where(chores.c.name == _CHORE).values(values))
    return True


BATCH_CONVERSATIONS = 50
"""Small enough to hold up other transactions for milliseconds only."""
BATCH_EVENTS = 500
"""The most events of a batch; a longer conversation is shortened from its end first."""


@dataclass(frozen=True, slots=True)
class RemovedBatch:
    """The conversations that were deleted, and how many more were shortened."""

    gone: frozenset[str]
    shortened: int = 0


EMPTY_BATCH = RemovedBatch(frozenset())


class RetentionBatches:
    """Deletes conversations after `days` without an event; one process at a time does it."""

    def __init__(
        self,
        engine: "AsyncEngine",
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

    def limit_time(self, seconds: float) -> None:
        """From now on a transaction, also one under way, has at most so many seconds."""
        self._transactions.limit_time(seconds)

    async def remove_batch(self) -> RemovedBatch | None:
        """Deletes some of the oldest in one short transaction; None while another process does.

        Conversations with a running turn stay. Raises DatabaseUnavailable.
        """
        # Kept over all attempts: after a commit whose outcome is unknown the next finds other rows.
        gone: set[str] = set()
        shortened = await self._transactions.run(lambda db: self._remove_batch(db, gone))
        return None if shortened is None else RemovedBatch(frozenset(gone), shortened)

    def _remove_batch(self, db: Connection, gone: set[str]) -> int | None:
        if not _acquire_lease(db, self._holder, seconds=self._lease_seconds):
            return None
        delete_old_admissions(db)
        if not (ids := self._oldest(db)):
            return 0
        # Locked by their keys, as every writer locks its conversation.
        locked = select(sessions.c.id, sessions.c.next_sequence).where(
            sessions.c.id.in_(ids), self._expired()
        )
        found = db.execute(locked.order_by(sessions.c.id).with_for_update()).all()
        if len(found) == 1 and found[0].next_sequence - 1 > BATCH_EVENTS:
            _shorten_conversation(db, *found[0])
            return 1
        whole = [row.id for row in found]
        db.execute(delete(sessions).where(sessions.c.id.in_(whole)))
        gone.update(whole)
        return 0

    def _oldest(self, db: Connection) -> list[str]:
        query = (
            select(sessions.c.id, sessions.c.next_sequence - 1)
            .where(self._expired())
            .order_by(sessions.c.updated_at)
            .limit(BATCH_CONVERSATIONS)
        )
        chosen: list[str] = []
        events_in_all = 0
        for session_id, own_events in db.execute(query):
            events_in_all += own_events
            if chosen and events_in_all > BATCH_EVENTS:
                break
            chosen.append(session_id)
        return chosen

    def _expired(self) -> ColumnElement[bool]:
        living = exists().where(
            turns.c.session_id == sessions.c.id,
            turns.c.id == sessions.c.active_turn_id,
            has_live_lease(),
        )
        return and_(sessions.c.updated_at < utc_in(-self._seconds), ~living)


def _shorten_conversation(db: Connection, session_id: str, next_sequence: int) -> None:
    """Deletes the last events: the rest still reads as a conversation with the same aliases."""
    first = next_sequence - BATCH_EVENTS
    db.execute(delete(events).where(events.c.session_id == session_id, events.c.sequence >= first))
    db.execute(sessions.update().where(sessions.c.id == session_id).values(next_sequence=first))
