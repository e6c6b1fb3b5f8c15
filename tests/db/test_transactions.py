"""Units of work: how long they wait, how they end, and what is logged of those that fail."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import anyio
import anyio.lowlevel
import pytest
import structlog
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db import transactions as transactions_module
from app.db.transactions import LOG_INTERVAL_SECONDS, Transactions
from app.errors import DatabaseUnavailable
from testkit import databases
from testkit.processes import build_environment
from testkit.service import WAIT_SECONDS


def failing(error: type[Exception]) -> Callable[[Connection], object]:
    def fail(_: Connection) -> None:
        raise error("INSERT", {}, Exception("the server says no"))

    return fail


async def test_an_outage_is_logged_once_in_an_interval_with_its_count(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(transactions_module, "monotonic", lambda: now)
    transactions = Transactions(engine, attempts=2, sleep=anyio.sleep)

    async def fails(error: type[Exception], times: int) -> None:
        for _ in range(times):
            with pytest.raises(DatabaseUnavailable):
                await transactions.run(failing(error))

    with structlog.testing.capture_logs() as logs:
        await fails(OperationalError, 5)
        await fails(ProgrammingError, 2)
        now += LOG_INTERVAL_SECONDS
        await fails(OperationalError, 3)

    logged = [(each["event"], each["times"]) for each in logs if each["log_level"] != "debug"]
    assert logged == [
        ("database_unavailable", 1),
        ("database_refused", 1),
        ("database_unavailable", 5),
    ]
    assert {each["event"] for each in logs if each["log_level"] == "debug"} == {"database_retry"}


async def test_a_duplicate_after_other_failures_has_another_attempt(engine: AsyncEngine) -> None:
    ends = [OperationalError, OperationalError, IntegrityError]

    def insert(_: Connection) -> str:
        """As where two insert a row: a deadlock, another, and then the other one has it."""
        if ends:
            raise ends.pop(0)("INSERT", {}, Exception("the server says no"))
        return "found"

    transactions = Transactions(engine, attempts=3, sleep=lambda _: anyio.lowlevel.checkpoint())
    assert await transactions.run(insert) == "found"


UNITS_CUT_SHORT = """
import anyio
from sqlalchemy import text
from app.db.transactions import Transactions
from app.errors import DatabaseUnavailable
from testkit import databases

slow = text(
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 2000000)"
    " SELECT COUNT(*) FROM n"
)

async def main():
    async with databases.open_engine("sqlite:///units.db") as engine:
        transactions = Transactions(engine, attempts=1, sleep=anyio.sleep)

        async def run():
            try:
                await transactions.run(lambda db: db.scalar(slow))
            except DatabaseUnavailable:
                pass

        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(run)
            await anyio.sleep(0.05)
            transactions.limit_time(0.1)

anyio.run(main)
print("ended")
"""


def test_a_process_ends_although_running_sqlite_units_ran_out_of_time(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", UNITS_CUT_SHORT],
        cwd=tmp_path,
        env=build_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_SECONDS,
    )
    assert ended.stdout.splitlines()[-1:] == ["ended"], ended.stderr


async def test_the_time_of_a_sqlite_unit_begins_when_its_turn_has_come(tmp_path: Path) -> None:
    async with databases.open_engine(f"sqlite:///{tmp_path / 'x.db'}") as engine:
        transactions = Transactions(engine, attempts=1, sleep=anyio.sleep, seconds=0.2)
        async with anyio.create_task_group() as group:
            # All of them together wait for far longer than one of them may take.
            for _ in range(20):
                group.start_soon(transactions.run, lambda _: time.sleep(0.05))


async def test_a_sqlite_unit_is_one_call_in_a_worker_thread(tmp_path: Path) -> None:
    async with databases.open_engine(f"sqlite:///{tmp_path / 'x.db'}") as engine:
        transactions = Transactions(engine, attempts=1, sleep=anyio.sleep)
        with patch("anyio.to_thread.run_sync", wraps=anyio.to_thread.run_sync) as hops:
            await transactions.run(lambda db: [db.scalar(select(n)) for n in range(5)])
        assert hops.call_count == 1
