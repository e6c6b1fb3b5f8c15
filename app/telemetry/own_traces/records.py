"""What is sent of a turn, before anyone says how: no SDK, no wire."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from app.messages import TokenUsage

Facts = Mapping[str, str | int]
Body = Mapping[str, Any]
"""An input or an output: what can be counted, and the words where they may be sent."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A code for programs, a sentence for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class SpanRecord:
    """One step of a turn; times are aware. `model` and `provider` are "" where nobody says.

    `output` is None only where there was none.
    """

    name: str
    type: Literal["general", "llm", "tool"]
    start: datetime
    end: datetime
    input: Body | None = None
    output: Body | None = None
    facts: Facts = field(default_factory=dict)
    model: str = ""
    provider: str = ""
    usage: TokenUsage | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """One turn, whole; `conversation_id` makes the turns of a conversation one thread."""

    conversation_id: str
    start: datetime
    end: datetime
    facts: Facts
    tags: Sequence[str]
    spans: Sequence[SpanRecord]
    input: Body
    output: Body | None
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class Feedback:
    """A conversation's thumb: 1 up, 0 down, None for one that was taken back."""

    conversation_id: str
    value: int | None


@dataclass(frozen=True, slots=True)
class ThreadDeletion:
    """All that was sent of a conversation shall go."""

    conversation_id: str


Observation = TurnRecord | Feedback | ThreadDeletion
