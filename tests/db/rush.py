"""A process that begins turns as fast as it can; prints how many began and how many were refused.

`python -m tests.db.rush DATABASE_URI NUMBER`
"""

import asyncio
import sys

import anyio

from app.db.quotas import Quotas
from app.db.store import Store
from app.errors import LimitReached
from app.telemetry import logs
from testkit import databases
from tests.db.writing import begin_free_turn, numbered_trace

TURNS = 30
QUOTAS = Quotas(owner_turns=7, owner_turns_per_minute=8, workspace_turns=9)


async def rush(uri: str, process: int) -> tuple[int, int]:
    refused = 0

    async def ask(store: Store, number: int) -> None:
        nonlocal refused
        try:
            await begin_free_turn(
                store, trace_id=numbered_trace(number), quotas=QUOTAS, lease_seconds=60
            )
        except LimitReached:
            refused += 1

    async with databases.open_engine(uri) as engine:
        store = Store(engine)
        async with anyio.create_task_group() as group:
            for number in range(TURNS):
                group.start_soon(ask, store, process * TURNS + number)
    return TURNS - refused, refused


if __name__ == "__main__":
    # Retries are logged, and nothing but the figures may stand on standard output.
    logs.configure(style="console", level="INFO")
    sys.stdout.write("{} {}\n".format(*asyncio.run(rush(sys.argv[1], int(sys.argv[2])))))
