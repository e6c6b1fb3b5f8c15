"""Lets questions in: within the limits of this process, of their owner and of their workspace.

What all processes share is counted in the database as the turn takes its conversation. A caller
who sends no session token is everybody at once, since only an Opik without accounts lets them in:
for them the limits of one user do not hold, those of the workspace do.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import anyio

from app.caller import Caller, Owner
from app.conversation.event_writer import Lease
from app.db.store import Conversation, EventEntry, Quotas, Store, TurnKey
from app.errors import ConversationBusy, LimitReached
from app.events import TurnStarted

BUSY_POLL_SECONDS = 0.1
RETRY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """How much is let in.

    `turns` run at once in this process, `quotas` hold over all processes. For `busy_wait_seconds`
    a question waits for the one before it.
    """

    turns: int = 100
    quotas: Quotas = field(default_factory=Quotas)
    busy_wait_seconds: float = 3


class Admission:
    def __init__(
        self, store: Store, limits: AdmissionLimits, *, lease: Lease, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._limits = limits
        self._lease = lease
        self._clock = clock
        self._starting = 0

    @contextmanager
    def reserve_slot(self, running: Callable[[], int]) -> Iterator[None]:
        """Keeps one of this process's places until the turn counts among those `running`.

        Raises LimitReached where none is free.
        """
        if running() + self._starting >= self._limits.turns:
            raise LimitReached(
                "Too many questions are being answered now. Try again in a moment.",
                retry_after=RETRY_SECONDS,
            )
        self._starting += 1
        try:
            yield
        finally:
            self._starting -= 1

    async def begin_turn(
        self, caller: Caller, owner: Owner, trace_id: str, question: str, *, model: str
    ) -> tuple[Conversation, TurnKey]:
        """Takes the conversation; a turn that is just being stopped is waited for.

        Raises LimitReached for one of the quotas, ConversationBusy when the wait was in vain.
        """
        turn_id = str(uuid4())
        entry = EventEntry(str(uuid4()), TurnStarted(question=question))
        quotas = self._limits.quotas
        if caller.token is None:
            quotas = quotas.for_workspace_only()
        deadline = self._clock() + self._limits.busy_wait_seconds
        while True:
            conversation = await self._store.begin_turn(
                owner,
                trace_id,
                turn_id=turn_id,
                entry=entry,
                lease_seconds=self._lease.seconds,
                model=model,
                quotas=quotas,
            )
            if conversation is not None:
                return conversation, TurnKey(conversation.id, turn_id)
            if self._clock() >= deadline:
                raise ConversationBusy("This conversation is still answering; stop it or wait.")
            await anyio.sleep(BUSY_POLL_SECONDS)
