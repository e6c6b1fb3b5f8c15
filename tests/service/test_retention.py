"""Old conversations go while the service runs, where the operator wants it."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import anyio
from sqlalchemy import func, select

from app.db.schema import chores, sessions, utc_in
from testkit import databases
from testkit.service import OTHER_TRACE_ID, Service, record_trace, running, service_at


@contextlib.asynccontextmanager
async def with_an_old_conversation(database_uri: str) -> AsyncIterator[Service]:
    """A service with a conversation of last year and one of today."""
    async with running(database_uri) as service, databases.open_engine(database_uri) as engine:
        record_trace(service.standin, OTHER_TRACE_ID)
        await service.ask()
        async with engine.begin() as db:
            await db.execute(sessions.update().values(updated_at=utc_in(-365 * 86_400)))
        await service.ask(trace_id=OTHER_TRACE_ID)
        yield service


async def status(service: Service, *more: Any) -> int:
    return (await service.http.get(service.session(*more))).status_code


async def test_an_old_conversation_is_gone_soon_after_the_start(database_uri: str) -> None:
    async with (
        with_an_old_conversation(database_uri) as service,
        service_at(service.backend, database_uri, retention_days=30),
    ):
        with anyio.fail_after(60):
            while await status(service) == 200:  # noqa: ASYNC110 - no event reports it
                await anyio.sleep(0.02)
        assert await status(service) == 404
        assert await status(service, OTHER_TRACE_ID) == 200
        assert (await service.ask("Anew?")).error is None


async def test_nothing_is_removed_where_no_days_are_set(database_uri: str) -> None:
    async with (
        with_an_old_conversation(database_uri) as service,
        databases.open_engine(database_uri) as engine,
        engine.connect() as db,
    ):
        assert await status(service) == 200
        assert await db.scalar(select(func.count()).select_from(chores)) == 0
