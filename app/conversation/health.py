"""Readiness of this process, for load balancers and operators."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Generic, Literal, TypeVar

import anyio

from app.errors import DatabaseUnavailable

T = TypeVar("T")

BACKEND_CACHE_SECONDS = 5.0
"""However many probes come, the backend is asked once in this time."""


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """Whether the database answers; `fault` is a sentence if it cannot be used."""

    reachable: bool
    fault: str | None = None

    @property
    def schema(self) -> Literal["right", "wrong", "unknown"]:
        if not self.reachable:
            return "unknown"
        return "right" if self.fault is None else "wrong"


_ASSUMED_AT_START = DatabaseState(True)


@dataclass(frozen=True, slots=True)
class Readiness:
    """The state of this process; `faults` are sentences why it can answer no question now.

    An unavailable backend is reported but is not a fault: users read about it in the panel, and a
    load balancer could not help by sending them to another process.
    """

    database: DatabaseState
    backend_answers: bool
    faults: tuple[str, ...]


class Health:
    def __init__(
        self,
        *,
        schema_fault: Callable[[], Awaitable[str | None]],
        backend_answers: Callable[[], Awaitable[bool]],
        draining: Callable[[], bool],
    ) -> None:
        """`schema_fault` asks the database and may raise DatabaseUnavailable."""
        self._schema_fault = schema_fault
        self._database = _SharedProbe(self._probe_database, cache_seconds=0)
        self._backend = _SharedProbe(backend_answers, cache_seconds=BACKEND_CACHE_SECONDS)
        self._draining = draining

    async def readiness(self) -> Readiness:
        """Checks the database now and the backend every few seconds.

        While the service shuts down the database is not asked again: its last state is reported.
        """
        if self._draining():
            database = self._database.last or _ASSUMED_AT_START
        else:
            database = await self._database.ask()
        backend_answers = await self._backend.ask()
        faults = ["The service is shutting down."] if self._draining() else []
        if database.fault is not None:
            faults.append(database.fault)
        return Readiness(database, backend_answers, tuple(faults))

    async def _probe_database(self) -> DatabaseState:
        try:
            return DatabaseState(True, await self._schema_fault())
        except DatabaseUnavailable as error:
            return DatabaseState(False, error.message)


class _SharedProbe(Generic[T]):
    """A check that runs once at a time; callers that waited meanwhile share its answer."""

    def __init__(self, ask: Callable[[], Awaitable[T]], *, cache_seconds: float) -> None:
        self._ask = ask
        self._cache_seconds = cache_seconds
        self._lock = anyio.Lock()
        self._last_answer: tuple[float, T] | None = None

    @property
    def last(self) -> T | None:
        """The last answer, however old."""
        return None if self._last_answer is None else self._last_answer[1]

    async def ask(self) -> T:
        """The answer of a check that began after this call, or up to `cache_seconds` before it."""
        oldest = monotonic() - self._cache_seconds
        async with self._lock:
            if self._last_answer is not None and self._last_answer[0] >= oldest:
                return self._last_answer[1]
            asked = monotonic()
            answer = await self._ask()
            self._last_answer = (asked, answer)
            return answer
