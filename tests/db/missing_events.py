"""Ways to break a database under a running service, and to mend it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.schema import events

_GONE = f"{events.name}_gone"


async def take_events_away(engine: AsyncEngine) -> None:
    """Leaves a database without its table of events: every write of one is refused."""
    await _rename(engine, events.name, _GONE)


async def bring_events_back(engine: AsyncEngine) -> None:
    await _rename(engine, _GONE, events.name)


@asynccontextmanager
async def without_events(engine: AsyncEngine) -> AsyncIterator[None]:
    await take_events_away(engine)
    try:
        yield
    finally:
        await bring_events_back(engine)


async def _rename(engine: AsyncEngine, before: str, after: str) -> None:
    async with engine.begin() as db:
        await db.exec_driver_sql(f"ALTER TABLE {before} RENAME TO {after}")
