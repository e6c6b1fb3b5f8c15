"""Short words for what a turn writes."""

from uuid import uuid4

from sqlalchemy import select

from app.caller import Owner
from app.db.event_rows import EventEntry, TurnKey
from app.db.quotas import Quotas
from app.db.store import Store
from app.db.turn_log import Conversation, TurnStart
from app.events import ReplyCompleted, StoredEvent, TurnFinished, TurnStarted
from app.messages import TokenUsage

ALICE = Owner("workspace", "user:alice")
BOB = Owner("workspace", "user:bob")
NO_QUOTAS = Quotas()
TRACE = "0199a0c2-0000-7000-8000-000000000001"

ALL_QUOTAS = Quotas(
    owner_turns=9,
    owner_turns_per_minute=9,
    owner_conversations=9,
    owner_events=99,
    workspace_turns=9,
    workspace_tokens_per_day=9,
)
"""None of them reached by a test that does not mean to."""


def numbered_trace(number: int) -> str:
    return f"0199a0c2-0000-7000-8000-{number:012d}"


def entry(event: StoredEvent) -> EventEntry:
    return EventEntry(str(uuid4()), event)


def reply(text: str) -> EventEntry:
    return entry(ReplyCompleted(bubble=str(uuid4()), text=text))


async def try_begin_turn(
    store: Store,
    *,
    owner: Owner = ALICE,
    trace_id: str = TRACE,
    question: str = "why?",
    lease_seconds: float = 20,
    quotas: Quotas = NO_QUOTAS,
) -> tuple[Conversation, TurnKey] | None:
    """Begins a turn; None while another one holds the conversation."""
    turn_id = str(uuid4())
    started = entry(TurnStarted(question=question))
    start = TurnStart(turn_id, started, lease_seconds, "openai/gpt-4.1", quotas)
    conversation = await store.begin_turn(owner, trace_id, start)
    return None if conversation is None else (conversation, TurnKey(conversation.id, turn_id))


async def begin_free_turn(
    store: Store,
    *,
    owner: Owner = ALICE,
    trace_id: str = TRACE,
    question: str = "why?",
    lease_seconds: float = 20,
    quotas: Quotas = NO_QUOTAS,
) -> TurnKey:
    """Begins a turn on a conversation that is free."""
    taken = await try_begin_turn(
        store,
        owner=owner,
        trace_id=trace_id,
        question=question,
        lease_seconds=lease_seconds,
        quotas=quotas,
    )
    assert taken is not None
    return taken[1]


async def finish_turn(store: Store, turn: TurnKey) -> None:
    await store.end_turn(turn, [entry(TurnFinished())], usage=TokenUsage())


async def read_event_types(store: Store, conversation_id: str) -> list[str]:
    return [logged.event.type for logged in await store.events(conversation_id)]


async def begin_numbered_turn(
    store: Store, number: int, quotas: Quotas, *, owner: Owner = ALICE, lease_seconds: float = 20
) -> TurnKey:
    """A turn about the trace of that number, let in by these quotas."""
    return await begin_free_turn(
        store,
        owner=owner,
        trace_id=numbered_trace(number),
        quotas=quotas,
        lease_seconds=lease_seconds,
    )


async def ping_database(store: Store) -> None:
    """Raises DatabaseUnavailable unless the database answers."""
    await store._transactions.run(lambda db: db.scalar(select(1)))
