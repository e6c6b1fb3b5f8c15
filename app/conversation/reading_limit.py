"""Bounds what is read of a trace before the first request to a model, or without one."""

from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from app.errors import BackendUnavailable, OpikAssistError


class ReadingLimit:
    """Ends readings when the time of their turn is over, or all at once, with a message."""

    def __init__(self) -> None:
        self._running: set[anyio.CancelScope] = set()
        self._reason: OpikAssistError | None = None

    @contextmanager
    def until(self, deadline: float) -> Iterator[None]:
        """Raises BackendUnavailable where the block takes longer than `deadline`, by the clock of
        the event loop, or the error of `end_all`."""
        with anyio.CancelScope(deadline=deadline) as scope:
            self._running.add(scope)
            try:
                yield
            finally:
                self._running.discard(scope)
        if scope.cancelled_caught:
            raise self._reason or BackendUnavailable(
                "Opik took longer to return this trace than one question may take. Try again in a "
                "moment."
            )

    def end_all(self, reason: OpikAssistError) -> None:
        """Ends all readings that run, with this error."""
        self._reason = reason
        for scope in self._running:
            scope.cancel()
