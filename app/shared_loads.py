"""Work that several ask for at once: done once, for all of them."""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import anyio

from app.errors import BackendUnavailable

T = TypeVar("T")


@dataclass(slots=True)
class _SharedLoad(Generic[T]):
    """A running load; neither `found` nor `failure` is set where it was cancelled or refused."""

    done: anyio.Event = field(default_factory=anyio.Event)
    found: tuple[T, ...] = ()
    failure: BackendUnavailable | None = None


class SharedLoads(Generic[T]):
    """Runs equal loads that overlap only once; keeps no result afterwards."""

    def __init__(self) -> None:
        self._running: dict[Hashable, _SharedLoad[T]] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """The result of `make`, or that of a `make` for the same key that already runs.

        A BackendUnavailable is raised for all that wait, since each would wait as long again.
        Other errors concern only the caller that ran it, and after them, as after a cancellation,
        the next one that waits runs its own.
        """
        while (other := self._running.get(key)) is not None:
            await other.done.wait()
            if other.found:
                return other.found[0]
            if other.failure is not None:
                raise BackendUnavailable(other.failure.message, detail=other.failure.detail)
        work = self._running[key] = _SharedLoad()
        try:
            found = await make()
            work.found = (found,)
        except BackendUnavailable as failure:
            work.failure = failure
            raise
        finally:
            del self._running[key]
            work.done.set()
        return found
