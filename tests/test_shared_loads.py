"""Work that several ask for at once: done once, for all of them."""

import anyio
import anyio.lowlevel
import pytest

from app.errors import BackendUnavailable, NotSignedIn
from app.shared_loads import SharedLoads


class Work:
    """Does the same work as often as it is asked to, once it may; each time it gives another."""

    def __init__(self, *outcomes: str | Exception) -> None:
        self.outcomes = list(outcomes)
        self.begun = 0
        self.go_on = anyio.Event()

    async def __call__(self) -> str:
        self.begun += 1
        await self.go_on.wait()
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


async def asked_by_two(work: Work, *, cancel_first: bool = False) -> list[str | Exception | None]:
    """What each of two got who asked at the same time; None for one that was cancelled."""
    joining: SharedLoads[str] = SharedLoads()
    got: list[str | Exception | None] = [None, None]

    async def ask(who: int) -> None:
        with scopes[who]:
            try:
                got[who] = await joining.get("key", work)
            except Exception as error:
                got[who] = error

    scopes = [anyio.CancelScope(), anyio.CancelScope()]
    async with anyio.create_task_group() as group:
        group.start_soon(ask, 0)
        while not work.begun:
            await anyio.lowlevel.checkpoint()
        group.start_soon(ask, 1)
        await anyio.wait_all_tasks_blocked()
        assert work.begun == 1
        if cancel_first:
            scopes[0].cancel()
            await anyio.wait_all_tasks_blocked()
        work.go_on.set()
    return got


async def test_two_who_ask_at_once_get_the_same() -> None:
    assert await asked_by_two(Work("first", "second")) == ["first", "first"]


async def test_who_asks_later_or_for_something_else_gets_their_own() -> None:
    joining: SharedLoads[str] = SharedLoads()
    work = Work("first", "second", "third")
    work.go_on.set()
    assert await joining.get("key", work) == "first"
    assert await joining.get("key", work) == "second"
    assert await joining.get("other", work) == "third"


async def test_a_cancelled_first_leaves_the_work_to_the_second() -> None:
    work = Work("second's own")
    assert await asked_by_two(work, cancel_first=True) == [None, "second's own"]
    assert work.begun == 2


async def test_a_refusal_of_the_first_is_not_the_seconds() -> None:
    first, second = await asked_by_two(Work(NotSignedIn("expired"), "second's own"))
    assert isinstance(first, NotSignedIn)
    assert second == "second's own"


async def test_a_backend_failure_is_raised_for_both_with_the_same_message() -> None:
    work = Work(BackendUnavailable("no answer", detail="busy"))
    first, second = await asked_by_two(work)
    for each in (first, second):
        assert isinstance(each, BackendUnavailable)
        assert (each.message, each.detail) == ("no answer", "busy")
    assert work.begun == 1


async def test_a_crash_of_the_first_is_not_the_seconds() -> None:
    first, second = await asked_by_two(Work(ValueError("bug"), "second's own"))
    assert isinstance(first, ValueError)
    assert second == "second's own"


async def test_nothing_is_left_behind() -> None:
    joining: SharedLoads[str] = SharedLoads()
    work = Work(ValueError("bug"), "next")
    work.go_on.set()
    with pytest.raises(ValueError, match="bug"):
        await joining.get("key", work)
    assert await joining.get("key", work) == "next"
