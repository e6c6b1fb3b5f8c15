"""Deletes conversations that were not used for RETENTION_DAYS, every hour."""

from collections.abc import Awaitable, Callable

import anyio
import structlog

from app.conversation.ports import Observer
from app.db.retention_batches import EMPTY_BATCH, RetentionBatches
from app.errors import DatabaseUnavailable

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 3600.0
"""Retention is counted in days: an hour more is no matter."""
PAUSE_SECONDS = 0.2
"""Between two batches, so that turns get to the database as well."""


class Retention:
    """Runs at the start and then every hour, in small batches with pauses between them.

    One of several processes does it; if that one dies, another continues after its lease expired.
    """

    def __init__(
        self,
        batches: RetentionBatches,
        observer: Observer,
        *,
        retry_seconds: float,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        """`retry_seconds` is when to try again while another process does it."""
        self._batches = batches
        self._observer = observer
        self._retry_seconds = retry_seconds
        self._sleep = sleep

    def limit_time(self, seconds: float) -> None:
        """From now on a transaction, also one under way, has at most so many seconds."""
        self._batches.limit_time(seconds)

    async def run(self) -> None:
        """Runs until it is cancelled, which waits for a transaction that has begun."""
        while True:
            done = True
            try:
                done = await self._remove_all()
            except Exception:
                # An error would cancel the task group in which the turns run as well.
                log.exception("retention_crashed")
            await self._sleep(INTERVAL_SECONDS if done else self._retry_seconds)

    async def _remove_all(self) -> bool:
        """Deletes all expired conversations; False while another process does it."""
        count = 0
        try:
            while (removed := await self._batches.remove_batch()) and removed != EMPTY_BATCH:
                count += len(removed.gone)
                for conversation_id in removed.gone:
                    self._observer.record_deletion(conversation_id)
                await self._sleep(PAUSE_SECONDS)
        except DatabaseUnavailable as error:
            log.warning("retention_interrupted", conversations=count, code=error.code)
            return True
        if count or removed is not None:
            log.info("retention_finished", conversations=count)
        return removed is not None
