"""Runs short transactions, and repeats them after a deadlock or a lost connection."""

import logging
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.to_thread
import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import Pool

from app.db.engine import MYSQL_CONNECTIONS, describe_error, storage_kind
from app.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

Sleep = Callable[[float], Awaitable[None]]
T = TypeVar("T")

UNIT_SECONDS = 30
"""Enough for three attempts that each wait for a lock or a connection."""
QUEUE_SECONDS = 60
"""How long a unit waits for a connection while all are in use: longer than a unit, so that a busy
process is slow instead of failing."""
LAST_QUEUE_SECONDS = 4
"""The same once time is limited, within what the end of the process may take."""
LOG_INTERVAL_SECONDS = 10
"""How often at most each kind of failure is logged: in an outage every statement fails."""
DISK_FULL_SECONDS = 60
"""How long a disk is taken for full after a write has failed for it: reads do not show it."""
_DISK_FULL_CODES = frozenset([1021, 1114])
"""MySQL's codes: no space on the device, and a table that is full."""
_BACKOFF_SECONDS = 0.05
"""The first pause, doubled each time: the transaction that won a deadlock has gone on by then."""
_TEMPORARY = (OperationalError, InterfaceError, InternalError)

log = structlog.get_logger(__name__)


class Transactions:
    """Runs units of work against one engine.

    A unit is a plain function of an open connection. It may run more than once, also after a commit
    whose outcome is unknown, so it has to leave the same rows however often it runs. It runs to its
    end even when its task is cancelled: after a connection is cut within a statement, the server
    goes on working and holds its locks.

    On SQLite a whole unit is one call in a worker thread, which nothing cuts short: the file's lock
    is waited for a bounded time, and all else is local work.
    """

    def __init__(
        self,
        engine: "AsyncEngine",
        *,
        attempts: int,
        sleep: Sleep,
        seconds: float | None = None,
        on_failure: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`seconds` (UNIT_SECONDS) limits a unit with all its attempts.

        `on_failure` is called with the kind of each failure.
        """
        self._engine = engine
        self._in_thread = storage_kind(engine.url) == "sqlite"
        self._slots = anyio.CapacityLimiter(1 if self._in_thread else MYSQL_CONNECTIONS)
        self._threads = anyio.CapacityLimiter(1)
        self._seconds = UNIT_SECONDS if seconds is None else seconds
        self._queue_seconds: float = QUEUE_SECONDS
        self._attempts = max(attempts, 1)
        self._sleep = sleep
        self._running: set[anyio.CancelScope] = set()
        self._queued: set[anyio.CancelScope] = set()
        self._disk_full_at = -math.inf
        self._failures = _FailureLog(on_failure)

    def limit_time(self, seconds: float) -> None:
        """From now on a unit, also one under way, has at most so many seconds.

        Those that queue then get LAST_QUEUE_SECONDS.
        """
        self._seconds = min(self._seconds, seconds)
        self._queue_seconds = min(self._queue_seconds, LAST_QUEUE_SECONDS)
        for scopes, most in ((self._running, seconds), (self._queued, LAST_QUEUE_SECONDS)):
            for scope in scopes:
                scope.deadline = min(scope.deadline, anyio.current_time() + most)

    def is_disk_full(self) -> bool:
        """Whether the disk was full when a unit last failed, DISK_FULL_SECONDS ago at most."""
        return monotonic() - self._disk_full_at < DISK_FULL_SECONDS

    async def run(self, unit: Callable[[Connection], T]) -> T:
        """The unit's result; raises DatabaseUnavailable when the database does not answer."""
        pool = self._engine.pool
        try:
            return await self._run_in_time(unit)
        except TimeoutError:
            await self._drop_idle_connections(pool)
            self._failures.add(logging.WARNING, "database_unavailable", "no answer in time")
            raise _build_unavailable() from None
        except (PoolTimeout, OSError, *_TEMPORARY) as error:
            if _is_disk_full(error):
                self._disk_full_at = monotonic()
            self._failures.add(logging.WARNING, "database_unavailable", describe_error(error))
            raise _build_unavailable() from None
        except DBAPIError as error:
            # A missing table or permission, for example, which will not pass by itself.
            self._failures.add(logging.ERROR, "database_refused", describe_error(error))
            raise DatabaseUnavailable(
                "The assistant's database refused a statement. Please report this to the operator "
                "of the assistant."
            ) from None

    async def _run_in_time(self, unit: Callable[[Connection], T]) -> T:
        """Waits for a connection; the unit's own time begins only then."""
        holder = object()
        with _listed_deadline(self._queued, self._queue_seconds):
            await self._slots.acquire_on_behalf_of(holder)
        try:
            with _listed_deadline(self._running, self._seconds):
                return await self._run_attempts(unit)
        finally:
            self._slots.release_on_behalf_of(holder)

    async def _drop_idle_connections(self, pool: Pool) -> None:
        """Closes the idle connections: behind a firewall all of them may be dead unnoticed.

        When many units run out of time together, the first does it for all.
        """
        if self._engine.pool is pool and storage_kind(self._engine.url) == "mysql":
            with anyio.CancelScope(shield=True):
                await self._engine.dispose()

    async def _run_attempts(self, unit: Callable[[Connection], T]) -> T:
        failures = duplicates = 0
        while True:
            try:
                return await self._run_once(unit)
            except (*_TEMPORARY, IntegrityError) as error:
                # Where two insert the same row at once, the second finds it in its next attempt: so
                # it has one, also if the last one of those for other failures ended like this.
                if isinstance(error, IntegrityError):
                    duplicates += 1
                else:
                    failures += 1
                if failures >= self._attempts or duplicates > self._attempts:
                    raise
                attempt = failures + duplicates
                log.debug("database_retry", attempt=attempt, reason=describe_error(error))
            await self._sleep(_BACKOFF_SECONDS * 2 ** (attempt - 1))

    async def _run_once(self, unit: Callable[[Connection], T]) -> T:
        if self._in_thread:
            return await anyio.to_thread.run_sync(self._run_here, unit, limiter=self._threads)
        async with self._engine.begin() as db:
            return await db.run_sync(unit)

    def _run_here(self, unit: Callable[[Connection], T]) -> T:
        with self._engine.sync_engine.begin() as db:
            return unit(db)


@contextmanager
def _listed_deadline(scopes: set[anyio.CancelScope], seconds: float) -> Iterator[None]:
    """Raises TimeoutError after `seconds`; the scope is in `scopes` meanwhile."""
    with anyio.fail_after(seconds, shield=True) as scope:
        scopes.add(scope)
        try:
            yield
        finally:
            scopes.discard(scope)


class _FailureLog:
    """Logs each kind of failure at most once in an interval, with how often it came since."""

    def __init__(self, on_failure: Callable[[str], None]) -> None:
        self._on_failure = on_failure
        self._logged_at: dict[str, float] = {}
        self._times: Counter[str] = Counter()

    def add(self, level: int, event: str, reason: str) -> None:
        self._times[event] += 1
        self._on_failure(event.removeprefix("database_"))
        now = monotonic()
        if now - self._logged_at.get(event, -math.inf) >= LOG_INTERVAL_SECONDS:
            self._logged_at[event] = now
            log.log(level, event, reason=reason, times=self._times.pop(event))


def _is_disk_full(error: Exception) -> bool:
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = cause.args[0] if cause is not None and cause.args else None
    return code in _DISK_FULL_CODES or "disk is full" in str(code)


def _build_unavailable() -> DatabaseUnavailable:
    return DatabaseUnavailable(
        "The assistant's database does not answer or cannot store anything now. "
        "Please try again in a moment."
    )
