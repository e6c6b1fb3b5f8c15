"""A turn whose database fails while it runs: nothing is lost, doubled, reordered or held up."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from app.conversation.event_writer import MAX_PENDING_BYTES, StorageTimeouts
from app.conversation.turn import SHUTTING_DOWN, Turn
from app.db.event_size import CUT_MARK
from app.db.store import Store
from app.errors import ModelFailed
from app.events import Event, ToolCompleted, TurnCancelled, TurnFailed, TurnFinished
from testkit import databases
from tests.conversation.turn_setup import BRIEF, logged, ran, tool_done, turn_on
from tests.db.missing_events import bring_events_back, take_events_away, without_events
from tests.db.writing import ALICE, TRACE, try_begin_turn

PATIENT = StorageTimeouts(lease=20, event=0.2, pause=0.02, end=15)


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    with anyio.fail_after(60):
        while not await condition():  # noqa: ASYNC110 - the database reports no change
            await anyio.sleep(0.02)


def shown_calls(events: list[Event]) -> list[str]:
    return [each.call_id for each in events if isinstance(each, ToolCompleted)]


async def test_events_of_an_outage_are_shown_at_once_and_stored_after_it(
    store: Store, engine: AsyncEngine
) -> None:
    turn = await turn_on(store)

    async def all_stored() -> bool:
        return len(await logged(store, turn.key)) == 4

    async def answer(_: Turn) -> None:
        await turn.emit(tool_done(0))
        async with without_events(engine):
            for number in (1, 2, 3):
                await turn.emit(tool_done(number))
        await until(all_stored)
        await turn.emit(tool_done(4))

    events = await ran(turn, answer)

    assert shown_calls(events) == ["c0", "c1", "c2", "c3", "c4"]
    assert events[-1] == TurnFinished()
    stored = await logged(store, turn.key)
    assert stored == [*(tool_done(number) for number in range(5)), TurnFinished()]


async def test_the_end_of_a_turn_waits_for_the_database_and_stores_all_pending_events(
    store: Store, engine: AsyncEngine
) -> None:
    turn = await turn_on(store, timeouts=PATIENT)
    await take_events_away(engine)

    async def answer(_: Turn) -> None:
        await turn.emit(tool_done(0))

    async with anyio.create_task_group() as group:
        group.start_soon(turn.run, answer)
        assert await turn.feed.next(15) == tool_done(0)
        assert await turn.feed.next(0.1) is None
        await bring_events_back(engine)
        assert await turn.feed.next(15) == TurnFinished()

    assert await logged(store, turn.key) == [tool_done(0), TurnFinished()]
    found = await store.find(ALICE, TRACE)
    assert found is not None
    assert found.active_turn_id is None


async def test_events_that_are_never_stored_are_reported_to_the_user_and_logged(
    store: Store, engine: AsyncEngine
) -> None:
    turn = await turn_on(store)

    async def answer(_: Turn) -> None:
        await turn.emit(tool_done(0, "the content"))

    with structlog.testing.capture_logs() as logs:
        async with without_events(engine):
            events = await ran(turn, answer)

    last = events[-1]
    assert isinstance(last, TurnFailed)
    assert last.code == "not_stored"
    assert "above is complete" in last.message
    lines = [each for each in logs if each["event"] == "turn_storage_failed"]
    assert [each["events"] for each in lines] == [2]
    assert "the content" not in str(logs)


async def test_a_failure_that_is_never_stored_keeps_its_message(
    store: Store, engine: AsyncEngine
) -> None:
    turn = await turn_on(store)

    async def answer(_: Turn) -> None:
        raise ModelFailed("The model is away.")

    async with without_events(engine):
        last = (await ran(turn, answer))[-1]

    assert isinstance(last, TurnFailed)
    assert last.code == "model_failed"
    assert last.message.startswith("The model is away.")
    assert "missing after a reload" in last.message


async def test_a_turn_stopped_in_an_outage_is_stored_when_it_is_over(
    store: Store, engine: AsyncEngine
) -> None:
    turn = await turn_on(store, timeouts=PATIENT)
    await take_events_away(engine)

    async def answer(_: Turn) -> None:
        await turn.emit(tool_done(0))
        turn.stop()
        await anyio.sleep_forever()

    async with anyio.create_task_group() as group:
        group.start_soon(turn.run, answer)
        assert await turn.feed.next(15) == tool_done(0)
        await bring_events_back(engine)
        assert await turn.feed.next(15) == TurnCancelled()

    assert await logged(store, turn.key) == [tool_done(0), TurnCancelled()]


@pytest.mark.slow
async def test_a_process_that_leaves_does_not_wait_long_for_a_database_that_is_away(
    store: Store, engine: AsyncEngine
) -> None:
    turn = await turn_on(store, timeouts=StorageTimeouts(lease=20, event=0.2, pause=0.02, end=600))

    async def answer(_: Turn) -> None:
        await turn.emit(tool_done(0))
        turn.stop(SHUTTING_DOWN)
        await anyio.sleep_forever()

    async with without_events(engine):
        with anyio.fail_after(60):
            last = (await ran(turn, answer))[-1]

    assert isinstance(last, TurnFailed)
    assert last.code == "shutting_down"


@pytest.mark.parametrize("seed", range(8))
async def test_no_order_of_outages_and_events_loses_repeats_or_reorders_any(
    store: Store, engine: AsyncEngine, seed: int
) -> None:
    chance = random.Random(seed)
    turn = await turn_on(store, timeouts=StorageTimeouts(lease=20, event=0.01, pause=0.001, end=15))
    down = False

    async def answer(_: Turn) -> None:
        nonlocal down
        async with anyio.create_task_group() as group:
            for number in range(30):
                if chance.random() < 0.3:
                    await (bring_events_back if down else take_events_away)(engine)
                    down = not down
                if chance.random() < 0.5:
                    await turn.emit(tool_done(number))
                else:
                    group.start_soon(turn.emit, tool_done(number))
                    await anyio.lowlevel.checkpoint()
        if down:
            await bring_events_back(engine)

    events = await ran(turn, answer)

    calls = [f"c{number}" for number in range(30)]
    assert sorted(shown_calls(events)) == sorted(calls)
    assert events[-1] == TurnFinished()
    stored = await logged(store, turn.key)
    assert [each.call_id for each in stored if isinstance(each, ToolCompleted)] == calls
    assert stored[-1] == TurnFinished()


async def test_a_lease_that_ran_out_in_an_outage_still_holds_without_a_take_over(
    store: Store, engine: AsyncEngine
) -> None:
    turn = await turn_on(store, lease=0.4)

    async def free() -> bool:
        found = await store.find(ALICE, TRACE)
        assert found is not None
        return found.active_turn_id is None

    async def held() -> bool:
        return not await free()

    async def answer(_: Turn) -> None:
        async with without_events(engine):
            await turn.emit(tool_done(0))
            await until(free)
        await until(held)

    assert (await ran(turn, answer))[-1] == TurnFinished()
    assert await logged(store, turn.key) == [tool_done(0), TurnFinished()]


async def test_a_turn_taken_over_in_an_outage_ends_and_adds_nothing(
    store: Store, engine: AsyncEngine
) -> None:
    turn = await turn_on(
        store, lease=0.4, timeouts=StorageTimeouts(lease=20, event=60, pause=15, end=5)
    )

    async def taken_over() -> bool:
        return await try_begin_turn(store) is not None

    async def answer(_: Turn) -> None:
        async with without_events(engine):
            await turn.emit(tool_done(0))  # returns when a write has failed
        await until(taken_over)

    last = (await ran(turn, answer))[-1]
    assert isinstance(last, TurnFailed)
    assert last.code == "turn_lost"
    assert [each.type for each in await logged(store, turn.key)] == ["turn_interrupted"]


async def test_a_long_silent_turn_notices_that_it_was_taken_over(
    store: Store,
) -> None:
    turn = await turn_on(store, lease=0.4)

    async def answer(_: Turn) -> None:
        await store.delete(ALICE, TRACE)
        await anyio.sleep_forever()

    last = (await ran(turn, answer))[-1]
    assert isinstance(last, TurnFailed)
    assert last.code == "turn_lost"


async def test_pending_events_are_bounded_and_marked_where_they_are_cut(
    store: Store, engine: AsyncEngine
) -> None:
    turn = await turn_on(store)
    big = "x" * (MAX_PENDING_BYTES // 4)

    async def answer(_: Turn) -> None:
        async with without_events(engine):
            for number in range(8):
                await turn.emit(tool_done(number, big))

    events = await ran(turn, answer)

    assert [each.text for each in events if isinstance(each, ToolCompleted)] == [big] * 8
    stored = await logged(store, turn.key)
    texts = [each.text for each in stored if isinstance(each, ToolCompleted)]
    assert texts[:3] == [big] * 3
    assert all(text.endswith(CUT_MARK) for text in texts[3:])
    assert len(texts) == 8
    assert sum(map(len, texts)) < MAX_PENDING_BYTES * 1.1


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    uri = f"sqlite:///{tmp_path / 'small.db'}"
    await anyio.to_thread.run_sync(databases.migrate, uri)
    async with databases.open_engine(uri) as engine:
        yield engine


async def test_a_file_locked_by_another_process_holds_no_turn_up(
    sqlite: AsyncEngine,
) -> None:
    store = Store(sqlite)
    turn = await turn_on(store)

    async def answer(_: Turn) -> None:
        async with databases.open_engine(str(sqlite.url)) as other, other.begin():
            await turn.emit(tool_done(0))
            await turn.emit(tool_done(1))

    assert (await ran(turn, answer))[-1] == TurnFinished()
    assert await logged(store, turn.key) == [tool_done(0), tool_done(1), TurnFinished()]


async def test_a_full_disk_is_waited_for_and_reported_only_if_it_stays_full(
    sqlite: AsyncEngine,
) -> None:
    store = Store(sqlite)

    async def pages(limit: int) -> None:
        async with sqlite.begin() as db:
            await db.exec_driver_sql(f"PRAGMA max_page_count = {limit}")

    async def answer(turn: Turn) -> None:
        await pages(1)
        await turn.emit(tool_done(0, "x" * 50_000))
        await turn.emit(tool_done(1))

    async def room_again(turn: Turn) -> None:
        await answer(turn)
        await pages(100_000)

    full = await turn_on(store)
    events = await ran(full, answer)
    assert shown_calls(events) == ["c0", "c1"]
    assert isinstance(events[-1], TurnFailed)
    assert events[-1].code == "not_stored"
    await pages(100_000)
    await store.delete(ALICE, TRACE)

    freed = await turn_on(store, timeouts=BRIEF)
    assert (await ran(freed, room_again))[-1] == TurnFinished()
    assert await logged(store, freed.key) == [
        tool_done(0, "x" * 50_000),
        tool_done(1),
        TurnFinished(),
    ]
