"""Looks, while the service runs, whether the database answers and still has the right schema."""

import anyio
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.migrating import schema_fault, script_directory
from app.db.transactions import Transactions

CHECK_SECONDS = 15


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
        return await self._transactions.run(
            lambda db: db.run_sync(schema_fault, script=self._script)
        )
