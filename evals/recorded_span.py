"""A span on its way from a recording into a made trace."""

from dataclasses import dataclass, field
from typing import Any

CULPRIT_TAG = "culprit"
"""Marks the span that is to be found; taken off before the trace is analysed."""


@dataclass
class Item:
    """A recorded span with its times in microseconds from the trace's start."""

    record: dict[str, Any]
    start: float
    end: float | None
    below: "list[Item]" = field(default_factory=list)

    def all(self) -> "list[Item]":
        found, waiting = [], [self]
        while waiting:
            item = waiting.pop()
            found.append(item)
            waiting.extend(item.below)
        return found

    def last(self) -> float:
        return max(item.start if item.end is None else item.end for item in self.all())
