"""Work that runs beside what does not need its result yet."""

import anyio

from app.background_result import BackgroundResult
from testkit.service import WAIT_SECONDS

HOUR = 3_600


async def test_work_that_pauses_first_begins_as_soon_as_its_result_is_needed() -> None:
    begun = []

    async def work() -> str:
        begun.append(True)
        return "found"

    result = BackgroundResult(work, pause=HOUR)
    with anyio.fail_after(WAIT_SECONDS):
        async with anyio.create_task_group() as group:
            group.start_soon(result.run)
            await anyio.wait_all_tasks_blocked()
            assert not begun
            assert await result.get() == "found"
