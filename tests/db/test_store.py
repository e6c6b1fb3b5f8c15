"""Whose conversation is whose, and what becomes of it."""

import anyio
import pytest
from sqlalchemy import func, literal, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.caller import Owner
from app.db.rated_conversations import find_rated_conversations
from app.db.schema import events, feedback, metadata, sessions, turns, utc_now
from app.db.store import Store
from app.errors import TurnLost
from tests.db.writing import (
    ALICE,
    BOB,
    TRACE,
    begin_free_turn,
    finish_turn,
    read_event_types,
    reply,
)

OTHER_TRACE = "0199a0c2-0000-7000-8000-000000000002"
THIRD_TRACE = "0199a0c2-0000-7000-8000-000000000003"
TOKEN = Owner("workspace", "token:5f1c")


async def _number(store: Store, owner: Owner, trace_id: str = TRACE) -> int | None:
    found = await store.find(owner, trace_id)
    return None if found is None else found.number


async def _rows(engine: AsyncEngine, table_name: str) -> int:
    async with engine.begin() as db:
        count = await db.scalar(select(func.count()).select_from(metadata.tables[table_name]))
    assert count is not None
    return count


@pytest.mark.parametrize(
    "other",
    [
        Owner("workspace", "user:bob"),
        Owner("elsewhere", "user:alice"),
        Owner("workspace", "user:Alice"),
        Owner("Workspace", "user:alice"),
        Owner("workspace", "user:alicé"),
        Owner("workspace", "user:alice "),
        Owner("workspace", "user:alice\x00"),
        Owner("workspace ", "user:alice"),
        Owner("", "user:alice"),
    ],
)
async def test_a_conversation_is_invisible_to_other_owners(store: Store, other: Owner) -> None:
    await begin_free_turn(store)

    assert await store.find(other, TRACE) is None
    assert await store.delete(other, TRACE) == {}
    assert not await store.set_feedback(other, TRACE, 1)
    theirs = await begin_free_turn(store, owner=other)
    mine = await store.find(ALICE, TRACE)
    assert mine is not None
    assert theirs.conversation_id != mine.id


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("user:\U0001f600", "user:\U0001f4a9"),
        ("user:" + "n" * 400, "user:" + "n" * 401),
        ("user:\ud83d", "user:\ude00"),
        ("user:Straße", "user:Strasse"),
    ],
)
async def test_names_that_a_collation_could_confuse_are_different_owners(
    store: Store, one: str, two: str
) -> None:
    first = await begin_free_turn(store, owner=Owner("w", one))
    second = await begin_free_turn(store, owner=Owner("w", two))

    assert first.conversation_id != second.conversation_id
    found = await store.find(Owner("w", one), TRACE)
    assert found is not None
    assert found.id == first.conversation_id


async def test_thumbs_are_found_by_any_name_of_a_workspace(
    store: Store, engine: AsyncEngine
) -> None:
    names = ["team", "team ", "~team", "n" * 400]
    for name in names:
        await begin_free_turn(store, owner=Owner(name, "user:alice"))
        await store.set_feedback(Owner(name, "user:alice"), TRACE, 1)
    found = {name: len(await find_rated_conversations(engine, name)) for name in names}
    assert found == dict.fromkeys(names, 1)


async def test_a_name_cannot_be_chosen_to_look_like_a_shortened_one(
    store: Store, engine: AsyncEngine
) -> None:
    await begin_free_turn(store, owner=Owner("w", "user:bob "))
    async with engine.begin() as db:
        stored = await db.scalar(select(sessions.c.owner))
    assert stored is not None

    assert await store.find(Owner("w", stored), TRACE) is None


async def test_deleting_removes_everything_and_returns_the_running_turn(
    store: Store, engine: AsyncEngine
) -> None:
    turn = await begin_free_turn(store)
    await store.append(turn, [reply("so far")])
    await store.set_feedback(ALICE, TRACE, 1)
    kept = await begin_free_turn(store, trace_id=OTHER_TRACE)

    assert await store.delete(ALICE, TRACE) == {turn.conversation_id: turn.turn_id}

    assert await store.find(ALICE, TRACE) is None
    assert await store.events(turn.conversation_id) == []
    for table, rows in ((sessions, 1), (turns, 1), (events, 1), (feedback, 0)):
        assert await _rows(engine, table.name) == rows
    assert await read_event_types(store, kept.conversation_id) == ["turn_started"]


async def test_a_deleted_turn_writes_nothing_any_more(store: Store) -> None:
    turn = await begin_free_turn(store)
    await store.delete(ALICE, TRACE)

    with pytest.raises(TurnLost):
        await store.append(turn, [reply("too late")])
    with pytest.raises(TurnLost):
        await store.append(turn, (), lease_seconds=20)
    with pytest.raises(TurnLost):
        await finish_turn(store, turn)
    assert await store.find(ALICE, TRACE) is None


async def test_deleting_an_ended_or_missing_conversation_returns_no_turn(store: Store) -> None:
    turn = await begin_free_turn(store)
    await finish_turn(store, turn)

    assert await store.delete(ALICE, TRACE) == {turn.conversation_id: None}
    assert await store.delete(ALICE, TRACE) == {}


async def test_a_known_name_adopts_the_conversations_of_its_token(store: Store) -> None:
    turn = await begin_free_turn(store, owner=TOKEN)
    await begin_free_turn(store, owner=TOKEN, trace_id=OTHER_TRACE)
    await begin_free_turn(store, owner=BOB)

    assert await store.adopt(source=TOKEN, target=ALICE) == 2

    found = await store.find(ALICE, TRACE)
    assert found is not None
    assert (found.id, found.number) == (turn.conversation_id, 1)
    assert await store.find(TOKEN, TRACE) is None
    assert await store.find(ALICE, OTHER_TRACE) is not None
    assert await store.find(BOB, OTHER_TRACE) is None
    assert await store.adopt(source=TOKEN, target=ALICE) == 0


async def test_an_adopted_turn_goes_on_writing(store: Store) -> None:
    turn = await begin_free_turn(store, owner=TOKEN)
    await store.adopt(source=TOKEN, target=ALICE)

    await store.append(turn, [reply("still here")])
    await finish_turn(store, turn)

    assert await read_event_types(store, turn.conversation_id) == [
        "turn_started",
        "reply_completed",
        "turn_finished",
    ]


async def test_adoption_leaves_the_adopters_own_conversation_current(store: Store) -> None:
    own = await begin_free_turn(store)
    first = await begin_free_turn(store, owner=TOKEN)
    assert await store.adopt(source=TOKEN, target=ALICE) == 1
    second = await begin_free_turn(store, owner=Owner("workspace", "anonymous"))
    assert await store.adopt(source=Owner("workspace", "anonymous"), target=ALICE) == 1

    found = await store.find(ALICE, TRACE)
    assert found is not None
    assert (found.id, found.number) == (own.conversation_id, 1)
    forgotten = await store.delete(ALICE, TRACE)
    assert forgotten == {each.conversation_id: each.turn_id for each in (own, first, second)}


async def test_adopting_several_conversations_about_one_trace_keeps_their_order(
    store: Store,
) -> None:
    old, new = await begin_free_turn(store, owner=TOKEN), await begin_free_turn(store, owner=BOB)
    await store.adopt(source=TOKEN, target=BOB)
    assert await _number(store, BOB) == 1

    assert await store.adopt(source=BOB, target=ALICE) == 2

    found = await store.find(ALICE, TRACE)
    assert found is not None
    assert found.id == new.conversation_id
    assert await read_event_types(store, old.conversation_id) == ["turn_started"]


async def test_adopting_from_oneself_changes_nothing(store: Store) -> None:
    await begin_free_turn(store)

    assert await store.adopt(source=ALICE, target=ALICE) == 0
    assert await _number(store, ALICE) == 1


async def test_two_adoptions_at_once_move_each_conversation_once(store: Store) -> None:
    for trace_id in (TRACE, OTHER_TRACE, THIRD_TRACE):
        await begin_free_turn(store, owner=TOKEN, trace_id=trace_id)
    moved: list[int] = []

    async def adopt() -> None:
        moved.append(await store.adopt(source=TOKEN, target=ALICE))

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(adopt)

    assert sum(moved) == 3
    assert await _number(store, ALICE, THIRD_TRACE) == 1


async def test_feedback_is_set_changed_and_cleared(store: Store, engine: AsyncEngine) -> None:
    turn = await begin_free_turn(store)

    async def value() -> int | None:
        async with engine.begin() as db:
            return await db.scalar(select(feedback.c.value))

    assert await store.set_feedback(ALICE, TRACE, 1) == turn.conversation_id
    assert await store.set_feedback(ALICE, TRACE, 1) == turn.conversation_id
    assert await value() == 1
    assert await store.set_feedback(ALICE, TRACE, 0)
    assert await value() == 0
    assert await store.clear_feedback(ALICE, TRACE) == turn.conversation_id
    assert await store.clear_feedback(ALICE, TRACE) == turn.conversation_id
    assert await value() is None


async def test_feedback_needs_a_conversation(store: Store) -> None:
    assert await store.set_feedback(ALICE, TRACE, 1) is None
    assert await store.clear_feedback(ALICE, TRACE) is None


async def test_the_database_itself_keeps_feedback_within_its_values(
    store: Store, engine: AsyncEngine
) -> None:
    turn = await begin_free_turn(store)
    wrong = feedback.insert().values(session_id=turn.conversation_id, value=2, updated_at=utc_now())

    with pytest.raises(DBAPIError, match="ck_opik_assist_feedback_value"):
        async with engine.begin() as db:
            await db.execute(wrong)


async def test_the_owner_key_stays_the_same(store: Store, engine: AsyncEngine) -> None:
    key = await store.owner_key()

    assert len(key) == 32
    assert await Store(engine).owner_key() == key


async def test_a_constraint_of_the_database_refuses_a_second_conversation_with_one_number(
    store: Store, engine: AsyncEngine
) -> None:
    await begin_free_turn(store)
    columns = [c for c in sessions.c if c.name != "id"]
    copy = sessions.insert().from_select(["id", *columns], select(literal("x"), *columns))

    with pytest.raises(IntegrityError):
        async with engine.begin() as db:
            await db.execute(copy)
