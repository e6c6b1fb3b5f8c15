"""The optional parameters of a request, and how patiently its answer is awaited."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

OPTIONAL_PARAMETERS = (
    "temperature",
    "reasoning_effort",
    "stream_options",
    "max_completion_tokens",
)
"""What a provider may refuse without the request losing its sense."""


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """What is asked for, and how patiently.

    `silence_seconds` is the longest pause between two pieces of an answer; `reply_bytes` bounds a
    reply's text and calls; `attempts` counts the first one; `backoff` is the pause before
    the second in seconds, doubled each time; `statuses` are answers that are tried again.
    """

    max_completion_tokens: int = 8_192
    temperature: float | None = None
    reasoning_effort: str | None = None
    silence_seconds: float = 120
    reply_bytes: int = 262_144
    attempts: int = 3
    backoff: float = 0.5
    statuses: Collection[int] = (429, 502, 503, 504)

    def sent(self, refused: Collection[str], *, stream: bool) -> dict[str, Any]:
        """The optional members of a request, without those that are refused."""
        optional = {
            "stream_options": {"include_usage": True} if stream else None,
            "max_completion_tokens": self.max_completion_tokens,
            "temperature": self.temperature,
            "reasoning_effort": self.reasoning_effort,
        }
        return {
            name: value
            for name, value in optional.items()
            if value is not None and name not in refused
        }
