"""What is logged of units of work that fail."""

from collections.abc import Callable

import anyio
import pytest
import structlog
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.db.transactions import LOG_INTERVAL_SECONDS, Transactions
from app.errors import DatabaseUnavailable


def failing(error: type[Exception]) -> Callable[[AsyncConnection], object]:
    async def fail(_: AsyncConnection) -> None:
        raise error("INSERT", {}, Exception("the server says no"))

    return fail


async def test_an_outage_is_logged_once_in_an_interval_with_its_count(
    engine: AsyncEngine,
) -> None:
    now = 0.0
    transactions = Transactions(engine, attempts=2, sleep=anyio.sleep, clock=lambda: now)

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
