"""A turn on a real store, directed by a test."""

from dataclasses import replace
from datetime import UTC, datetime

import anyio

from app.conversation.event_writer import LEASE_SECONDS, StorageTimeouts
from app.conversation.ports import TurnFacts
from app.conversation.prices import PriceTable
from app.conversation.turn import AnswerTurn, Turn
from app.db.event_rows import TurnKey
from app.db.quotas import Quotas
from app.db.store import Store
from app.events import Event, ModelCalled, StoredEvent, ToolCompleted
from app.messages import Reply, TokenUsage
from app.telemetry.observers import NoObserver
from tests.db.writing import ALICE, NO_QUOTAS, TRACE, begin_free_turn

BRIEF = StorageTimeouts(lease=20, event=0.2, pause=0.02, end=0.2)


def tool_done(number: int, text: str = "x") -> ToolCompleted:
    return ToolCompleted(call_id=f"c{number}", name="look", outcome="ok", text=text)


def model_call(tokens: int) -> ModelCalled:
    """A model call that used so many tokens."""
    now, usage = datetime.now(UTC), TokenUsage(prompt_tokens=tokens)
    return ModelCalled(now, now, (), (), Reply("", usage=usage), None, usage)


async def turn_on(
    store: Store,
    *,
    lease: float = LEASE_SECONDS,
    timeouts: StorageTimeouts = BRIEF,
    writing: Store | None = None,
    quotas: Quotas = NO_QUOTAS,
    trace_id: str = TRACE,
) -> Turn:
    """A turn that has begun on `store` and writes there, or with `writing`."""
    key = await begin_free_turn(store, trace_id=trace_id, lease_seconds=lease, quotas=quotas)
    facts = TurnFacts(
        key=key,
        trace_id=trace_id,
        owner=ALICE,
        request_id="r",
        question="Why?",
        model="m",
        first=True,
    )
    return Turn(
        writing or store,
        facts,
        timeouts=replace(timeouts, lease=lease),
        prices=PriceTable({}),
        counts_for_quota=quotas.workspace_tokens_per_day is not None,
        observer=NoObserver(),
    )


async def shown(turn: Turn) -> list[Event]:
    """What a reader sees from now to the turn's end."""
    events: list[Event] = []
    while not turn.feed.ended:
        event = await turn.feed.next(1)
        if event is not None:
            events.append(event)
    return events


async def ran(turn: Turn, answer: AnswerTurn) -> list[Event]:
    """Runs a turn to its end; what its reader saw."""
    async with anyio.create_task_group() as group:
        group.start_soon(turn.run, answer)
        return await shown(turn)


async def logged(store: Store, key: TurnKey) -> list[StoredEvent]:
    """The events of a turn after its first one."""
    log = await store.events(key.conversation_id)
    assert [each.sequence for each in log] == list(range(1, len(log) + 1))
    return [each.event for each in log if each.turn_id == key.turn_id][1:]
