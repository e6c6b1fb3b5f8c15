"""What is sent of a turn, before anyone says how: no SDK, no wire."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from app.messages import Usage

Facts = Mapping[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class Failure:
    """A code for programs, a sentence for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class SpanRecord:
    """One step of a turn; times are aware. `model` and `provider` are "" where nobody says."""

    name: str
    type: Literal["general", "llm", "tool"]
    start: datetime
    end: datetime
    facts: Facts = field(default_factory=dict)
    input: Mapping[str, str] | None = None
    output: Mapping[str, str] | None = None
    model: str = ""
    provider: str = ""
    usage: Usage | None = None
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
    input: Mapping[str, str] | None
    output: Mapping[str, str] | None
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class Thumb:
    """A conversation's thumb: 1 up, 0 down, None for one that was taken back."""

    conversation_id: str
    value: int | None


@dataclass(frozen=True, slots=True)
class Erasure:
    """All that was sent of a conversation shall go."""

    conversation_id: str


Observation = TurnRecord | Thumb | Erasure
