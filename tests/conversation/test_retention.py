"""When old conversations are removed, and what becomes of it when something fails."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from app.conversation.retention import INTERVAL_SECONDS, PAUSE_SECONDS, Retention
from app.db import migrations
from app.db.retention_batches import EMPTY_BATCH, RemovedBatch, RetentionBatches
from app.db.store import Store
from testkit import databases
from tests.db.test_retention_batches import DAY, expiring, kept, store_conversation, untouched_for

AGAIN = 60.0


class Forgotten:
    """`conversation.ports.Observer`, as far as this goes."""

    def __init__(self) -> None:
        self.ids: set[str] = set()

    def record_deletion(self, conversation_id: str) -> None:
        self.ids.add(conversation_id)


class Pauses:
    """Time that passes at once: remembers each pause, ends all after the given number of them."""

    def __init__(self, number: int, meanwhile: Callable[[], Awaitable[None]] | None = None) -> None:
        self.seconds: list[float] = []
        self.over = anyio.Event()
        self._number = number
        self._meanwhile = meanwhile

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if self._meanwhile is not None:
            await self._meanwhile()
        if len(self.seconds) == self._number:
            self.over.set()
        await anyio.lowlevel.checkpoint()


async def run_until(over: anyio.Event, retention: Retention) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(retention.run)
        await over.wait()
        group.cancel_scope.cancel()


def retention(expiry: Any, pauses: Pauses, observer: Any = None) -> Retention:
    return Retention(expiry, observer or Forgotten(), retry_seconds=AGAIN, sleep=pauses)


async def test_all_that_is_old_goes_at_once_with_pauses_between_and_again_every_hour(
    store: Store, engine: AsyncEngine
) -> None:
    turns = [await store_conversation(store, number, replies=300) for number in range(3)]
    await untouched_for(engine, 31 * DAY, *turns[:2])
    pauses, observer = Pauses(4), Forgotten()

    with structlog.testing.capture_logs() as logs:
        await run_until(pauses.over, retention(expiring(engine), pauses, observer))

    assert pauses.seconds == [PAUSE_SECONDS, PAUSE_SECONDS, INTERVAL_SECONDS, INTERVAL_SECONDS]
    assert await kept(engine) == {turns[2].conversation_id}
    assert observer.ids == {turn.conversation_id for turn in turns[:2]}
    events = [{k: v for k, v in each.items() if k != "log_level"} for each in logs]
    assert events[:2] == [
        {"event": "retention_finished", "conversations": 2},
        {"event": "retention_finished", "conversations": 0},
    ]


async def test_while_another_process_removes_conversations_this_one_tries_again_soon(
    store: Store, engine: AsyncEngine
) -> None:
    assert await expiring(engine).remove_batch() == EMPTY_BATCH
    pauses = Pauses(1)
    with structlog.testing.capture_logs() as logs:
        await run_until(pauses.over, retention(expiring(engine), pauses))
    assert pauses.seconds == [AGAIN]
    assert logs == []


async def test_a_database_that_fails_is_logged_once_a_run_and_the_next_run_works(
    tmp_path: Path,
) -> None:
    async with databases.open_engine(f"sqlite:///{tmp_path / 'a.db'}") as engine:

        async def set_up() -> None:
            await migrations.prepare_schema(engine, migrate=True, attempts=1, delay=0)

        async def at_once(_: float) -> None:
            await anyio.lowlevel.checkpoint()

        pauses = Pauses(2, meanwhile=set_up)
        holder = str(uuid4())
        expiry = RetentionBatches(engine, days=30, holder=holder, lease_seconds=60, sleep=at_once)
        with structlog.testing.capture_logs() as logs:
            await run_until(pauses.over, retention(expiry, pauses))
        events = [each["event"] for each in logs if each["event"].startswith("retention")]
        assert events == ["retention_interrupted", "retention_finished"]
        assert pauses.seconds == [INTERVAL_SECONDS, INTERVAL_SECONDS]


async def test_a_fault_of_its_own_is_logged_and_ends_nothing_else() -> None:
    class Faulty:
        async def remove_batch(self) -> RemovedBatch | None:
            raise RuntimeError("not foreseen")

    pauses = Pauses(2)
    with structlog.testing.capture_logs() as logs:
        await run_until(pauses.over, retention(Faulty(), pauses))
    assert [each["event"] for each in logs][:2] == ["retention_crashed"] * 2
    assert pauses.seconds == [INTERVAL_SECONDS, INTERVAL_SECONDS]


async def test_it_ends_at_once_when_it_is_cancelled_in_a_pause(engine: AsyncEngine) -> None:
    asleep = anyio.Event()

    async def for_ever(_: float) -> None:
        asleep.set()
        await anyio.sleep_forever()

    sleeping = Retention(expiring(engine), Forgotten(), retry_seconds=AGAIN, sleep=for_ever)  # type: ignore[arg-type]
    with anyio.fail_after(60):
        await run_until(asleep, sleeping)
