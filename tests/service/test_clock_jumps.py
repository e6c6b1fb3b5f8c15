"""A database whose clock is set an hour forward or back while questions are answered.

Seen from the database, the stored times move the other way. Nothing else reads the time of day:
all waiting goes by the monotonic clock.
"""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.db.schema import UtcDateTime, metadata
from standin.chat import text
from testkit import databases
from testkit.scripted_chat import answer
from testkit.service import running


async def set_clock(uri: str, forward: timedelta) -> None:
    """Moves all stored times, as if the clock had been set."""
    async with databases.open_engine(uri) as engine, engine.begin() as db:
        for table in metadata.sorted_tables:
            times = [each for each in table.columns if isinstance(each.type, UtcDateTime)]
            for row in (await db.execute(select(table))).all() if times else ():
                key = [each == row._mapping[each] for each in table.primary_key]
                moved = {
                    each: row._mapping[each] - forward
                    for each in times
                    if row._mapping[each] is not None
                }
                await db.execute(update(table).where(*key).values(moved))


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_clock_that_is_set_neither_ends_an_answer_nor_refuses_a_question(
    database_uri: str, hours: int
) -> None:
    held = asyncio.Event()
    async with running(database_uri, user_turns_per_minute=2) as service:
        service.chat.scripts = [
            answer("First."),
            [text("Second, "), held, text("whole.")],
            answer("Third."),
        ]
        await service.ask("One?")
        async with service.asking("Two?") as stream:
            await stream.until(lambda each: each.reader.texts)
            await set_clock(database_uri, timedelta(hours=hours))
            held.set()
            assert "".join((await stream.rest()).texts) == "Second, whole."
        assert (await service.ask("Three?")).texts == ["Third."]
        contents = [words for _, words in await service.read_messages()]
        assert contents == ["One?", "First.", "Two?", "Second, whole.", "Three?", "Third."]
