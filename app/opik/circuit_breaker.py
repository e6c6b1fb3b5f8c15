"""Stops asking a backend that does not answer, and finds out when it does again.

While the backend is down every request to it would wait for its own time-outs and retries. After
some failures in a row, requests fail at once, in words; after some seconds one of them is let
through as a probe, and its success lets all others pass again.

An answer below 500 is a success: whoever says 401, 404 or 429 is there. A lost connection is a
failure each time. An answer of 5xx or a time-out counts once for a path, since one record that the
backend cannot give must not close the way to all others.
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
PROBE_SECONDS = 5.0


@dataclass(slots=True)
class GuardedRequest:
    """One request's way through: whoever makes it says here how it ended.

    Neither `answered` nor `failure` (what failed; equal ones count once) is for a request that was
    given up, which says nothing about the backend.
    """

    is_probe: bool
    answered: bool = False
    failure: Hashable = None


class CircuitBreaker:
    """Opens after `FAILURES` in a row, lets a probe through `PROBE_SECONDS` after the last."""

    def __init__(self) -> None:
        self._failed: set[Hashable] = set()
        self._open_until: float | None = None
        self._probing = False

    @contextmanager
    def guard(self) -> Iterator[GuardedRequest]:
        """The way of one request; raises BackendUnavailable at once while the circuit is open."""
        request = GuardedRequest(is_probe=self._admit())
        try:
            yield request
        finally:
            self._settle(request)

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

    def _settle(self, request: GuardedRequest) -> None:
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
                log.warning("backend_given_up", failures=len(self._failed), seconds=PROBE_SECONDS)

    def _close(self) -> None:
        self._failed.clear()
        if self._open_until is not None:
            self._open_until = None
            log.info("backend_is_back")
