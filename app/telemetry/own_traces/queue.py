"""A bounded queue and the one thread that empties it.

Whoever puts something in never waits: what does not fit, and what the receiver does not take after
several attempts, is lost and counted. The count is logged at the first loss, then at most once in
`REPORT_SECONDS`, and at the end. What is to be erased is owed instead: it is tried again after each
delivery and every `OWED_SECONDS`, until the process ends.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from typing import Protocol

import structlog

from app.telemetry.own_traces.records import Observation, ThreadDeletion

log = structlog.get_logger(__name__)

WAITING = 200
WAITS = (0.5, 1.0, 2.0)
REPORT_SECONDS = 60.0
OWED_SECONDS = 30.0
_MOST_OWED = 10_000

Step = Callable[[], None]


class NotDelivered(Exception):
    """The receiver did not take something; `reason` is a word of ours for the log."""

    def __init__(self, reason: str, *, may_pass: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.may_pass = may_pass


class Delivery(Protocol):
    """Knows the receiver; used by the outbox's thread alone."""

    def steps(self, item: Observation) -> Sequence[Step]:
        """What delivers the item, in order.

        A step raises NotDelivered, and may be repeated without harm.
        """
        ...

    def close(self) -> None: ...


class DeliveryQueue:
    def __init__(
        self,
        delivery: Delivery,
        *,
        waiting: int = WAITING,
        waits: Sequence[float] = WAITS,
        owed_again: float = OWED_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`waiting` is the most that waits; `waits` are the seconds before further attempts,
        `owed_again` those until what is owed is tried again where nothing else is sent."""
        self._delivery = delivery
        self._queue: queue.Queue[Observation | None] = queue.Queue(waiting)
        self._waits = waits
        self._owed: deque[ThreadDeletion] = deque()
        self._owed_again = owed_again
        self._clock = clock
        self._closing = threading.Event()
        self._counting = threading.Lock()
        self._lost = self._told = 0
        self._told_at: float | None = None
        self._thread = threading.Thread(target=self._work, name="own-traces", daemon=True)
        self._thread.start()

    def put(self, item: Observation) -> None:
        """Takes the item, or counts it as lost; returns at once."""
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            self._miss(item, "queue_full")

    def close(self, seconds: float) -> None:
        """Gives what still waits so long to leave, then lets it go. Blocks meanwhile."""
        deadline = time.monotonic() + seconds
        self._closing.set()
        with suppress(queue.Full):
            self._queue.put(None, timeout=seconds)
        self._thread.join(max(0.0, deadline - time.monotonic()))
        if self._thread.is_alive():
            self._let_go()
        if self._owed:
            log.warning(
                "own_traces_not_erased", threads=[each.conversation_id for each in self._owed]
            )
        with self._counting:
            if self._lost > self._told:
                self._tell("shutdown")

    def _let_go(self) -> None:
        """Counts what still waits as lost; what is under way may yet arrive."""
        with self._counting, suppress(queue.Empty):
            while True:
                if self._queue.get_nowait() is not None:
                    self._lost += 1
        self._queue.put_nowait(None)

    def _work(self) -> None:
        with closing(self._delivery):
            while True:
                try:
                    item = self._queue.get(timeout=self._owed_again if self._owed else None)
                except queue.Empty:
                    self._pay()
                    continue
                if item is None:
                    return self._pay()
                if self._delivered(item):
                    self._pay()

    def _pay(self) -> None:
        """Tries to erase what is owed, each once, up to the first that still cannot be."""
        for _ in range(len(self._owed)):
            if not self._delivered(self._owed.popleft()):
                return

    def _delivered(self, item: Observation) -> bool:
        try:
            for step in self._delivery.steps(item):
                self._attempt(step)
            return True
        except NotDelivered as failure:
            self._miss(item, failure.reason, may_pass=failure.may_pass)
        except Exception:
            # The thread has to live on, whatever one item was.
            log.exception("own_trace_failed")
            self._lose("internal")
        return False

    def _attempt(self, step: Step) -> None:
        for seconds in self._waits:
            try:
                return step()
            except NotDelivered as failure:
                if not failure.may_pass:
                    raise
            if self._closing.wait(seconds):
                break
        return step()

    def _miss(self, item: Observation, reason: str, *, may_pass: bool = True) -> None:
        if isinstance(item, ThreadDeletion) and may_pass and len(self._owed) < _MOST_OWED:
            self._owed.append(item)
        else:
            self._lose(reason)

    def _lose(self, reason: str) -> None:
        with self._counting:
            self._lost += 1
            due = self._told_at is None or self._clock() - self._told_at >= REPORT_SECONDS
            if due:
                self._tell(reason)

    def _tell(self, reason: str) -> None:
        self._told, self._told_at = self._lost, self._clock()
        log.warning("own_traces_lost", lost=self._lost, reason=reason)
