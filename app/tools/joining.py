"""Work that several ask for at once is done once, and all get it."""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import anyio

from app.errors import BackendUnavailable

T = TypeVar("T")


@dataclass(slots=True)
class _Work(Generic[T]):
    """What one asker does for all; both `found` and `failure` are empty where it was given up."""

    done: anyio.Event = field(default_factory=anyio.Event)
    found: tuple[T, ...] = ()
    failure: BackendUnavailable | None = None


class Joining(Generic[T]):
    """Joins equal work that runs at the same time; nothing is kept after it."""

    def __init__(self) -> None:
        self._running: dict[Hashable, _Work[T]] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """What `make` gives, or what another's `make` of the same key gives that runs already.

        A backend that fails fails for all who wait, since each of them would wait as long again.
        A refusal is the first one's own, and when the first is cancelled another does the work.
        """
        while (other := self._running.get(key)) is not None:
            await other.done.wait()
            if other.found:
                return other.found[0]
            if other.failure is not None:
                raise BackendUnavailable(other.failure.message, detail=other.failure.detail)
        work = self._running[key] = _Work()
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
