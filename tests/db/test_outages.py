"""What happens when the database, or the one who asks it, goes away."""

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio
import pytest
from anyio.lowlevel import checkpoint
from sqlalchemy import select, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.engine import create_engine
from app.db.migrations import SchemaCheck
from app.db.schema import sessions
from app.db.store import Store
from app.errors import DatabaseUnavailable
from app.events import ReplyCompleted, TurnFinished
from app.messages import TokenUsage
from app.settings import database_url
from testkit import databases
from tests.db.cutting_proxy import CuttingProxy
from tests.db.lagging_proxy import LaggingProxy
from tests.db.writing import (
    ALICE,
    TRACE,
    begin_free_turn,
    entry,
    finish_turn,
    ping_database,
    read_event_types,
    reply,
    try_begin_turn,
)

OTHER_TRACE = "0199a0c2-0000-7000-8000-000000000002"


async def _at_once(_seconds: float) -> None:
    await checkpoint()


@pytest.fixture
def private_uri(private_server: databases.PrivateServer) -> Iterator[str]:
    """A migrated database on the server that may be killed."""
    uri = databases.create_database(private_server.uri("information_schema"))
    databases.migrate(uri)
    yield uri
    databases.drop_database(uri)


@pytest.fixture
async def private_store(private_uri: str) -> AsyncIterator[Store]:
    store = Store(create_engine(database_url(private_uri), pool_recycle=-1), sleep=_at_once)
    yield store
    await store._transactions._engine.dispose()


async def test_a_killed_database_is_unavailable_and_the_first_call_after_its_return_succeeds(
    private_store: Store, private_server: databases.PrivateServer
) -> None:
    turn = await begin_free_turn(private_store)
    private_server.kill()
    try:
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable) as caught:
                await private_store.append(turn, [reply("lost")])
    finally:
        private_server.start()

    await private_store.append(turn, [reply("kept")])

    assert await read_event_types(private_store, turn.conversation_id) == [
        "turn_started",
        "reply_completed",
    ]
    for secret in (databases.PASSWORD, "127.0.0.1", str(private_server.port)):
        assert secret not in caught.value.message


async def test_connections_are_checked_before_use_so_that_a_restart_goes_unnoticed(
    private_uri: str, private_server: databases.PrivateServer
) -> None:
    store = Store(create_engine(database_url(private_uri), pool_recycle=-1), attempts=1)

    async def ping_all() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(15):
                group.start_soon(ping_database, store)

    await ping_all()
    private_server.kill()
    private_server.start()
    await ping_all()
    await store._transactions._engine.dispose()


async def test_a_hanging_database_is_unavailable_and_its_return_is_noticed(
    private_uri: str, private_server: databases.PrivateServer
) -> None:
    async with (
        LaggingProxy(private_server.port).running() as proxy,
        databases.open_engine(proxy.uri(private_uri)) as engine,
    ):
        assert await SchemaCheck(engine).find_fault() is None
        proxy.hangs = True
        with pytest.raises(DatabaseUnavailable, match="does not answer"):
            await SchemaCheck(engine, seconds=0.2).find_fault()
        with pytest.raises(DatabaseUnavailable, match="does not answer"):
            await ping_database(Store(engine, seconds=0.2))
        proxy.hangs = False
        assert await SchemaCheck(engine).find_fault() is None


async def test_a_sqlite_file_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    async with databases.open_engine(f"sqlite:///{tmp_path}") as engine:
        with pytest.raises(DatabaseUnavailable):
            await ping_database(Store(engine, sleep=_at_once))


async def test_a_sqlite_file_locked_by_another_process_is_unavailable_until_unlocked(
    tmp_path: Path,
) -> None:
    uri = f"sqlite:///{tmp_path / 'x.db'}"
    async with databases.open_engine(uri) as other, databases.open_engine(uri) as engine:
        async with engine.connect() as db:
            await db.execute(text("PRAGMA busy_timeout = 1"))
        store = Store(engine, attempts=2, sleep=_at_once)
        async with other.begin():
            with pytest.raises(DatabaseUnavailable):
                await ping_database(store)
        await ping_database(store)


async def test_a_commit_whose_outcome_is_unknown_is_repeated_without_doubling(
    private_uri: str, private_server: databases.PrivateServer
) -> None:
    proxy = CuttingProxy(private_server.port)
    async with proxy.running():
        url = make_url(private_uri).set(port=proxy.listening)
        engine = create_engine(
            database_url(url.render_as_string(hide_password=False)), pool_recycle=-1
        )
        store = Store(engine, sleep=_at_once)

        await ping_database(store)  # connects, which sends SET AUTOCOMMIT
        proxy.armed = True
        taken = await try_begin_turn(store)
        assert taken is not None
        conversation, turn = taken
        assert conversation.is_new
        proxy.armed = True
        await store.append(turn, [reply("once"), reply("and once")])
        proxy.armed = True
        await store.set_feedback(ALICE, TRACE, 1)
        proxy.armed = True
        last = entry(TurnFinished())
        await store.end_turn(turn, [last], usage=TokenUsage())

        assert proxy.cuts == 4
        log = await store.events(turn.conversation_id)
        assert [logged.event.type for logged in log] == [
            "turn_started",
            "reply_completed",
            "reply_completed",
            "turn_finished",
        ]
        running = await begin_free_turn(store)
        proxy.armed = True
        assert await store.delete(ALICE, TRACE) == {running.conversation_id: running.turn_id}
        assert proxy.cuts == 5
        await store._transactions._engine.dispose()


async def test_a_connection_that_breaks_after_its_work_is_replaced_without_an_error_in_the_log(
    private_uri: str, private_server: databases.PrivateServer, caplog: pytest.LogCaptureFixture
) -> None:
    proxy = CuttingProxy(private_server.port)
    async with proxy.running():
        url = make_url(private_uri).set(port=proxy.listening)
        async with databases.open_engine(url.render_as_string(hide_password=False)) as engine:
            store = Store(engine, sleep=_at_once)
            await ping_database(store)
            proxy.cut_at, proxy.armed = b"ROLLBACK", True
            await ping_database(store)
            assert proxy.cuts == 1
            await ping_database(store)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_cancelled_write_is_whole_or_absent_and_no_error_is_logged(
    store: Store, engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    turn = await begin_free_turn(store)
    started = 0

    async def write(number: int) -> None:
        nonlocal started
        started += 1
        await store.append(turn, [reply(f"{number} a"), reply(f"{number} b")])

    for steps in range(40):
        async with anyio.create_task_group() as group:
            group.start_soon(write, steps)
            for _ in range(steps):
                await checkpoint()
            group.cancel_scope.cancel()
    await finish_turn(store, turn)

    log = await store.events(turn.conversation_id)
    texts = [e.event.text for e in log if isinstance(e.event, ReplyCompleted)]
    pairs = [text.split() for text in texts]
    assert [which for _, which in pairs] == ["a", "b"] * started
    assert [logged.sequence for logged in log] == list(range(1, 2 * started + 3))
    assert started >= 39
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    async with engine.begin() as db:
        assert await db.scalar(select(sessions.c.active_turn_id)) is None


async def test_a_write_is_completed_inside_a_scope_that_is_already_cancelled(
    store: Store,
) -> None:
    turn = await begin_free_turn(store)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await store.append(turn, [reply("the last words")])

    assert await read_event_types(store, turn.conversation_id) == [
        "turn_started",
        "reply_completed",
    ]
