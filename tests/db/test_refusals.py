"""A database that answers, but refuses writes."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import structlog
from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from app.conversation.turn import Turn
from app.db.event_size import CUT_MARK
from app.db.migrations import SchemaCheck
from app.db.schema import events, sessions, turns
from app.db.store import Store
from app.errors import DatabaseUnavailable
from app.events import ReplyCompleted, TurnFinished, TurnStarted
from testkit import databases
from tests.conversation.turn_setup import logged, ran, tool_done, turn_on
from tests.db.missing_events import without_events
from tests.db.writing import begin_free_turn, finish_turn, reply

PLAIN = "plain@127.0.0.1"
KILOBYTE = 1_024
"""Server variables of sizes are multiples of it."""


@pytest.fixture
async def server(private_server: databases.PrivateServer) -> AsyncIterator[AsyncEngine]:
    """The server, as a user with all rights."""
    async with databases.open_engine(private_server.uri("information_schema")) as engine:
        yield engine


@pytest.fixture
def uri(private_server: databases.PrivateServer) -> Iterator[str]:
    uri = databases.create_database(private_server.uri("information_schema"))
    databases.migrate(uri)
    yield uri
    databases.drop_database(uri)


@pytest.fixture
async def plain_uri(server: AsyncEngine, uri: str) -> AsyncIterator[str]:
    """The database for a user who may read and write there, and nothing else."""
    url = make_url(uri).set(username="plain", password="plain")
    await _do(server, f"CREATE USER {PLAIN} IDENTIFIED BY 'plain'")
    await _do(server, f"GRANT SELECT, UPDATE, DELETE ON {url.database}.* TO {PLAIN}")
    for each in (sessions, turns, events):
        # A right to a table goes at once, one to a database only with the connections.
        await _do(server, f"GRANT INSERT ON {url.database}.{each.name} TO {PLAIN}")
    yield url.render_as_string(hide_password=False)
    await _do(server, f"DROP USER {PLAIN}")


async def _do(engine: AsyncEngine, statement: str) -> None:
    async with engine.begin() as db:
        await db.exec_driver_sql(statement)


async def _variable(engine: AsyncEngine, name: str) -> int:
    async with engine.begin() as db:
        value = (await db.exec_driver_sql(f"SELECT @@GLOBAL.{name}")).scalar()
    assert isinstance(value, int)
    return value


@pytest.mark.parametrize("kilobytes", [16, 64])
async def test_an_event_larger_than_a_packet_is_cut_and_others_stay_whole(
    server: AsyncEngine, uri: str, kilobytes: int
) -> None:
    before = await _variable(server, "max_allowed_packet")
    await _do(server, f"SET GLOBAL max_allowed_packet = {kilobytes * KILOBYTE}")
    try:
        async with databases.open_engine(uri) as engine:
            store = Store(engine)
            turn = await begin_free_turn(store, question='"' * kilobytes * KILOBYTE)
            many = [reply("x" * 3_000) for _ in range(kilobytes)]
            await store.append(turn, [reply('"' * kilobytes * KILOBYTE), reply("small"), *many])
            await finish_turn(store, turn)
            log = [each.event for each in await store.events(turn.conversation_id)]
    finally:
        await _do(server, f"SET GLOBAL max_allowed_packet = {before}")

    assert isinstance(log[0], TurnStarted)
    assert log[0].question.endswith(CUT_MARK)
    texts = [each.text for each in log if isinstance(each, ReplyCompleted)]
    assert texts[0].endswith(CUT_MARK)
    assert len(texts[0]) > kilobytes * KILOBYTE // 6
    assert texts[1:] == ["small", *["x" * 3_000] * kilobytes]
    assert log[-1] == TurnFinished()


@asynccontextmanager
async def refusing(server: AsyncEngine, uri: str, refusal: str) -> AsyncIterator[None]:
    """A database that takes no events of the plain user meanwhile."""
    table = f"{make_url(uri).database}.{events.name}"
    refuse, allow = {
        "read only": ("SET GLOBAL read_only = 1", "SET GLOBAL read_only = 0"),
        "no right": (
            f"REVOKE INSERT ON {table} FROM {PLAIN}",
            f"GRANT INSERT ON {table} TO {PLAIN}",
        ),
    }[refusal]
    await _do(server, refuse)
    try:
        yield
    finally:
        await _do(server, allow)


@pytest.mark.parametrize("refusal", ["read only", "no right"])
async def test_a_turn_survives_a_database_that_refuses_writes_for_a_while(
    server: AsyncEngine, plain_uri: str, refusal: str
) -> None:
    calls_done = [tool_done(0), tool_done(1)]
    async with databases.open_engine(plain_uri) as engine:
        store = Store(engine)
        turn = await turn_on(store)

        async def answer(_: Turn) -> None:
            async with refusing(server, plain_uri, refusal):
                for each in calls_done:
                    await turn.emit(each)
                with pytest.raises(DatabaseUnavailable):
                    await store.append(turn.key, [reply("refused")])

        assert await ran(turn, answer) == [*calls_done, TurnFinished()]
        assert await logged(store, turn.key) == [*calls_done, TurnFinished()]


@pytest.mark.parametrize("refusal", ["read only", "no right"])
async def test_a_database_that_refuses_writes_is_not_ready(
    server: AsyncEngine, plain_uri: str, refusal: str
) -> None:
    async with databases.open_engine(plain_uri) as engine:
        check = SchemaCheck(engine)
        async with refusing(server, plain_uri, refusal):
            with pytest.raises(DatabaseUnavailable):
                await check.find_fault_for_turns()
            assert await check.find_fault() is None, "who only reads is not refused"
        assert await check.find_fault_for_turns() is None


async def test_a_turn_goes_on_while_another_transaction_holds_its_lock(uri: str) -> None:
    calls_done = [tool_done(0), tool_done(1)]
    async with databases.open_engine(uri) as engine, databases.open_engine(uri) as other:
        store = Store(engine)
        turn = await turn_on(store)

        async def answer(_: Turn) -> None:
            async with other.begin() as db:
                await db.execute(select(sessions.c.id).with_for_update())
                for each in calls_done:
                    await turn.emit(each)

        assert await ran(turn, answer) == [*calls_done, TurnFinished()]
        assert await logged(store, turn.key) == [*calls_done, TurnFinished()]


async def test_a_missing_schema_is_reported_and_logged_without_content(
    store: Store, engine: AsyncEngine
) -> None:
    turn = await begin_free_turn(store)
    with structlog.testing.capture_logs() as logs:
        async with without_events(engine):
            with pytest.raises(DatabaseUnavailable) as caught:
                await store.append(turn, [reply("secret words")])

    assert "database" in caught.value.message
    assert events.name not in caught.value.message
    assert "secret words" not in str(logs)
    assert logs[-1]["log_level"] in ("error", "warning")
