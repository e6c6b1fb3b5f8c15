"""Replies under way of several turns: stored together, and each on its own terms."""

import contextlib
from collections.abc import AsyncIterator

import anyio
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.conversation.turn import Turn
from app.db import growing_replies
from app.db.schema import sessions, turns
from app.db.store import Store
from app.db.turn_log import keep_unfinished
from tests.conversation.test_event_writer import until
from tests.conversation.turn_setup import turn_on
from tests.db.writing import numbered_trace

SOON = 0.1
"""Seconds after which words are stored here."""


@pytest.fixture(autouse=True)
def _store_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing_replies, "PROGRESS_SECONDS", SOON)


@contextlib.asynccontextmanager
async def three_growing(store: Store) -> AsyncIterator[list[Turn]]:
    """Turns that run, with a word each."""
    begun = [await turn_on(store, trace_id=numbered_trace(number)) for number in range(3)]

    async def answer(_: Turn) -> None:
        await anyio.sleep_forever()

    async with anyio.create_task_group() as group:
        for turn in begun:
            group.start_soon(turn.run, answer)
        await anyio.wait_all_tasks_blocked()
        for turn in begun:
            turn.add_text("b", "one ")
        yield begun
        for turn in begun:
            turn.stop()


async def stored_words(engine: AsyncEngine) -> dict[str, str]:
    """The JSON of the replies under way, by turn."""
    async with engine.begin() as db:
        rows = (await db.execute(select(turns.c.id, turns.c.unfinished_reply))).all()
    return {row.id: row.unfinished_reply or "" for row in rows}


async def until_stored(engine: AsyncEngine, growing: list[Turn], text: str) -> None:
    async def all_stored() -> bool:
        stored = await stored_words(engine)
        return all(text in stored[turn.key.turn_id] for turn in growing)

    await until(all_stored)


async def test_words_of_all_turns_are_stored_again_and_again(
    store: Store, engine: AsyncEngine
) -> None:
    async with three_growing(store) as growing:
        await until_stored(engine, growing, "one ")
        for number in range(3):
            for turn in growing:
                turn.add_text("b", f"more {number} ")
            await until_stored(engine, growing, f"more {number} ")


async def test_words_are_stored_while_other_turns_end(store: Store, engine: AsyncEngine) -> None:
    async with three_growing(store) as growing:
        for turn in growing[:2]:
            turn.stop()
            await turn.ended.wait()
            growing[2].add_text("b", "still here ")
            await until_stored(engine, growing[2:], "still here ")


async def test_a_turn_that_lost_its_conversation_takes_no_other_along(
    store: Store, engine: AsyncEngine
) -> None:
    async with three_growing(store) as growing:
        await until_stored(engine, growing, "one ")
        lost, *others = growing
        async with engine.begin() as db:
            taken = sessions.update().where(sessions.c.id == lost.key.conversation_id)
            await db.execute(taken.values(active_turn_id=None))
        for turn in growing:
            turn.add_text("b", "two ")
        await until_stored(engine, others, "two ")
        with anyio.fail_after(60):
            await lost.ended.wait()
        assert "two" not in (await stored_words(engine))[lost.key.turn_id]


async def test_words_of_an_outage_are_stored_after_it(
    store: Store, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with three_growing(store) as growing:
        await until_stored(engine, growing, "one ")
        attempts = 0

        def fail(*_: object, **__: object) -> set[object]:
            nonlocal attempts
            attempts += 1
            raise OSError("no connection")

        with monkeypatch.context() as broken:
            broken.setattr(growing_replies, "keep_unfinished", fail)
            for turn in growing:
                turn.add_text("b", "two ")
            # Each stores its own, since what they stored together failed.
            await until_stored(engine, growing, "two ")
        assert attempts
        for turn in growing:
            turn.add_text("b", "three ")
        await until_stored(engine, growing, "three ")


async def test_only_turns_that_hold_their_conversations_keep_words(
    store: Store, engine: AsyncEngine
) -> None:
    held, ended = [(await turn_on(store, trace_id=numbered_trace(n))).key for n in range(2)]
    async with engine.begin() as db:
        taken = sessions.update().where(sessions.c.id == ended.conversation_id)
        await db.execute(taken.values(active_turn_id=None))
        replies = {held: '{"a":1}', ended: '{"a":2}'}
        assert await db.run_sync(keep_unfinished, replies=replies) == {held}
    assert (await stored_words(engine))[ended.turn_id] == ""
