"""Writes the events of a turn to the database, in order.

While the database is available, an event is stored before it is shown, but for those that are added
for later and for the words of a reply under way, which are stored every second. While it is not,
events wait in memory and the turn continues. One task does all writing of a turn, the lease
included, but for words, which `GrowingReplies` stores for all turns together. In no case has a turn
two transactions at a time. Each entry has an id by which the store recognises a repetition: a
write whose outcome is unknown is repeated.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import uuid4

import anyio
import structlog

from app.db.event_rows import EventEntry, TurnKey
from app.db.event_size import measure_event, shrink_event
from app.db.growing_replies import PROGRESS_SECONDS
from app.db.store import Store
from app.errors import DatabaseUnavailable, TurnLost
from app.events import QuestionsSuggested, StoredEvent, TerminalEvent
from app.messages import TokenUsage

log = structlog.get_logger(__name__)

MAX_PENDING_BYTES = 4_000_000
"""Bounds the memory of a turn in an outage: 100 turns then hold at most 400 MB."""
MIN_EVENT_BYTES = 4_000
"""What is kept of each event beyond that."""
LEASE_SECONDS = 20.0
"""How long a conversation stays taken by a process that died. Three failed renewals, one every 5 s,
cost no turn."""
RENEWAL_PART = 1 / 4
"""Of a lease that passes until it is renewed."""
SHOW_SECONDS = 2.0
"""How long an event waits to be stored before it is shown all the same."""
STORE_PAUSE_SECONDS = 1.0
"""Between two attempts to store."""
END_SECONDS = 10.0
"""How long a turn that is over goes on trying; then its answer says that it was not stored."""


@dataclass(frozen=True, slots=True)
class StorageTimeouts:
    """How long a turn waits for the database, and holds its conversation; seconds.

    `lease` is how long it holds the conversation without renewing; it renews after a quarter.
    `end` is for the last events, after the answer. `event` is the wait before an event is shown
    that is not stored yet: users take a longer one for a hanging answer. `pause` is between two
    attempts.
    """

    lease: float
    event: float
    pause: float
    end: float


@dataclass(frozen=True, slots=True)
class TurnEnding:
    """The last events of a turn and the values of its row."""

    event: TerminalEvent
    usage: TokenUsage
    model: str
    suggested: QuestionsSuggested | None


@dataclass(frozen=True, slots=True)
class _PendingEvent:
    """An entry that is not stored yet; `settled` is set when `add` need not wait any longer."""

    entry: EventEntry
    size: int
    settled: anyio.Event = field(default_factory=anyio.Event)


class EventWriter:
    """Stores events without losing, repeating or reordering any, also through outages.

    It holds about MAX_PENDING_BYTES in memory; events beyond that are cut and marked.
    """

    def __init__(
        self,
        store: Store,
        key: TurnKey,
        *,
        timeouts: StorageTimeouts,
        on_lost: Callable[[], None],
        read_unfinished: Callable[[], str],
        label: Mapping[str, str],
    ) -> None:
        """`on_lost` is called when the conversation was lost; `label` is added to log lines.

        `read_unfinished` returns the reply that is under way as JSON, "" where there is none.
        """
        self._store = store
        self.key = key
        self._timeouts = timeouts
        self._on_lost = on_lost
        self._label = label
        self._pending: list[_PendingEvent] = []
        self._changed = anyio.Event()
        self._writing = anyio.Lock()
        self._renewal_due_at = 0.0
        self._due_at = math.inf
        self._read_unfinished = read_unfinished
        self._unfinished_stored = ""
        self._grows = False
        self._tokens_used = 0
        self._tokens_stored = 0
        self.database_failing = False
        """Whether the last attempt to store failed or takes long."""
        self._closed = False
        self._lost = False

    def add_later(self, *events: StoredEvent) -> None:
        """Stores the events with the next ones, with the turn's end or with its lease.

        Raises TurnLost like `add`.
        """
        for event in events:
            self._add_pending(event)
        if self._lost:
            raise _turn_lost()

    async def add(self, *events: StoredEvent) -> None:
        """Returns when the events are stored, or queued while the database is unavailable.

        Raises TurnLost when the conversation was deleted or taken over.
        """
        pending = [self._add_pending(event) for event in events]
        self.store_soon()
        with anyio.move_on_after(self._timeouts.event):
            await pending[-1].settled.wait()
        if not pending[-1].settled.is_set():
            self._note_failure("slow")
        if self._lost:
            raise _turn_lost()

    def set_tokens_used(self, tokens: int) -> None:
        """Sets the turn's tokens so far, stored even if it loses its conversation."""
        self._tokens_used = tokens
        self._store_within(PROGRESS_SECONDS)

    def note_progress(self) -> None:
        """The reply that is under way has grown; what it is by then is stored in a moment."""
        if not self._grows:
            self._grows = True
            self._store.growing_replies.add(self)

    def store_soon(self) -> None:
        self._store_within(0)

    def begin_storing(self) -> str | None:
        self._grows = False
        if self._pending:
            # Stored in one transaction with them.
            self.store_soon()
        if self._pending or self._closed or self._lost:
            return None
        unfinished = self._read_unfinished()
        if unfinished == self._unfinished_stored:
            return None
        try:
            self._writing.acquire_nowait()
        except anyio.WouldBlock:
            self.note_progress()
            return None
        return unfinished

    def end_storing(self, stored: str | None) -> None:
        self._writing.release()
        if stored is not None:
            self._unfinished_stored = stored

    def _store_within(self, seconds: float) -> None:
        # Also called by a timer, where anyio knows no clock.
        due_at = asyncio.get_running_loop().time() + seconds
        if due_at < self._due_at:
            self._due_at = due_at
            self._changed.set()

    async def run(self) -> None:
        """Stores what is added and renews the lease, until the turn is closed or lost."""
        self._renewal_due_at = anyio.current_time() + self._timeouts.lease * RENEWAL_PART
        while not (self._lost or self._closed):
            await self._wait_for_work()
            await self._store_once()
        if self._lost and not self._closed:
            self._on_lost()

    async def _store_once(self) -> None:
        async with self._writing:
            if self._closed:
                return
            done = await self._attempt(self._store_pending)
        if not done and not self._lost:
            self.store_soon()
            await anyio.sleep(self._timeouts.pause)

    async def close(self, ending: TurnEnding, *, seconds: float) -> bool:
        """Stores the pending events and the turn's end; False if that failed for `seconds`.

        A write that has begun is waited for. Raises TurnLost like `add`. Nothing can be added
        afterwards.
        """
        self._closed = True
        self._forget_progress()
        if ending.suggested is not None:
            self._add_pending(ending.suggested)
        self._add_pending(ending.event)
        deadline = anyio.current_time() + seconds
        async with self._writing:
            while not (self.database_failing and anyio.current_time() >= deadline):
                if await self._attempt(lambda: self._store_end(ending)):
                    return True
                if self._lost:
                    raise _turn_lost()
                await anyio.sleep(self._timeouts.pause)
        log.error("turn_storage_failed", events=len(self._pending), **self._label)
        return False

    def _add_pending(self, event: StoredEvent) -> _PendingEvent:
        available_bytes = MAX_PENDING_BYTES - sum(each.size for each in self._pending)
        kept = shrink_event(event, max(available_bytes, MIN_EVENT_BYTES))
        pending = _PendingEvent(EventEntry(str(uuid4()), kept), measure_event(kept))
        if self.database_failing or self._lost:
            pending.settled.set()
        self._pending.append(pending)
        return pending

    async def _wait_for_work(self) -> None:
        """Waits until something has to be stored now or the lease has to be renewed."""
        while True:
            wait = min(self._due_at, self._renewal_due_at) - anyio.current_time()
            if wait <= 0:
                return
            self._changed = anyio.Event()
            with anyio.move_on_after(wait):
                await self._changed.wait()

    async def _store_pending(self) -> None:
        self._due_at = math.inf
        self._forget_progress()
        pending, due = list(self._pending), anyio.current_time() >= self._renewal_due_at
        tokens, unfinished = self._tokens_used, self._read_unfinished()
        await self._store.append(
            self.key,
            [each.entry for each in pending],
            lease_seconds=self._timeouts.lease if due else None,
            tokens=None if tokens == self._tokens_stored else tokens,
            unfinished=None if unfinished == self._unfinished_stored else unfinished,
        )
        if due:
            self._renewal_due_at = anyio.current_time() + self._timeouts.lease * RENEWAL_PART
        self._tokens_stored, self._unfinished_stored = tokens, unfinished
        self._mark_stored(pending)

    def _forget_progress(self) -> None:
        self._grows = False
        self._store.growing_replies.discard(self)

    async def _store_end(self, ending: TurnEnding) -> None:
        pending, tokens = list(self._pending), self._tokens_used
        await self._store.end_turn(
            self.key,
            [each.entry for each in pending],
            usage=ending.usage,
            model=ending.model,
            tokens=None if tokens == self._tokens_stored else tokens,
        )
        self._tokens_stored = tokens
        self._mark_stored(pending)

    async def _store_lost_tokens(self) -> None:
        """Charges a turn that has lost its conversation for what it used."""
        if self._tokens_used != self._tokens_stored:
            with suppress(DatabaseUnavailable):
                await self._store.record_tokens(self.key.turn_id, self._tokens_used)

    async def _attempt(self, write: Callable[[], Awaitable[None]]) -> bool:
        """Whether the write succeeded; after a failure `add` does not wait any longer."""
        try:
            await write()
        except TurnLost:
            self._lost = True
            self._release_waiters()
            await self._store_lost_tokens()
            return False
        except DatabaseUnavailable as error:
            self._note_failure(error.code)
            return False
        if self.database_failing:
            self.database_failing = False
            log.info("turn_storage_recovered", **self._label)
        return True

    def _note_failure(self, reason: str) -> None:
        if not self.database_failing:
            self.database_failing = True
            log.warning("turn_storage_delayed", reason=reason, **self._label)
        self._release_waiters()

    def _mark_stored(self, stored: list[_PendingEvent]) -> None:
        del self._pending[: len(stored)]
        for each in stored:
            each.settled.set()

    def _release_waiters(self) -> None:
        for each in self._pending:
            each.settled.set()


def _turn_lost() -> TurnLost:
    return TurnLost("This answer has lost its conversation.")
