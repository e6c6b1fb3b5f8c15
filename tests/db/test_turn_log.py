"""A turn takes its conversation, writes into its log and releases it."""

from unittest.mock import patch
from uuid import uuid4

import anyio
import pytest
from sqlalchemy import Executable, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.event_rows import TurnKey
from app.db.event_size import CUT_MARK
from app.db.quotas import Quotas
from app.db.schema import events, sessions, turns
from app.db.store import Store
from app.db.turn_log import TurnStart
from app.errors import TurnLost
from app.events import (
    ReplyCompleted,
    TurnCancelled,
    TurnFinished,
    TurnInterrupted,
    TurnStarted,
)
from app.messages import MOST_TOKENS, TokenUsage
from tests.db.writing import (
    ALICE,
    ALL_QUOTAS,
    BOB,
    TRACE,
    begin_free_turn,
    entry,
    finish_turn,
    read_event_types,
    reply,
    try_begin_turn,
)

ALREADY_OVER = -1.0


async def test_the_log_of_a_turn_comes_back_in_order_and_unchanged(store: Store) -> None:
    turn = await begin_free_turn(store, question="why \U0001f600\u2028\r\n?")
    first_reply = ReplyCompleted(bubble="b", text="data: 🧪 \x00 \\ ' \" %s :x")
    await store.append(turn, [entry(first_reply), reply("two")])
    await finish_turn(store, turn)

    log = await store.events(turn.conversation_id)

    assert [logged.sequence for logged in log] == [1, 2, 3, 4]
    assert log[0].event == TurnStarted(question="why \U0001f600\u2028\r\n?")
    assert log[1].event == first_reply
    assert log[3].event == TurnFinished()
    assert {logged.turn_id for logged in log} == {turn.turn_id}
    assert all(logged.created_at.tzinfo is not None for logged in log)
    assert log[0].created_at <= log[3].created_at


async def test_a_second_question_goes_on_in_the_same_conversation(
    store: Store, engine: AsyncEngine
) -> None:
    first = await begin_free_turn(store)
    await finish_turn(store, first)
    second = await begin_free_turn(store)

    assert second.conversation_id == first.conversation_id
    async with engine.begin() as db:
        rows = await db.execute(select(turns.c.id, turns.c.parent_turn_id))
        parents = {row.id: row.parent_turn_id for row in rows}
    assert parents == {first.turn_id: None, second.turn_id: first.turn_id}


async def test_a_conversation_keeps_its_marker_and_names_its_active_turn(store: Store) -> None:
    taken = await try_begin_turn(store)
    assert taken is not None
    conversation, turn = taken

    assert await store.find(ALICE, TRACE) == conversation
    assert conversation.active_turn_id == turn.turn_id
    assert conversation.number == 1
    assert len(conversation.marker) == 16
    await finish_turn(store, turn)
    found = await store.find(ALICE, TRACE)
    assert found is not None
    assert (found.marker, found.active_turn_id) == (conversation.marker, None)


async def test_two_conversations_have_different_markers(store: Store) -> None:
    one, two = await try_begin_turn(store), await try_begin_turn(store, owner=BOB)

    assert one is not None
    assert two is not None
    assert one[0].marker != two[0].marker


async def test_a_conversation_that_is_held_cannot_be_taken(store: Store) -> None:
    turn = await begin_free_turn(store)

    assert await try_begin_turn(store) is None
    assert await read_event_types(store, turn.conversation_id) == ["turn_started"]


async def test_of_two_questions_at_once_one_wins_and_one_conversation_is_made(
    store: Store,
) -> None:
    results = []

    async def ask() -> None:
        results.append(await try_begin_turn(store))

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(ask)

    winners = [taken for taken in results if taken is not None]
    assert len(winners) == 1
    conversation = await store.find(ALICE, TRACE)
    assert conversation == winners[0][0]
    assert await read_event_types(store, winners[0][0].id) == ["turn_started"]


async def test_taking_over_ends_the_turn_whose_lease_expired(
    store: Store, engine: AsyncEngine
) -> None:
    lost = await begin_free_turn(store, lease_seconds=ALREADY_OVER)
    await store.append(lost, [reply("so far")])
    taken_over = await begin_free_turn(store)

    log = await store.events(lost.conversation_id)
    assert [(logged.turn_id, logged.event.type) for logged in log] == [
        (lost.turn_id, "turn_started"),
        (lost.turn_id, "reply_completed"),
        (lost.turn_id, "turn_interrupted"),
        (taken_over.turn_id, "turn_started"),
    ]
    assert log[2].event == TurnInterrupted()
    async with engine.begin() as db:
        rows = await db.execute(select(turns.c.id, turns.c.state, turns.c.ended_at))
        states = {row.id: (row.state, row.ended_at is not None) for row in rows}
    assert states == {
        lost.turn_id: ("interrupted", True),
        taken_over.turn_id: ("running", False),
    }


async def test_a_turn_that_was_taken_over_writes_nothing_any_more(store: Store) -> None:
    lost = await begin_free_turn(store, lease_seconds=ALREADY_OVER)
    await begin_free_turn(store)

    with pytest.raises(TurnLost):
        await store.append(lost, [reply("too late")])
    with pytest.raises(TurnLost):
        await store.append(lost, (), lease_seconds=20)
    with pytest.raises(TurnLost):
        await finish_turn(store, lost)
    assert await read_event_types(store, lost.conversation_id) == [
        "turn_started",
        "turn_interrupted",
        "turn_started",
    ]


async def test_a_conversation_with_an_expired_lease_is_free(store: Store) -> None:
    await begin_free_turn(store, lease_seconds=ALREADY_OVER)

    found = await store.find(ALICE, TRACE)
    assert found is not None
    assert found.active_turn_id is None


async def test_a_renewed_lease_holds_and_a_shortened_one_expires(store: Store) -> None:
    turn = await begin_free_turn(store, lease_seconds=ALREADY_OVER)
    await store.append(turn, (), lease_seconds=20)
    assert await try_begin_turn(store) is None

    await store.append(turn, (), lease_seconds=ALREADY_OVER)
    assert await try_begin_turn(store) is not None


async def test_an_ended_turn_keeps_its_state_usage_and_model(
    store: Store, engine: AsyncEngine
) -> None:
    turn = await begin_free_turn(store)
    await store.end_turn(
        turn,
        [entry(TurnCancelled())],
        usage=TokenUsage(5, 7, 3, 2),
        model="gpt-4.1-2025-04-14",
    )

    async with engine.begin() as db:
        row = (await db.execute(select(turns))).one()
    assert (row.state, row.model) == ("cancelled", "gpt-4.1-2025-04-14")
    assert (row.prompt_tokens, row.completion_tokens) == (5, 7)
    assert (row.cached_tokens, row.reasoning_tokens) == (3, 2)
    assert row.started_at <= row.ended_at


async def test_a_repeated_write_leaves_the_same_log(store: Store) -> None:
    turn_id = str(uuid4())
    started, first_reply, more = entry(TurnStarted(question="?")), reply("one"), reply("two")

    async def begin() -> TurnKey:
        start = TurnStart(turn_id, started, 20, "m", Quotas())
        conversation = await store.begin_turn(ALICE, TRACE, start)
        assert conversation is not None
        return TurnKey(conversation.id, turn_id)

    assert await begin() == await begin()
    turn = await begin()
    await store.append(turn, [first_reply])
    await store.append(turn, [first_reply])
    await store.append(turn, [first_reply, more])
    last = entry(TurnFinished())
    for _ in range(2):
        await store.end_turn(turn, [last], usage=TokenUsage())

    log = await store.events(turn.conversation_id)
    assert [logged.id for logged in log] == [started.id, first_reply.id, more.id, last.id]
    assert [logged.sequence for logged in log] == [1, 2, 3, 4]


async def test_an_end_may_be_repeated_while_the_next_turn_runs(store: Store) -> None:
    turn, last = await begin_free_turn(store), entry(TurnFinished())
    await store.end_turn(turn, [last], usage=TokenUsage())
    second = await begin_free_turn(store)

    await store.end_turn(turn, [last], usage=TokenUsage())

    found = await store.find(ALICE, TRACE)
    assert found is not None
    assert found.active_turn_id == second.turn_id


async def test_an_ended_turn_cannot_append_events(store: Store) -> None:
    turn = await begin_free_turn(store)
    await finish_turn(store, turn)

    with pytest.raises(TurnLost):
        await store.append(turn, [reply("afterthought")])
    with pytest.raises(TurnLost):
        await finish_turn(store, turn)


async def test_an_event_too_large_for_the_wire_is_cut_and_the_largest_is_kept(
    store: Store,
) -> None:
    turn = await begin_free_turn(store)
    quotes = '"' * 3_999_000
    await store.append(turn, [reply("x" * 8_000_001), reply(quotes), reply("small")])

    log = await store.events(turn.conversation_id)
    cut, *whole = [e.event.text for e in log if isinstance(e.event, ReplyCompleted)]
    assert cut.endswith(CUT_MARK)
    assert 7_900_000 < len(cut) < 8_000_000
    assert whole == [quotes, "small"]


async def test_a_long_model_name_is_shortened(store: Store, engine: AsyncEngine) -> None:
    started = entry(TurnStarted(question="?"))
    start = TurnStart(str(uuid4()), started, 20, "m" * 1000, Quotas())
    await store.begin_turn(ALICE, TRACE, start)

    async with engine.begin() as db:
        assert await db.scalar(select(turns.c.model)) == "m" * 255


async def test_parallel_conversations_lose_nothing(store: Store) -> None:
    async def talk(number: int) -> None:
        trace_id = f"0199a0c2-0000-7000-8000-{number:012d}"
        turn = await begin_free_turn(store, trace_id=trace_id)
        for text in range(10):
            await store.append(turn, [reply(str(text))])
        await finish_turn(store, turn)

    async with anyio.create_task_group() as group:
        for number in range(12):
            group.start_soon(talk, number)

    for number in range(12):
        found = await store.find(ALICE, f"0199a0c2-0000-7000-8000-{number:012d}")
        assert found is not None
        log = await store.events(found.id)
        assert [logged.sequence for logged in log] == list(range(1, 13))
        texts = [e.event.text for e in log if isinstance(e.event, ReplyCompleted)]
        assert texts == [str(text) for text in range(10)]


async def test_a_turn_that_was_interrupted_counts_the_tokens_of_its_replies(
    store: Store, engine: AsyncEngine
) -> None:
    lost = await begin_free_turn(store, lease_seconds=ALREADY_OVER)
    for prompt, completion in ((1_000, 10), (1_200, 30)):
        usage = TokenUsage(prompt_tokens=prompt, completion_tokens=completion, cached_tokens=5)
        await store.append(lost, [entry(ReplyCompleted(bubble="b", text="t", usage=usage))])
    await store.append(lost, [reply("of a provider that reports nothing")])
    await begin_free_turn(store)

    async with engine.begin() as db:
        row = (await db.execute(select(turns).where(turns.c.id == lost.turn_id))).one()
    counts = (row.prompt_tokens, row.completion_tokens, row.cached_tokens, row.reasoning_tokens)
    assert (row.state, counts) == ("interrupted", (2_200, 40, 10, 0))


HUGE = '{"type":"reply_completed","bubble":"b","text":"so far","usage":{"prompt_tokens":%s}}'


@pytest.mark.parametrize(
    "break_turn",
    [
        events.update().values(payload=HUGE % 10**20),
        events.update().values(payload=HUGE % 10**400),
        events.update().values(payload=HUGE % -5),
        events.update().values(payload="[" * 100_000),
        events.update().values(payload=""),
        events.update().values(sequence=events.c.sequence + 1_000),
        events.delete(),
        turns.delete(),
        turns.update().values(unfinished_reply="{no reply"),
        sessions.update().values(next_sequence=1),
    ],
)
async def test_whatever_is_wrong_with_a_dead_turn_the_next_one_begins(
    store: Store, engine: AsyncEngine, break_turn: Executable
) -> None:
    dead = await begin_free_turn(store, lease_seconds=ALREADY_OVER)
    await store.append(dead, [entry(ReplyCompleted(bubble="b", text="so far"))])
    async with engine.begin() as db:
        await db.execute(break_turn)

    second = await begin_free_turn(store, question="and now?")
    await finish_turn(store, second)
    third = await begin_free_turn(store)
    await finish_turn(store, third)

    logged = await store.events(second.conversation_id)
    assert TurnStarted(question="and now?") in [each.event for each in logged]
    assert len({each.sequence for each in logged}) == len(logged)


@pytest.mark.parametrize("tokens", [10**12, 10**20, 10**400, -1])
async def test_any_count_of_tokens_can_be_stored(
    store: Store, engine: AsyncEngine, tokens: int
) -> None:
    usage = TokenUsage(prompt_tokens=tokens, completion_tokens=tokens, reasoning_tokens=tokens)
    turn = await begin_free_turn(store, quotas=ALL_QUOTAS)
    await store.append(turn, [entry(ReplyCompleted(bubble="b", text="", usage=usage))])
    await store.record_tokens(turn.turn_id, tokens)
    last = [entry(TurnFinished())]
    await store.end_turn(turn, last, usage=usage + usage)

    await begin_free_turn(store)
    async with engine.begin() as db:
        stored = (await db.execute(select(turns).where(turns.c.id == turn.turn_id))).one()
    assert stored.prompt_tokens == min(max(2 * tokens, 0), MOST_TOKENS)
    assert (await store.events(turn.conversation_id))[1].event == ReplyCompleted(
        bubble="b", text="", usage=usage
    )


@pytest.mark.parametrize("fault", [OverflowError("too large"), IntegrityError("INSERT", {}, None)])
async def test_a_dead_turn_that_cannot_be_closed_stops_nobody(
    store: Store, fault: Exception
) -> None:
    dead = await begin_free_turn(store, lease_seconds=ALREADY_OVER)
    with patch("app.db.turn_log._close_turn", side_effect=fault):
        await begin_free_turn(store)
    assert await read_event_types(store, dead.conversation_id) == ["turn_started", "turn_started"]
