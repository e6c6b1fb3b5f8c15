"""Who waits for whom: the locks that the promises of the store rest on."""

import anyio
import pytest
from anyio.lowlevel import checkpoint
from sqlalchemy import Update, text, update

from app.db import migrations
from app.db.event_rows import TurnKey
from app.db.schema import facts, sessions
from app.db.store import Store
from app.errors import TurnLost
from testkit import databases
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


async def test_a_deadlock_is_tried_again(migrated_mysql_uri: str) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await checkpoint()

    async with (
        databases.open_engine(migrated_mysql_uri) as engine,
        databases.open_engine(migrated_mysql_uri) as other,
    ):
        store = Store(engine, sleep=pause)
        first, second = (
            await begin_free_turn(store),
            await begin_free_turn(store, trace_id=OTHER_TRACE),
        )

        async def adopt() -> None:
            await store.adopt(source=ALICE, target=BOB)

        async with anyio.create_task_group() as group, other.connect() as db:
            # The server ends the lighter of two transactions: this one has changed more.
            for number in range(20):
                await db.execute(facts.insert().values(name=f"weight {number}", value=""))
            await db.execute(_locked(second))
            group.start_soon(adopt)
            await databases.wait_for_lock_wait(other, databases.ROW_LOCK_WAITS)
            await db.execute(_locked(first))

        assert pauses != []
        assert await store.find(ALICE, TRACE) is None
        assert await store.find(BOB, TRACE) is not None
        assert await store.find(BOB, OTHER_TRACE) is not None


def _locked(turn: TurnKey) -> Update:
    row = update(sessions).where(sessions.c.id == turn.conversation_id)
    return row.values(marker="locked")


@pytest.mark.parametrize("write", ["append", "end", "renew"])
async def test_a_write_waits_for_a_take_over_that_has_begun_and_is_then_refused(
    migrated_mysql_uri: str, write: str
) -> None:
    async with databases.open_engine(migrated_mysql_uri) as engine:
        store = Store(engine)
        turn = await begin_free_turn(store)
        refused: list[TurnLost] = []

        async def late() -> None:
            try:
                if write == "append":
                    await store.append(turn, [reply("too late")])
                elif write == "end":
                    await finish_turn(store, turn)
                else:
                    await store.append(turn, (), lease_seconds=20)
            except TurnLost as lost:
                refused.append(lost)

        async with anyio.create_task_group() as group, engine.begin() as db:
            await db.execute(_taken(turn))
            group.start_soon(late)
            await databases.wait_for_lock_wait(engine, databases.ROW_LOCK_WAITS)

        assert len(refused) == 1
        assert await read_event_types(store, turn.conversation_id) == ["turn_started"]


def _taken(turn: TurnKey) -> Update:
    row = update(sessions).where(sessions.c.id == turn.conversation_id)
    return row.values(active_turn_id="another turn")


async def test_a_second_migration_waits_for_the_first_on_the_same_database_only(
    empty_mysql_uri: str, migrated_mysql_uri: str
) -> None:
    order: list[str] = []

    async with (
        databases.open_engine(empty_mysql_uri) as engine,
        databases.open_engine(migrated_mysql_uri) as elsewhere,
    ):

        async def second() -> None:
            async with migrations.lock_schema(engine, attempts=1, delay=0):
                order.append("second")

        async with (
            anyio.create_task_group() as group,
            migrations.lock_schema(engine, attempts=1, delay=0),
        ):
            group.start_soon(second)
            await databases.wait_for_lock_wait(elsewhere, databases.NAMED_LOCK_WAITS)
            async with migrations.lock_schema(elsewhere, attempts=1, delay=0):
                order.append("elsewhere")
            order.append("first")

    assert order == ["elsewhere", "first", "second"]


async def test_a_long_database_name_makes_a_lock_name_that_the_server_takes(
    mysql_server_uri: str,
) -> None:
    names = {migrations.lock_name("d" * length) for length in (1, 60, 63, 64)}
    async with databases.open_engine(mysql_server_uri) as engine, engine.begin() as db:
        for name in names:
            assert await db.scalar(text("SELECT GET_LOCK(:name, 0)"), {"name": name}) == 1
            assert await db.scalar(text("SELECT RELEASE_LOCK(:name)"), {"name": name}) == 1
    assert len(names) == 4
