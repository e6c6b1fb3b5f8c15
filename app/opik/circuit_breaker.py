"""Stops asking a backend that does not answer, and finds out when it does again.

While the backend is down every request to it would wait for its own time-outs and retries. After
some failures in a row, requests fail at once with a message; after some seconds one request is
admitted as a probe, and its success admits all others again.

A response below 500 is a success: a backend that sends 401, 404 or 429 is there. A lost connection
is a failure each time. A response of 5xx or a time-out counts once for a path, since one record
that the backend cannot give must not block all others.
"""

import math
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

import structlog

from app.errors import BackendUnavailable

log = structlog.get_logger(__name__)

FAILURES = 5
"""One or two happen in a healthy network; five in a row cost a minute of time-outs."""
PROBE_SECONDS = 5.0
"""How soon a backend that has restarted is noticed; one probe in this time is no load."""


@dataclass(slots=True)
class GuardedRequest:
    """A request that was let through; the code that makes it notes here how it ended.

    A request that was given up sets neither `answered` nor `failure` (what failed; equal ones count
    once), since it says nothing about the backend.
    """

    is_probe: bool
    answered: bool = False
    failure: Hashable = None


class CircuitBreaker:
    """Opens after `FAILURES` in a row, admits a probe `PROBE_SECONDS` after the last."""

    def __init__(self) -> None:
        self._failed: set[Hashable] = set()
        self._open_until: float | None = None
        self._probing = False

    @contextmanager
    def guard(self) -> Iterator[GuardedRequest]:
        """Admits one request; raises BackendUnavailable at once while the circuit is open."""
        request = GuardedRequest(is_probe=self._admit())
        try:
            yield request
        finally:
            self._record(request)

    def _admit(self) -> bool:
        """Whether the request is the probe."""
        if self._open_until is None:
            return False
        wait = self._open_until - monotonic()
        if wait > 0 or self._probing:
            seconds = max(1, math.ceil(wait))
            raise BackendUnavailable(
                "The Opik backend cannot be reached now; it is tried again in "
                f"{seconds} {'second' if seconds == 1 else 'seconds'}. Ask again then."
            )
        self._probing = True
        return True

    def _record(self, request: GuardedRequest) -> None:
        if request.is_probe:
            self._probing = False
        if request.answered:
            self._close()
        elif request.failure is not None and request.is_probe:
            self._open_until = monotonic() + PROBE_SECONDS
        elif request.failure is not None and self._open_until is None:
            self._failed.add(request.failure)
            if len(self._failed) >= FAILURES:
                self._open_until = monotonic() + PROBE_SECONDS
                log.warning("backend_circuit_open", failures=FAILURES, seconds=PROBE_SECONDS)

    def _close(self) -> None:
        self._failed.clear()
        if self._open_until is not None:
            self._open_until = None
            log.info("backend_circuit_closed")
