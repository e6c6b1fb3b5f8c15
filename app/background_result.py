"""The result of work that runs in a task of its own."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import anyio

T = TypeVar("T")


class BackgroundResult(Generic[T]):
    """Runs work in a task that others do not wait for, until they need its result."""

    def __init__(self, work: Callable[[], Awaitable[T]], *, pause: float = 0) -> None:
        """The work begins after `pause` seconds, or as soon as its result is needed."""
        self._work = work
        self._pause = pause
        self._needed = anyio.Event()
        self._scope = anyio.CancelScope()
        self._done = anyio.Event()
        self._found: tuple[T, ...] = ()
        self._error: Exception | None = None

    async def run(self) -> None:
        """Does the work; to be started as a task. Raises nothing: `get` raises the error."""
        try:
            with self._scope:
                if self._pause:
                    with anyio.move_on_after(self._pause):
                        await self._needed.wait()
                self._found = (await self._work(),)
        except Exception as error:
            self._error = error
        finally:
            self._done.set()

    async def get(self) -> T:
        """The result, once it is there; raises the error of the work."""
        self._needed.set()
        await self._done.wait()
        if self._error is not None:
            raise self._error
        if not self._found:
            raise RuntimeError("The work was cancelled before its result was needed.")
        return self._found[0]

    def cancel(self) -> None:
        """Ends the work, whose result nobody needs any more."""
        self._scope.cancel()
