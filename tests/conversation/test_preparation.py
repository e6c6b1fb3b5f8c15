"""Traces that are prepared at once: bounded, the newest first, and never a failure of anything."""

import anyio
import pytest
from structlog.testing import capture_logs

from app.caller import Caller, Owner
from app.conversation.preparation import TRACES_AT_ONCE, Preparation
from app.errors import NotAllowed

CALLER = Caller()
OWNER = Owner("default", "user:ada")


class Reads:
    """Reads that go on until they are released; `ended` has each trace with how it ended."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[tuple[str, str]] = []
        self.release = anyio.Event()

    async def read(self, _: Caller, owner: Owner, trace_id: str) -> None:
        self.begun.append(trace_id)
        how = "given up"
        try:
            await self.release.wait()
            how = "read"
        finally:
            self.ended.append((trace_id, how))


async def settle() -> None:
    await anyio.wait_all_tasks_blocked()


async def test_a_further_trace_takes_the_place_of_the_first() -> None:
    reads = Reads()
    async with anyio.create_task_group() as tasks:
        preparation = Preparation(reads.read, tasks=tasks)
        names = [f"t{n}" for n in range(TRACES_AT_ONCE + 1)]
        for name in names:
            preparation.start(CALLER, OWNER, name)
            await settle()
        assert reads.begun == names
        assert reads.ended == [("t0", "given up")]
        reads.release.set()
    assert sorted(reads.ended[1:]) == [(name, "read") for name in names[1:]]


async def test_a_trace_is_prepared_once_at_a_time() -> None:
    reads = Reads()
    async with anyio.create_task_group() as tasks:
        preparation = Preparation(reads.read, tasks=tasks)
        preparation.start(CALLER, OWNER, "t1")
        preparation.start(CALLER, OWNER, "t1")
        preparation.start(CALLER, Owner("default", "user:eve"), "t1")
        await settle()
        assert reads.begun == ["t1", "t1"]
        reads.release.set()
        await settle()
        preparation.start(CALLER, OWNER, "t1")
        await settle()
        assert reads.begun == ["t1"] * 3


async def test_the_end_of_the_service_gives_all_up() -> None:
    reads = Reads()
    async with anyio.create_task_group() as tasks:
        preparation = Preparation(reads.read, tasks=tasks)
        for name in ("t1", "t2"):
            preparation.start(CALLER, OWNER, name)
        await settle()
        preparation.stop()
    assert sorted(reads.ended) == [("t1", "given up"), ("t2", "given up")]


@pytest.mark.parametrize(
    ("error", "level"), [(NotAllowed("no"), "info"), (RuntimeError("a defect"), "error")]
)
async def test_a_failure_is_logged_and_goes_no_further(error: Exception, level: str) -> None:
    async def fail(caller: Caller, owner: Owner, trace_id: str) -> None:
        raise error

    with capture_logs() as logs:
        async with anyio.create_task_group() as tasks:
            Preparation(fail, tasks=tasks).start(CALLER, OWNER, "t1")
    assert [(each["event"], each["log_level"], each["trace"]) for each in logs] == [
        ("trace_not_prepared", level, "t1")
    ]
