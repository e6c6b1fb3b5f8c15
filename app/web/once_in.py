"""Limits how often a repeated event is reported."""

import time


class OnceIn:
    """True once in so many seconds: for log lines about what a client can cause at will."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = float("-inf")

    def is_due(self) -> bool:
        """Whether the event is to be reported now."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True
