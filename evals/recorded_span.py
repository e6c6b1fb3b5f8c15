"""A recorded span, as it is moved and copied into a generated trace."""

from dataclasses import dataclass, field
from typing import Any

CULPRIT_TAG = "culprit"
"""Marks the span that is to be found; taken off before the trace is analysed."""


@dataclass
class RecordedSpan:
    """A recorded span with its times in microseconds from the trace's start."""

    record: dict[str, Any]
    start: float
    end: float | None
    below: "list[RecordedSpan]" = field(default_factory=list)

    def all(self) -> "list[RecordedSpan]":
        found, waiting = [], [self]
        while waiting:
            item = waiting.pop()
            found.append(item)
            waiting.extend(item.below)
        return found

    def last(self) -> float:
        return max(item.start if item.end is None else item.end for item in self.all())
