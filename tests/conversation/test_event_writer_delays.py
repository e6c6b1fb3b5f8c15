"""A turn whose database answers late, hangs, or loses its connections in every possible place."""

from collections.abc import AsyncIterator, Iterator

import anyio
import pytest
import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.conversation.event_writer import StorageTimeouts
from app.conversation.turn import Turn
from app.db import transactions
from app.db.quotas import Quotas
from app.db.schema import admissions
from app.db.store import Store
from app.events import StoredEvent, TurnFailed, TurnFinished
from testkit import databases
from tests.conversation.turn_setup import BRIEF, logged, model_call, ran, tool_done, turn_on
from tests.db.lagging_proxy import LaggingProxy
from tests.db.writing import ALICE, TRACE, ping_database

_FAR_BEYOND_A_MOMENT = 30  # seconds: a hundred times the wait for an event
CALLS_DONE = [tool_done(number) for number in range(5)]


@pytest.fixture
def uri(private_server: databases.PrivateServer) -> Iterator[str]:
    uri = databases.create_database(private_server.uri("information_schema"))
    databases.migrate(uri)
    yield uri
    databases.drop_database(uri)


@pytest.fixture
async def proxy(private_server: databases.PrivateServer) -> AsyncIterator[LaggingProxy]:
    async with LaggingProxy(private_server.port).running() as proxy:
        yield proxy


@pytest.fixture
async def distant(uri: str, proxy: LaggingProxy) -> AsyncIterator[AsyncEngine]:
    """The database at the other end of the proxy."""
    async with databases.open_engine(proxy.uri(uri)) as engine:
        yield engine
        proxy.hangs = False


async def charged(engine: AsyncEngine, turn: Turn) -> int | None:
    """The tokens that are noted for a turn; None for one that no limit looks at."""
    query = select(admissions.c.tokens).where(admissions.c.turn_id == turn.key.turn_id)
    async with engine.begin() as db:
        return await db.scalar(query)


async def say_all(turn: Turn) -> None:
    for each in CALLS_DONE:
        await turn.emit(each)


async def test_a_hanging_database_holds_nothing_up_but_the_first_event_and_that_for_a_moment(
    distant: AsyncEngine, proxy: LaggingProxy
) -> None:
    store, timeouts = Store(distant), StorageTimeouts(lease=20, event=0.3, pause=0.02, end=60)
    turn = await turn_on(store, writing=Store(distant, seconds=60), timeouts=timeouts)
    emitted: list[StoredEvent] = []

    async def emit(event: StoredEvent) -> None:
        await turn.emit(event)
        emitted.append(event)

    async def answer(_: Turn) -> None:
        proxy.hangs = True
        try:
            began = anyio.current_time()
            await emit(CALLS_DONE[0])
            assert anyio.current_time() - began < _FAR_BEYOND_A_MOMENT
            assert [each["reason"] for each in logs if each["event"] == "turn_storage_delayed"] == [
                "slow"
            ]
            async with anyio.create_task_group() as group:
                for number in range(1, len(CALLS_DONE)):
                    group.start_soon(emit, CALLS_DONE[number])
                    await anyio.wait_all_tasks_blocked()
                    assert emitted == CALLS_DONE[: number + 1]
        finally:
            proxy.hangs = False

    with structlog.testing.capture_logs() as logs:
        assert await ran(turn, answer) == [*CALLS_DONE, TurnFinished()]
    assert await logged(store, turn.key) == [*CALLS_DONE, TurnFinished()]


async def test_no_reply_waits_for_its_tokens_to_be_stored_and_all_are_stored_in_the_end(
    distant: AsyncEngine, proxy: LaggingProxy
) -> None:
    store, timeouts = Store(distant), StorageTimeouts(lease=20, event=0.1, pause=0.02, end=20)
    quotas = Quotas(workspace_tokens_per_day=1_000)
    turn = await turn_on(store, timeouts=timeouts, quotas=quotas)

    async def answer(_: Turn) -> None:
        proxy.hangs = True
        turn.record_model_call(model_call(100))
        await say_all(turn)
        turn.record_model_call(model_call(150))
        proxy.hangs = False

    assert (await ran(turn, answer))[-1] == TurnFinished()
    assert await charged(distant, turn) == 250


async def test_a_turn_that_lost_its_conversation_is_charged_for_its_last_reply(
    distant: AsyncEngine,
) -> None:
    store, quotas = Store(distant), Quotas(workspace_tokens_per_day=1_000)
    turn = await turn_on(store, lease=0.4, quotas=quotas)

    async def answer(_: Turn) -> None:
        await store.delete(ALICE, TRACE)
        try:
            await anyio.sleep_forever()
        finally:
            turn.record_model_call(model_call(300))

    last = (await ran(turn, answer))[-1]

    assert isinstance(last, TurnFailed)
    assert last.code == "turn_lost"
    assert await charged(distant, turn) == 300


async def test_a_database_that_hangs_to_the_end_is_reported_to_the_user(
    distant: AsyncEngine, proxy: LaggingProxy
) -> None:
    turn = await turn_on(Store(distant), writing=Store(distant, seconds=0.3), timeouts=BRIEF)

    async def answer(_: Turn) -> None:
        proxy.hangs = True
        await say_all(turn)

    with anyio.fail_after(60):
        events = await ran(turn, answer)

    assert events[:-1] == CALLS_DONE
    assert isinstance(events[-1], TurnFailed)
    assert events[-1].code == "not_stored"


async def test_connections_that_all_died_unnoticed_cost_one_wait_in_all(
    distant: AsyncEngine, proxy: LaggingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "LOG_INTERVAL_SECONDS", 0)
    store, timeouts = Store(distant), StorageTimeouts(lease=20, event=0.1, pause=0.02, end=20)

    async def in_use() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(ping_database, store)

    await in_use()
    assert proxy.connections >= 5
    turn = await turn_on(store, writing=Store(distant, seconds=0.5), timeouts=timeouts)

    async def answer(_: Turn) -> None:
        proxy.forget()
        await say_all(turn)

    with structlog.testing.capture_logs() as logs:
        assert (await ran(turn, answer))[-1] == TurnFinished()

    assert await logged(store, turn.key) == [*CALLS_DONE, TurnFinished()]
    waits = [each for each in logs if each["event"] == "database_unavailable"]
    assert 1 <= len(waits) < 4


@pytest.mark.slow
async def test_a_connection_cut_in_any_place_of_a_turn_costs_neither_an_event_nor_a_word(
    distant: AsyncEngine, proxy: LaggingProxy
) -> None:
    store, cut_after = Store(distant, attempts=1), 0
    while True:
        turn = await turn_on(store, timeouts=StorageTimeouts(lease=20, event=5, pause=0.01, end=20))

        async def answer(turn: Turn) -> None:
            proxy.cut_after = cut_after  # noqa: B023 - runs within this round
            await say_all(turn)

        assert await ran(turn, answer) == [*CALLS_DONE, TurnFinished()]
        if proxy.cut_after is not None:
            break
        assert await logged(store, turn.key) == [*CALLS_DONE, TurnFinished()]
        cut_after += 1
    assert cut_after > 20


@pytest.mark.parametrize(
    "seconds", [0.03, pytest.param(2.0, marks=pytest.mark.slow)], ids=["late", "very late"]
)
async def test_a_slow_database_gets_everything_in_the_end(
    distant: AsyncEngine, proxy: LaggingProxy, seconds: float
) -> None:
    """2 s a statement, with the timeouts of the service; the same at a smaller scale."""
    store = Store(distant)
    scale = seconds / 2
    await ping_database(store)
    proxy.seconds = seconds
    turn = await turn_on(
        store, timeouts=StorageTimeouts(lease=20, end=10 * scale, event=2 * scale, pause=scale)
    )

    async def answer(_: Turn) -> None:
        await say_all(turn)

    events = await ran(turn, answer)
    proxy.seconds = 0

    assert events == [*CALLS_DONE, TurnFinished()]
    assert await logged(store, turn.key) == [*CALLS_DONE, TurnFinished()]
