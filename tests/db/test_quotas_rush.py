"""Turns that begin at once, of one process and of several: no limit is ever passed."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from app.caller import Owner
from app.db.quotas import Quotas
from app.db.store import Store
from app.errors import LimitReached
from app.events import TurnFinished
from app.messages import TokenUsage
from testkit import databases
from tests.db.writing import ALL_QUOTAS, begin_numbered_turn, entry, reply

ROOT = Path(__file__).parents[2]


@contextlib.asynccontextmanager
async def _stores(uri: str, number: int) -> AsyncIterator[list[Store]]:
    async with contextlib.AsyncExitStack() as stack:
        yield [
            Store(await stack.enter_async_context(databases.open_engine(uri)))
            for _ in range(number)
        ]


@pytest.mark.parametrize(
    "quotas",
    [
        Quotas(owner_turns=5),
        Quotas(workspace_turns=5),
        Quotas(owner_turns_per_minute=5),
        Quotas(owner_conversations=5),
    ],
    ids=["owner", "workspace", "minute", "conversations"],
)
async def test_turns_that_begin_at_once_never_pass_a_limit(
    database_uri: str, quotas: Quotas
) -> None:
    outcomes: list[bool] = []

    async def ask(store: Store, number: int) -> None:
        try:
            turn = await begin_numbered_turn(store, number, quotas)
        except LimitReached:
            outcomes.append(False)
            return
        outcomes.append(True)
        await store.append(turn, [reply("so far")])

    async with _stores(database_uri, 3) as stores, anyio.create_task_group() as group:
        for number in range(24):
            group.start_soon(ask, stores[number % 3], number)

    assert (outcomes.count(True), outcomes.count(False)) == (5, 19)


@pytest.mark.slow
async def test_processes_that_begin_turns_at_once_never_pass_a_limit(database_uri: str) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.db.rush",
            database_uri,
            str(number),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        for number in range(3)
    ]
    counts = [(await process.communicate())[0].split() for process in processes]

    begun_in_all = sum(int(begun) for begun, _ in counts)
    refused_in_all = sum(int(refused) for _, refused in counts)
    assert (begun_in_all, refused_in_all) == (7, 83)


async def test_admitting_many_owners_of_one_workspace_causes_no_deadlock(
    database_uri: str,
) -> None:
    ended = 0

    async def talk(store: Store, number: int) -> None:
        nonlocal ended
        owner = Owner("workspace", f"user:{number % 4}")
        quotas = Quotas(owner_turns=50, owner_turns_per_minute=50, workspace_tokens_per_day=99)
        for _ in range(3):
            turn = await begin_numbered_turn(store, number, quotas, owner=owner)
            await store.record_tokens(turn.turn_id, 1)
            await store.append(turn, [reply("one")])
            last = entry(TurnFinished())
            await store.end_turn(turn, [last], usage=TokenUsage())
            ended += 1

    async with _stores(database_uri, 2) as stores:
        await begin_numbered_turn(stores[0], 99, ALL_QUOTAS)
        # One attempt: a deadlock would not be repeated in silence.
        alone = [Store(each._transactions._engine, attempts=1) for each in stores]
        async with anyio.create_task_group() as group:
            for number in range(12):
                group.start_soon(talk, alone[number % 2], number)
    assert ended == 36
