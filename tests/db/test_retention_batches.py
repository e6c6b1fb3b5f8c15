"""Old conversations are removed: which ones, by whom, and beside running turns."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import pytest
from sqlalchemy import event, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db import migrations, turn_log
from app.db.event_rows import EventEntry, TurnKey
from app.db.quotas import Quotas
from app.db.retention_batches import (
    BATCH_CONVERSATIONS,
    BATCH_EVENTS,
    EMPTY_BATCH,
    RemovedBatch,
    RetentionBatches,
)
from app.db.schema import admissions, chores, events, feedback, sessions, turns, utc_in
from app.db.store import Store
from app.db.turn_log import TurnStart
from app.events import TurnStarted
from testkit import databases
from tests.db.writing import (
    ALICE,
    begin_free_turn,
    finish_turn,
    numbered_trace,
    read_event_types,
    reply,
    try_begin_turn,
)

DAY = 86_400.0


def expiring(
    engine: AsyncEngine, *, days: float = 30, lease_seconds: float = 60
) -> RetentionBatches:
    """As one process has it."""
    return RetentionBatches(engine, days=days, holder=str(uuid4()), lease_seconds=lease_seconds)


async def store_conversation(store: Store, number: int, *, replies: int = 1) -> TurnKey:
    """A conversation whose turn has ended."""
    turn = await begin_free_turn(store, trace_id=numbered_trace(number))
    await store.append(turn, [reply(str(each)) for each in range(replies)])
    await finish_turn(store, turn)
    return turn


async def untouched_for(engine: AsyncEngine, seconds: float, *which: TurnKey) -> None:
    async with engine.begin() as db:
        ids = [turn.conversation_id for turn in which]
        old = sessions.update().where(sessions.c.id.in_(ids))
        await db.execute(old.values(updated_at=utc_in(-seconds)))


def gone(turn: TurnKey) -> RemovedBatch:
    return RemovedBatch(frozenset({turn.conversation_id}))


async def kept(engine: AsyncEngine) -> set[str]:
    async with engine.begin() as db:
        return set(await db.scalars(select(sessions.c.id)))


async def test_conversations_older_than_the_days_are_deleted_with_their_rows(
    store: Store, engine: AsyncEngine
) -> None:
    old, young = await store_conversation(store, 1), await store_conversation(store, 2)
    await store.set_feedback(ALICE, numbered_trace(1), 1)
    await store.set_feedback(ALICE, numbered_trace(2), 1)
    await untouched_for(engine, 30 * DAY + 60, old)
    await untouched_for(engine, 30 * DAY - 60, young)

    assert await expiring(engine).remove_batch() == gone(old)

    assert await kept(engine) == {young.conversation_id}
    assert await read_event_types(store, old.conversation_id) == []
    assert await read_event_types(store, young.conversation_id) == [
        "turn_started",
        "reply_completed",
        "turn_finished",
    ]
    async with engine.begin() as db:
        for table in (turns, events, feedback):
            of_old = table.c.session_id == old.conversation_id
            assert await db.scalar(select(func.count()).where(of_old)) == 0
        assert await db.scalar(select(func.count()).select_from(feedback)) == 1


async def test_a_conversation_with_a_running_turn_stays_and_one_of_a_dead_process_goes(
    store: Store, engine: AsyncEngine
) -> None:
    living = await begin_free_turn(store, trace_id=numbered_trace(1))
    dead = await begin_free_turn(store, trace_id=numbered_trace(2), lease_seconds=-1)
    await untouched_for(engine, 31 * DAY, living, dead)

    assert await expiring(engine).remove_batch() == gone(dead)
    await finish_turn(store, living)
    assert await expiring(engine).remove_batch() is None


async def test_a_conversation_that_is_taken_up_again_at_that_moment_stays(
    migrated_mysql_uri: str,
) -> None:
    async with (
        databases.open_engine(migrated_mysql_uri) as engine,
        databases.open_engine(migrated_mysql_uri) as other,
    ):
        store = Store(other)
        old = await store_conversation(store, 1)
        await untouched_for(engine, 31 * DAY, old)
        removed: RemovedBatch | None = None

        async def remove() -> None:
            nonlocal removed
            removed = await expiring(engine).remove_batch()

        async with anyio.create_task_group() as group, other.begin() as db:
            first = EventEntry(str(uuid4()), TurnStarted(question="Again?"))
            start = TurnStart(str(uuid4()), first, 20, "m", Quotas())
            await db.run_sync(turn_log.begin_turn, ALICE, numbered_trace(1), start=start)
            group.start_soon(remove)
            await databases.wait_for_lock_wait(other, databases.ROW_LOCK_WAITS)
        assert removed == EMPTY_BATCH
        assert await kept(engine) == {old.conversation_id}


async def test_turns_of_other_conversations_go_on_while_a_batch_is_being_removed(
    migrated_mysql_uri: str,
) -> None:
    async with (
        databases.open_engine(migrated_mysql_uri) as engine,
        databases.open_engine(migrated_mysql_uri) as other,
    ):
        store = Store(other, attempts=1)
        # Ids are random: each living conversation has an old one as its neighbour in each index.
        old = [await store_conversation(store, number) for number in range(0, 16, 2)]
        living = [await begin_free_turn(store, trace_id=numbered_trace(n)) for n in range(1, 16, 2)]
        await untouched_for(engine, 31 * DAY, *old)
        batch = expiring(engine)
        removed: set[str] = set()
        async with engine.begin() as db:
            assert await db.run_sync(batch._remove_batch, removed) == 0
            assert len(removed) == len(old)
            # A lock that is waited for ends with an error: there is one attempt.
            for turn in living:
                await store.append(turn, [reply("more")])
                await store.append(turn, (), lease_seconds=20)
                await finish_turn(store, turn)
            for number in range(100, 104):
                quotas = Quotas(owner_turns=99, owner_turns_per_minute=99, owner_conversations=99)
                assert await try_begin_turn(store, trace_id=numbered_trace(number), quotas=quotas)


@pytest.mark.parametrize(
    ("events_each", "sizes"),
    [
        (0, [BATCH_CONVERSATIONS, 1]),
        (BATCH_EVENTS // 2, [2, 1]),
        (BATCH_EVENTS // 2 + 1, [1, 1]),
        (BATCH_EVENTS, [1, 1]),
        (BATCH_EVENTS + 1, [0, 1, 0, 1]),
    ],
)
async def test_a_batch_is_small(engine: AsyncEngine, events_each: int, sizes: list[int]) -> None:
    row = {
        "workspace": ALICE.workspace,
        "owner": ALICE.name,
        "number": 1,
        "marker": "m",
        "next_sequence": events_each + 1,
        "created_at": utc_in(-31 * DAY),
        "updated_at": utc_in(-31 * DAY),
    }
    async with engine.begin() as db:
        for number in range(sum(sizes)):
            own = {"id": str(uuid4()), "trace_id": numbered_trace(number)}
            await db.execute(sessions.insert().values(row | own))
    process = expiring(engine)
    removed = []
    while (batch := await process.remove_batch()) != EMPTY_BATCH:
        assert batch is not None
        removed.append(len(batch.gone))
    assert removed == sizes


async def test_a_long_conversation_is_removed_from_its_end_and_reads_well_meanwhile(
    store: Store, engine: AsyncEngine
) -> None:
    turn = await store_conversation(store, 1, replies=BATCH_EVENTS)
    await untouched_for(engine, 31 * DAY, turn)
    process = expiring(engine)

    assert await process.remove_batch() == RemovedBatch(frozenset(), shortened=1)

    assert await read_event_types(store, turn.conversation_id) == [
        "turn_started",
        "reply_completed",
    ]
    again = await begin_free_turn(store, trace_id=numbered_trace(1))
    await finish_turn(store, again)
    assert (await read_event_types(store, turn.conversation_id))[2:] == [
        "turn_started",
        "turn_finished",
    ]
    assert await process.remove_batch() == EMPTY_BATCH
    await untouched_for(engine, 31 * DAY, turn)
    assert await process.remove_batch() == gone(turn)


async def test_one_process_removes_and_another_takes_over_once_its_lease_is_over(
    store: Store, engine: AsyncEngine
) -> None:
    turns = [await store_conversation(store, number) for number in range(3)]
    first, second = expiring(engine), expiring(engine)
    await untouched_for(engine, 31 * DAY, turns[0])
    assert await first.remove_batch() == gone(turns[0])

    await untouched_for(engine, 31 * DAY, turns[1])
    assert await second.remove_batch() is None
    async with engine.begin() as db:
        await db.execute(chores.update().values(lease_until=utc_in(-1)))
    assert await second.remove_batch() == gone(turns[1])

    await untouched_for(engine, 31 * DAY, turns[2])
    assert await first.remove_batch() is None
    assert await second.remove_batch() == gone(turns[2])


async def test_of_several_processes_that_start_at_once_one_removes(database_uri: str) -> None:
    outcomes: list[RemovedBatch | None] = []

    async def remove(process: RetentionBatches) -> None:
        outcomes.append(await process.remove_batch())

    async with (
        databases.open_engine(database_uri) as one,
        databases.open_engine(database_uri) as two,
    ):
        old = await store_conversation(Store(one), 1)
        await untouched_for(one, 31 * DAY, old)
        async with anyio.create_task_group() as group:
            for engine in (one, two, one, two):
                group.start_soon(remove, expiring(engine))
    assert sorted(outcomes, key=str) == [None, None, None, gone(old)]


async def test_retention_deletes_old_admissions(store: Store, engine: AsyncEngine) -> None:
    for number in range(2):
        quotas = Quotas(owner_turns_per_minute=9)
        await begin_free_turn(store, trace_id=numbered_trace(number), quotas=quotas)
    async with engine.begin() as db:
        await db.execute(admissions.update().values(admitted_at=utc_in(-DAY - 1)))

    assert await expiring(engine).remove_batch() == EMPTY_BATCH

    async with engine.begin() as db:
        assert await db.scalar(select(func.count()).select_from(admissions)) == 0


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[tuple[AsyncEngine, list[tuple[str, Any]]]]:
    """A SQLite database, and the statements that it is asked."""
    statements: list[tuple[str, Any]] = []
    async with databases.open_engine(f"sqlite:///{tmp_path / 'a.db'}") as engine:
        await migrations.prepare_schema(engine, migrate=True, attempts=1, delay=0)
        event.listen(
            engine.sync_engine,
            "before_cursor_execute",
            lambda _c, _cursor, statement, values, _x, _m: statements.append((statement, values)),
        )
        yield engine, statements


async def test_no_query_scans_a_whole_table(
    asked: tuple[AsyncEngine, list[tuple[str, Any]]],
) -> None:
    engine, statements = asked
    old = await store_conversation(Store(engine), 1)
    await untouched_for(engine, 31 * DAY, old)
    statements.clear()
    await expiring(engine).remove_batch()
    looked = [each for each in statements if each[0].startswith(("SELECT", "UPDATE", "DELETE"))]
    assert len(looked) > 3
    async with engine.begin() as db:
        for statement, values in looked:
            plan = await db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            assert not [row for row in plan if row.detail.startswith("SCAN opik")], statement
