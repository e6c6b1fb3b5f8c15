"""What a turn says, in order, until the database has it.

While the database is well, an event is stored before it is shown. While it is not, events wait here
and the turn goes on. One task of the turn does all its writing, the lease included, so that no two
transactions of a turn ever meet. An entry keeps its id, by which the store knows a repetition: a
write whose outcome is unknown is simply repeated.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from uuid import uuid4

import anyio
import structlog

from app.db.event_size import measure_event, shrink_event
from app.db.store import EventEntry, Store, TurnKey
from app.errors import DatabaseUnavailable, TurnLost
from app.events import StoredEvent, TerminalEvent
from app.messages import TokenUsage

log = structlog.get_logger(__name__)

HELD_BYTES = 4_000_000
LEAST_BYTES = 4_000


@dataclass(frozen=True, slots=True)
class Lease:
    """For how long a turn holds its conversation without a sign of life; seconds."""

    seconds: float = 20

    @property
    def renewal(self) -> float:
        return self.seconds / 4


@dataclass(frozen=True, slots=True)
class StorageTimeouts:
    """How long a turn waits for the database; seconds.

    `event`: before an event is shown that is not stored yet. `pause`: between two attempts. `end`:
    for how long a turn that is over goes on trying.
    """

    event: float = 2
    pause: float = 1
    end: float = 10


@dataclass(frozen=True, slots=True)
class TurnEnding:
    """The last event of a turn, and what is kept of the turn; `state` as in `Store.end_turn`."""

    event: TerminalEvent
    state: str
    usage: TokenUsage
    model: str


@dataclass(frozen=True, slots=True)
class _PendingEvents:
    """An entry that the database does not have yet; `settled` once nobody waits for it."""

    entry: EventEntry
    size: int
    settled: anyio.Event = field(default_factory=anyio.Event)


class EventWriter:
    """Takes events without losing, doubling or reordering any, however the database fares.

    It holds HELD_BYTES and a little in memory: what waits beyond that is kept cut, with a mark.
    """

    def __init__(
        self,
        store: Store,
        key: TurnKey,
        *,
        lease: Lease,
        patience: StorageTimeouts,
        on_lost: Callable[[], None],
        label: Mapping[str, str],
    ) -> None:
        """`on_lost` is told once the conversation belongs to somebody else; `label` is logged."""
        self._store = store
        self._key = key
        self._lease = lease
        self._patience = patience
        self._on_lost = on_lost
        self._label = label
        self._held: list[_PendingEvents] = []
        self._changed = anyio.Event()
        self._writing = anyio.Lock()
        self._renew_at = 0.0
        self._spent = 0
        self._charged = 0
        self._failing = False
        self._closed = False
        self._lost = False

    async def add(self, *events: StoredEvent) -> None:
        """Returns when the events are stored, or wait for a database that does not take them.

        Raises TurnLost when the conversation was deleted or taken over.
        """
        held = [self._hold(event) for event in events]
        self._changed.set()
        with anyio.move_on_after(self._patience.event):
            await held[-1].settled.wait()
        if not held[-1].settled.is_set():
            self._fails("slow")
        if self._lost:
            raise _taken()

    def spend(self, tokens: int) -> None:
        """Notes what the turn has spent so far in all, to be stored even where the turn is lost."""
        self._spent = tokens
        self._changed.set()

    async def run(self) -> None:
        """Stores what is added and keeps the lease, until the ledger is closed or lost."""
        self._renew_at = anyio.current_time() + self._lease.renewal
        while not self._lost:
            await self._due()
            async with self._writing:
                if self._closed:
                    return
                done = await self._try(self._write)
            if not done and not self._lost:
                await anyio.sleep(self._patience.pause)
        self._on_lost()

    async def close(self, ending: TurnEnding, *, seconds: float) -> bool:
        """Stores what waits together with the turn's end, and tells whether it is stored.

        Tries for `seconds`, a write that has begun being waited for; raises TurnLost like `add`.
        Nothing can be added any more.
        """
        self._closed = True
        self._hold(ending.event)
        deadline = anyio.current_time() + seconds
        async with self._writing:
            while not (self._failing and anyio.current_time() >= deadline):
                if await self._try(lambda: self._end(ending)):
                    return True
                if self._lost:
                    raise _taken()
                await anyio.sleep(self._patience.pause)
        log.error("turn_not_stored", events=len(self._held), **self._label)
        return False

    def _hold(self, event: StoredEvent) -> _PendingEvents:
        room = HELD_BYTES - sum(each.size for each in self._held)
        kept = shrink_event(event, max(room, LEAST_BYTES))
        held = _PendingEvents(EventEntry(str(uuid4()), kept), measure_event(kept))
        if self._failing or self._lost:
            held.settled.set()
        self._held.append(held)
        return held

    async def _due(self) -> None:
        """Waits until something is to be stored or the lease is to be renewed."""
        with anyio.move_on_after(max(0, self._renew_at - anyio.current_time())):
            while not self._held and self._spent == self._charged:
                self._changed = anyio.Event()
                await self._changed.wait()

    async def _write(self) -> None:
        await self._charge()
        held, due = list(self._held), anyio.current_time() >= self._renew_at
        lease = self._lease.seconds if due else None
        if held:
            await self._store.append(self._key, [each.entry for each in held], lease_seconds=lease)
        elif lease is not None:
            await self._store.renew(self._key, lease)
        if due:
            self._renew_at = anyio.current_time() + self._lease.renewal
        self._settle(held)

    async def _charge(self) -> None:
        tokens = self._spent
        if tokens != self._charged:
            await self._store.charge(self._key.turn_id, tokens)
            self._charged = tokens

    async def _end(self, ending: TurnEnding) -> None:
        await self._charge()
        held = list(self._held)
        await self._store.end_turn(
            self._key,
            [each.entry for each in held],
            state=ending.state,
            usage=ending.usage,
            model=ending.model,
        )
        self._settle(held)

    async def _try(self, write: Callable[[], Awaitable[None]]) -> bool:
        """Whether the database took it; where it did not, nobody waits for it any more."""
        try:
            await write()
        except TurnLost:
            self._lost = True
            self._release()
            return False
        except DatabaseUnavailable as error:
            self._fails(error.code)
            return False
        if self._failing:
            self._failing = False
            log.info("turn_stored_again", **self._label)
        return True

    def _fails(self, reason: str) -> None:
        if not self._failing:
            self._failing = True
            log.warning("turn_waits_for_database", reason=reason, **self._label)
        self._release()

    def _settle(self, stored: list[_PendingEvents]) -> None:
        del self._held[: len(stored)]
        for each in stored:
            each.settled.set()

    def _release(self) -> None:
        for each in self._held:
            each.settled.set()


def _taken() -> TurnLost:
    return TurnLost("This answer has lost its conversation.")
