"""A bounded queue and the one task that empties it.

`put` never waits: a job that does not fit, or that still fails after several attempts, is dropped
and counted. Deletions are tried again until they succeed or the process ends. Those that are left
then, or that the backend refuses, are named in the log.
"""

import math
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import anyio
import structlog

log = structlog.get_logger(__name__)

MAX_WAITING = 200
"""Jobs that wait in memory. A turn with full content may weigh some 100 kB."""
RETRY_SECONDS = (0.5, 1.0, 2.0)
"""Pauses before further attempts: enough for a backend that is just busy."""
DELETION_RETRY_SECONDS = 30.0
"""Without new jobs, failed deletions are tried again as often: none may be lost, none is urgent."""
REPORT_SECONDS = 60.0
"""How often at most losses are logged: an outage loses every turn."""
CLOSE_SECONDS = 3.0
"""Together with the end of the turns this has to fit into the time before a kill."""


class NotDelivered(Exception):
    """The backend did not take a request; `reason` is for the log.

    `temporary` where a later attempt may succeed; `status` is that of an answer, 0 without one.
    """

    def __init__(self, reason: str, *, temporary: bool, status: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.temporary = temporary
        self.status = status


Request = Callable[[], Awaitable[None]]
"""Raises NotDelivered; may be repeated without harm."""


@dataclass(frozen=True, slots=True)
class Job:
    """Requests in order; `deletes` is the id of the thread that they delete, if they do."""

    requests: Sequence[Request]
    deletes: str | None = None


class DeliveryQueue:
    def __init__(self) -> None:
        self._input, self._output = anyio.create_memory_object_stream[Job](MAX_WAITING)
        self._deletions: deque[Job] = deque()
        self._current: Job | None = None
        self._closing = anyio.Event()
        self._lost = self._reported = 0
        self._reported_at = -math.inf

    def put(self, job: Job) -> None:
        """Takes the job, or counts it as lost."""
        try:
            self._input.send_nowait(job)
        except anyio.WouldBlock:
            self._give_up(job, "queue_full")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Delivers; at the end what still waits has CLOSE_SECONDS."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._run)
            yield
            self._closing.set()
            self._input.close()
            group.cancel_scope.deadline = anyio.current_time() + CLOSE_SECONDS
        self._report_end()

    async def _run(self) -> None:
        ended = False
        while not ended:
            job = None
            try:
                with anyio.move_on_after(DELETION_RETRY_SECONDS):
                    job = await self._output.receive()
            except anyio.EndOfStream:
                ended = True
            if job is None or await self._deliver(job):
                await self._retry_deletions()

    async def _retry_deletions(self) -> None:
        """Tries each once, up to the first that fails again."""
        for _ in range(len(self._deletions)):
            if not await self._deliver(self._deletions.popleft()):
                return

    async def _deliver(self, job: Job) -> bool:
        self._current = job
        delivered = False
        try:
            for request in job.requests:
                await self._send_request(request)
            delivered = True
        except NotDelivered as failure:
            self._give_up(job, failure.reason, temporary=failure.temporary)
        except Exception:
            # The task has to live on, whatever was wrong with one job.
            log.exception("own_trace_failed")
            self._give_up(job, "internal", temporary=False)
        self._current = None
        return delivered

    async def _send_request(self, request: Request) -> None:
        for seconds in RETRY_SECONDS:
            try:
                await request()
                return
            except NotDelivered as failure:
                if not failure.temporary:
                    raise
            with anyio.move_on_after(seconds):
                await self._closing.wait()
                break
        await request()

    def _give_up(self, job: Job, reason: str, *, temporary: bool = True) -> None:
        if job.deletes is None:
            self._count_loss(reason)
        elif temporary:
            self._deletions.append(job)
        else:
            _report_deletions([job.deletes], reason)

    def _count_loss(self, reason: str) -> None:
        self._lost += 1
        if anyio.current_time() - self._reported_at >= REPORT_SECONDS:
            self._report_losses(reason)

    def _report_losses(self, reason: str) -> None:
        self._reported, self._reported_at = self._lost, anyio.current_time()
        log.warning("own_traces_lost", lost=self._lost, reason=reason)

    def _report_end(self) -> None:
        left = [each for each in (self._current, *self._deletions) if each is not None]
        with suppress(anyio.EndOfStream):
            while True:
                left.append(self._output.receive_nowait())
        self._output.close()
        self._lost += sum(job.deletes is None for job in left)
        if self._lost > self._reported:
            self._report_losses("shutdown")
        if threads := [job.deletes for job in left if job.deletes is not None]:
            _report_deletions(threads, "shutdown")


def _report_deletions(threads: Sequence[str], reason: str) -> None:
    log.warning("own_traces_not_deleted", threads=threads, reason=reason)
