"""How long turns use connections to the database: never while they wait for another service."""

import asyncio
import contextlib
from uuid import UUID

import anyio
import pytest
from sqlalchemy import text as sql

from app.db.engine import storage_kind
from app.settings import database_url
from standin.chat import text
from testkit import databases
from testkit.scripted_chat import answer
from testkit.service import WAIT_SECONDS, record_trace, running

TURNS = 22
"""More than a pool of connections holds, on either kind of database."""

BUSY = (
    "SELECT COUNT(*) FROM information_schema.processlist"
    " WHERE db = DATABASE() AND command <> 'Sleep' AND id <> CONNECTION_ID()"
)
IN_TRANSACTIONS = "SELECT COUNT(*) FROM information_schema.innodb_trx"


@pytest.mark.slow
async def test_turns_that_wait_for_their_models_hold_no_connection(database_uri: str) -> None:
    async with running(database_uri) as service, contextlib.AsyncExitStack() as stack:
        gate = asyncio.Event()
        service.chat.scripts = [[text("Let me "), gate, *answer("think.")]]
        traces = [
            str(UUID(int=0x0199_0000_0000_7000_8000_0000_0000_1000 + n)) for n in range(TURNS)
        ]
        streams = []
        for trace_id in traces:
            record_trace(service.standin, trace_id)
            streams.append(await stack.enter_async_context(service.asking(trace_id=trace_id)))
        for stream in streams:
            await stream.until(lambda each: each.reader.texts == ["Let me "])

        await _nobody_uses_a_connection(database_uri)
        # What there is of the answer may be stored already.
        assert (await service.read_messages(trace_id=traces[0]))[0][0] == "user"

        gate.set()
        for stream in streams:
            reader = await stream.rest()
            assert (reader.texts, reader.error) == (["Let me think."], None)
        assert [role for role, _ in await service.read_messages(trace_id=traces[-1])] == [
            "user",
            "assistant",
        ]


async def _nobody_uses_a_connection(uri: str) -> None:
    """Returns at the first moment without any; a lease that is being renewed passes."""
    async with databases.open_engine(uri) as engine, engine.connect() as db:
        with anyio.fail_after(WAIT_SECONDS):
            if storage_kind(database_url(uri)) == "sqlite":
                await db.execute(sql("SELECT 1"))
                return
            while await db.scalar(sql(BUSY)) or await db.scalar(sql(IN_TRANSACTIONS)):
                await db.rollback()
                await anyio.sleep(databases.INNODB_TRX_REFRESH_SECONDS)
