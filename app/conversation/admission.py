"""Admits questions within the limits of this process, of their owner and of their workspace.

The limits of owners and workspaces hold over all processes: they are counted in the database when
a turn takes its conversation. In an Opik without accounts there are no session tokens and all users
are one owner, so that only the limits of the workspace apply.
"""

import math
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from uuid import uuid4

import anyio

from app.caller import Caller, Owner
from app.conversation.event_writer import RENEWAL_PART
from app.conversation.titles import make_title
from app.db.event_rows import EventEntry, TurnKey
from app.db.quotas import Quotas
from app.db.store import Store
from app.db.turn_log import Conversation, TurnStart
from app.errors import ConversationBusy, LimitReached
from app.events import TurnPlace, TurnStarted

BUSY_POLL_SECONDS = 0.1
"""Too short a wait for a user to notice; a look at the database is one short transaction."""
_LATE_SECONDS = 1.0
"""How late a busy process may renew a lease without being taken for dead."""
RETRY_SECONDS = 5
"""`Retry-After` while all slots are taken: when a running turn ends is unknown."""
BUSY_WAIT_SECONDS = 3.0
"""How long a question waits for the one before it, which is usually just being stopped."""


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """How many turns are admitted.

    `turns` is the most that run at once in this process; `quotas` hold over all processes. A
    question waits up to `busy_wait_seconds` for the conversation's running turn to end.
    """

    turns: int
    quotas: Quotas
    busy_wait_seconds: float


class Admission:
    def __init__(
        self,
        store: Store,
        limits: AdmissionLimits,
        *,
        lease_seconds: float,
        running: Collection[str],
    ) -> None:
        """`running` are the ids of the turns that run in this process, now and later."""
        self._store = store
        self._limits = limits
        self._lease_seconds = lease_seconds
        self._running = running
        self._starting = 0
        self._reading: Counter[Caller] = Counter()
        self._loading: Counter[Caller] = Counter()

    @contextmanager
    def reserve_slot(self) -> Iterator[None]:
        """Holds one of this process's slots until the turn is one of the running.

        Raises LimitReached when no slot is free.
        """
        if len(self._running) + self._starting >= self._limits.turns:
            raise LimitReached(
                "Too many questions are being answered now. Try again in a moment.",
                retry_after=RETRY_SECONDS,
            )
        self._starting += 1
        try:
            yield
        finally:
            self._starting -= 1

    def reserve_reading(self, caller: Caller) -> AbstractAsyncContextManager[None]:
        """Counts a history as being read by the caller, who may read as many at once as ask.

        Waits for another one to be done; raises LimitReached where that takes too long. Callers
        without a token share one owner and have no limit of their own.
        """
        return self._reserve_share(self._reading, caller, "conversations")

    def reserve_loading(self, caller: Caller) -> AbstractAsyncContextManager[None]:
        """The same for a trace that is loaded without a turn."""
        return self._reserve_share(self._loading, caller, "traces")

    @asynccontextmanager
    async def _reserve_share(
        self, taken: Counter[Caller], caller: Caller, what: str
    ) -> AsyncIterator[None]:
        most = self.quotas_for(caller).owner_turns
        if most is None:
            yield
            return
        deadline = anyio.current_time() + self._limits.busy_wait_seconds
        while taken[caller] >= most:
            if anyio.current_time() >= deadline:
                raise LimitReached(
                    f"You are opening too many {what} at once. Try again in a moment.",
                    retry_after=RETRY_SECONDS,
                )
            await anyio.sleep(BUSY_POLL_SECONDS)
        taken[caller] += 1
        try:
            yield
        finally:
            taken[caller] -= 1
            if not taken[caller]:
                del taken[caller]

    def quotas_for(self, caller: Caller) -> Quotas:
        """The limits that hold for this caller over all processes."""
        quotas = self._limits.quotas
        return quotas if caller.secret is not None else quotas.for_workspace_only()

    async def begin_turn(
        self,
        caller: Caller,
        owner: Owner,
        trace_id: str,
        question: str,
        *,
        model: str,
        place: TurnPlace,
    ) -> tuple[Conversation, TurnKey]:
        """Takes the conversation for a new turn, waiting for one that is being stopped.

        Raises NotFound where there is no such place, LimitReached for a quota, ConversationBusy
        while another turn still runs, or while one whose process has died still holds the
        conversation.
        """
        start = TurnStart(
            turn_id=str(uuid4()),
            entry=EventEntry(str(uuid4()), TurnStarted(question=question)),
            lease_seconds=self._lease_seconds,
            model=model,
            quotas=self.quotas_for(caller),
            title=make_title(question),
            place=place,
        )
        deadline = anyio.current_time() + self._limits.busy_wait_seconds
        while True:
            conversation = await self._store.begin_turn(owner, trace_id, start)
            if conversation is not None:
                return conversation, TurnKey(conversation.id, start.turn_id)
            if anyio.current_time() >= deadline:
                await self._refuse_busy(owner, trace_id, place)
            await anyio.sleep(BUSY_POLL_SECONDS)

    async def _refuse_busy(self, owner: Owner, trace_id: str, place: TurnPlace) -> None:
        """Raises ConversationBusy unless the conversation has become free.

        A turn of another process is alive if it renews its lease, for which this waits.
        """
        first = holder = await self._store.find_holder(owner, trace_id, place.conversation_id)
        while holder is not None:
            renewed = first is not None and holder.lease_until != first.lease_until
            if renewed or holder.turn_id in self._running:
                raise ConversationBusy("This conversation is still answering; stop it or wait.")
            if holder.seconds < self._lease_seconds * (1 - RENEWAL_PART) - _LATE_SECONDS:
                raise ConversationBusy(
                    "The last answer was cut off; you can ask again in"
                    f" {max(1, math.ceil(holder.seconds))} s."
                )
            await anyio.sleep(BUSY_POLL_SECONDS)
            holder = await self._store.find_holder(owner, trace_id, place.conversation_id)
