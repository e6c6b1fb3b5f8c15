"""Looks, while the service runs, whether the database answers, fits and may be written.

A server that is read-only, or a right that is gone, shows only to who writes.
"""

import anyio
from sqlalchemy import false, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.db.migrations import schema_fault, script_directory
from app.db.schema import events
from app.db.transactions import Transactions

CHECK_SECONDS = 15
_WRITE_NOTHING = events.insert().from_select(events.c.keys(), select(events).where(false()))


class SchemaCheck:
    def __init__(self, engine: AsyncEngine, *, seconds: float = CHECK_SECONDS) -> None:
        """`seconds` is how long a database may take that hangs or is slow."""
        # Whoever asks will ask again soon: no attempt is repeated here.
        self._transactions = Transactions(engine, attempts=1, sleep=anyio.sleep, seconds=seconds)
        self._script = script_directory()

    def hurry(self, seconds: float) -> None:
        """The process ends: a look, also one under way, has at most so long."""
        self._transactions.hurry(seconds)

    async def fault(self) -> str | None:
        """What is wrong with the schema, in one line; raises DatabaseUnavailable."""
        return await self._transactions.run(self._look)

    async def fault_for_turns(self) -> str | None:
        """The same; raises DatabaseUnavailable also where the database takes no events."""
        return await self._transactions.run(self._look_and_write)

    async def _look(self, db: AsyncConnection) -> str | None:
        return await db.run_sync(schema_fault, script=self._script)

    async def _look_and_write(self, db: AsyncConnection) -> str | None:
        fault = await self._look(db)
        if fault is None:
            await db.execute(_WRITE_NOTHING)
        return fault
