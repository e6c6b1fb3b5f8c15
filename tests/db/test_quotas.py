"""How many turns, conversations, events and tokens: each limit at its edge, and in a rush."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.caller import Owner
from app.db import migrations
from app.db.quotas import Quotas
from app.db.schema import admissions, sessions, turns
from app.db.store import Store
from app.db.turn_log import TurnStart
from app.errors import LimitReached
from app.events import TurnStarted
from testkit import databases
from tests.db.writing import (
    ALICE,
    ALL_QUOTAS,
    BOB,
    begin_numbered_turn,
    entry,
    finish_turn,
    numbered_trace,
    reply,
)

ROOT = Path(__file__).parents[2]
ELSEWHERE = Owner("elsewhere", "user:alice")


async def _refused(
    store: Store, number: int, quotas: Quotas, *, owner: Owner = ALICE
) -> LimitReached:
    with pytest.raises(LimitReached) as refusal:
        await begin_numbered_turn(store, number, quotas, owner=owner)
    return refusal.value


async def _age(engine: AsyncEngine, seconds: float) -> None:
    """Moves all admissions so much earlier."""
    async with engine.begin() as db:
        for row in await db.execute(select(admissions.c.turn_id, admissions.c.admitted_at)):
            earlier = row.admitted_at - timedelta(seconds=seconds)
            of_row = admissions.update().where(admissions.c.turn_id == row.turn_id)
            await db.execute(of_row.values(admitted_at=earlier))


async def _count(engine: AsyncEngine, table: Any) -> int:
    async with engine.begin() as db:
        return await db.scalar(select(func.count()).select_from(table)) or 0


async def test_concurrent_turns_of_one_owner_are_limited(store: Store) -> None:
    quotas = Quotas(owner_turns=2)
    first = await begin_numbered_turn(store, 1, quotas)
    await begin_numbered_turn(store, 2, quotas)

    refusal = await _refused(store, 3, quotas)

    assert refusal.message.startswith("You have 2 questions being answered now")
    assert refusal.retry_after is not None
    await begin_numbered_turn(store, 3, quotas, owner=BOB)
    await begin_numbered_turn(store, 3, quotas, owner=ELSEWHERE)
    await finish_turn(store, first)
    await begin_numbered_turn(store, 3, quotas)


async def test_concurrent_turns_of_one_workspace_are_limited(store: Store) -> None:
    quotas = Quotas(workspace_turns=2)
    first = await begin_numbered_turn(store, 1, quotas)
    await begin_numbered_turn(store, 2, quotas, owner=BOB)

    refusal = await _refused(store, 3, quotas)

    assert refusal.message.startswith("This workspace has 2 questions being answered now")
    assert refusal.retry_after is not None
    await begin_numbered_turn(store, 3, quotas, owner=ELSEWHERE)
    await finish_turn(store, first)
    await begin_numbered_turn(store, 3, quotas)


async def test_a_turn_whose_process_died_or_whose_conversation_is_gone_takes_no_place(
    store: Store,
) -> None:
    quotas = Quotas(owner_turns=1, workspace_turns=1)
    await begin_numbered_turn(store, 1, quotas, lease_seconds=-1)
    await begin_numbered_turn(store, 1, quotas)
    await _refused(store, 2, quotas)
    await store.delete(ALICE, numbered_trace(1))
    await begin_numbered_turn(store, 2, quotas)


async def test_questions_within_a_minute_are_limited_and_then_admitted_one_by_one(
    store: Store, engine: AsyncEngine
) -> None:
    quotas = Quotas(owner_turns_per_minute=2)
    await begin_numbered_turn(store, 1, quotas)
    await _age(engine, 50)
    await begin_numbered_turn(store, 2, quotas)

    refusal = await _refused(store, 3, quotas)

    assert refusal.retry_after is not None
    assert 1 <= refusal.retry_after <= 10
    assert refusal.message.startswith("You have asked 2 questions within a minute. Try again in ")
    assert f" {refusal.retry_after} second" in refusal.message
    await begin_numbered_turn(store, 3, quotas, owner=BOB)
    await _age(engine, 11)
    await begin_numbered_turn(store, 3, quotas)
    await _refused(store, 4, quotas)


async def test_deleting_conversations_does_not_give_questions_or_tokens_back(
    store: Store,
) -> None:
    by_minute, by_day = Quotas(owner_turns_per_minute=1), Quotas(workspace_tokens_per_day=100)
    turn = await begin_numbered_turn(
        store, 1, Quotas(owner_turns_per_minute=1, workspace_tokens_per_day=100)
    )
    await store.delete(ALICE, numbered_trace(1))
    await store.record_tokens(turn.turn_id, 100)

    await _refused(store, 1, by_minute)
    await _refused(store, 1, by_day)


async def test_a_workspace_has_tokens_per_day_and_gets_new_ones_at_midnight(
    store: Store, engine: AsyncEngine
) -> None:
    quotas = Quotas(workspace_tokens_per_day=1_000)
    first = await begin_numbered_turn(store, 1, quotas)
    await store.record_tokens(first.turn_id, 400)
    await store.record_tokens(first.turn_id, 600)
    second = await begin_numbered_turn(store, 2, quotas, owner=BOB)
    await store.record_tokens(second.turn_id, 399)
    await begin_numbered_turn(store, 3, quotas)
    await store.record_tokens(second.turn_id, 400)

    refusal = await _refused(store, 4, quotas)

    assert "used up its 1,000 tokens of today" in refusal.message
    assert "00:00 UTC" in refusal.message
    assert refusal.retry_after is not None
    assert 1 <= refusal.retry_after <= 86_400
    await begin_numbered_turn(store, 4, quotas, owner=ELSEWHERE)
    await _age(engine, 86_400)
    await begin_numbered_turn(store, 4, quotas)


async def test_the_number_of_conversations_is_limited(store: Store) -> None:
    quotas = Quotas(owner_conversations=2)
    await begin_numbered_turn(store, 1, quotas)
    await finish_turn(store, await begin_numbered_turn(store, 2, quotas))

    refusal = await _refused(store, 3, quotas)

    assert refusal.message.startswith("You have 2 conversations, which is the most that are kept.")
    assert refusal.retry_after is None
    await finish_turn(store, await begin_numbered_turn(store, 2, quotas))
    await begin_numbered_turn(store, 3, quotas, owner=BOB)
    await store.delete(ALICE, numbered_trace(1))
    await begin_numbered_turn(store, 3, quotas)


async def test_a_turn_begins_below_the_limit_of_events_and_not_at_it(store: Store) -> None:
    quotas = Quotas(owner_events=4)
    turn = await begin_numbered_turn(store, 1, quotas)
    await store.append(turn, [reply("one"), reply("two")])
    await finish_turn(store, await begin_numbered_turn(store, 2, Quotas(owner_events=4)))

    # Three events and two.
    refusal = await _refused(store, 3, Quotas(owner_events=5))

    assert refusal.message.startswith("Your conversations hold 5 stored events")
    await store.delete(ALICE, numbered_trace(2))
    await begin_numbered_turn(store, 3, quotas)


async def test_a_refused_question_leaves_nothing_behind(store: Store, engine: AsyncEngine) -> None:
    await begin_numbered_turn(store, 1, ALL_QUOTAS)
    await _refused(store, 2, Quotas(owner_turns=1, owner_turns_per_minute=9))

    assert [await _count(engine, each) for each in (sessions, turns, admissions)] == [1, 1, 1]


async def test_a_repeated_begin_is_counted_once_and_not_refused(
    store: Store, engine: AsyncEngine
) -> None:
    first, turn_id = entry(TurnStarted(question="?")), str(uuid4())
    quotas = Quotas(
        owner_turns=1, owner_turns_per_minute=1, owner_conversations=1, workspace_turns=1
    )
    for _ in range(2):
        start = TurnStart(turn_id, first, 20, "m", quotas)
        assert await store.begin_turn(ALICE, numbered_trace(1), start) is not None
    assert await _count(engine, admissions) == 1


async def test_old_admissions_are_deleted(store: Store, engine: AsyncEngine) -> None:
    for number in range(3):
        await begin_numbered_turn(store, number, ALL_QUOTAS)
    await _age(engine, 86_401)
    with patch("app.db.store.CLEAN_UP_TURNS", 4):
        await begin_numbered_turn(store, 4, ALL_QUOTAS)

    assert await _count(engine, admissions) == 1


async def test_no_query_scans_a_whole_table(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'a.db'}"
    async with databases.open_engine(uri) as engine:
        await migrations.prepare_schema(engine, migrate=True, attempts=1, delay=0)
        asked: list[tuple[str, Any]] = []
        event.listen(
            engine.sync_engine,
            "before_cursor_execute",
            lambda _c, _cursor, statement, values, _x, _m: asked.append((statement, values)),
        )
        store = Store(engine)
        await finish_turn(store, await begin_numbered_turn(store, 1, ALL_QUOTAS))
        await begin_numbered_turn(store, 1, ALL_QUOTAS)
        looked = [each for each in asked if each[0].startswith(("SELECT", "UPDATE", "DELETE"))]
        assert len(looked) > 10
        async with engine.begin() as db:
            for statement, values in looked:
                plan = await db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                steps = [row.detail for row in plan]
                assert not [step for step in steps if step.startswith("SCAN opik")], statement
                # All events of a workspace are as much as a table.
                assert not [step for step in steps if step.endswith("(workspace=?)")], statement
