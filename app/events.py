"""What happens in a turn: a closed union of events.

The `type` names are public and stored: they are spelled once, here, and frozen by a test.
Stored events are the conversation's only memory; live events exist for the reader of a stream.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from app.citation_tokens import Citation
from app.messages import Message, Reply, TokenUsage, ToolSpec


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ToolCallRecord(BaseModel):
    """A tool call as it was asked for, with the line that a person reads about it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    name: str
    arguments: str
    provider_id: str = ""
    display_name: str = ""


class TurnStarted(_Event):
    type: Literal["turn_started"] = "turn_started"
    question: str


class TraceRead(_Event):
    """The trace was loaded for this turn: what links to its spans need, and how much there was."""

    type: Literal["trace_read"] = "trace_read"
    project_id: str = ""
    spans: int = 0


class TraceAlias(BaseModel):
    """Another trace that has a short name; `label` is what a person reads for it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    label: str


class AliasesAssigned(_Event):
    """What got its short name: the next aliases of the conversation, in order, of spans (`ids`)
    and of other traces.

    Both stand in one event, so that a service from before traces had names can read it.
    """

    type: Literal["spans_named"] = "spans_named"
    ids: tuple[str, ...] = ()
    traces: tuple[TraceAlias, ...] = ()


class ReplyCompleted(_Event):
    """One bubble of the assistant: its whole text and the calls it ends with.

    The text cites spans as `⟦span:<uuid>⟧` and other traces as `⟦trace:<uuid>⟧`; `cited` names
    them. `complete` is False for a text that was cut: by Stop, by a failure or by a broken stream.
    """

    type: Literal["reply_completed"] = "reply_completed"
    bubble: str
    text: str
    cited: dict[str, str] = {}
    calls: tuple[ToolCallRecord, ...] = ()
    usage: TokenUsage | None = None
    model: str = ""
    provider: str = ""
    complete: bool = True


ToolOutcome = Literal["ok", "failed", "duplicate", "not_run", "cancelled"]


class ToolCompleted(_Event):
    """The answer to one call: what the model reads, and how it went."""

    type: Literal["tool_completed"] = "tool_completed"
    call_id: str
    name: str
    outcome: ToolOutcome
    text: str
    milliseconds: int = 0


class ContextShrunk(_Event):
    """What a request to the model no longer holds in full: tool answers and earlier turns.

    `reason` tells whether a limit of ours or the provider's refusal asked for it; `characters` is
    the length of what was left.
    """

    type: Literal["context_shrunk"] = "context_shrunk"
    reason: Literal["budget", "refused"]
    answers: int = 0
    turns: int = 0
    characters: int = 0


class TurnFinished(_Event):
    type: Literal["turn_finished"] = "turn_finished"


class TurnFailed(_Event):
    """The turn ended with words for the user instead of (or after) an answer."""

    type: Literal["turn_failed"] = "turn_failed"
    code: str
    message: str


class TurnCancelled(_Event):
    """The user pressed Stop or left."""

    type: Literal["turn_cancelled"] = "turn_cancelled"


class TurnInterrupted(_Event):
    """The process that answered is gone; written by whoever took over its expired lease."""

    type: Literal["turn_interrupted"] = "turn_interrupted"


class UsageTotals(BaseModel):
    """Tokens, and what they cost in USD where every model's price is known."""

    model_config = ConfigDict(frozen=True)

    usage: TokenUsage
    cost: float | None = None


class QuestionsSuggested(_Event):
    """Live only: questions to go on with after an answer."""

    type: Literal["questions_suggested"] = "questions_suggested"
    questions: tuple[str, ...]


class UsageReported(_Event):
    """Live only: what the turn, and the conversation with it, have used; before the turn's end."""

    type: Literal["usage_counted"] = "usage_counted"
    turn: UsageTotals
    conversation: UsageTotals


class TextDelta(_Event):
    """Live only: the next parts of a bubble's text."""

    type: Literal["text_delta"] = "text_delta"
    bubble: str
    parts: tuple[str | Citation, ...]


StoredEvent = (
    TurnStarted
    | TraceRead
    | AliasesAssigned
    | ReplyCompleted
    | ToolCompleted
    | ContextShrunk
    | TurnFinished
    | TurnFailed
    | TurnCancelled
    | TurnInterrupted
)
TerminalEvent = TurnFinished | TurnFailed | TurnCancelled | TurnInterrupted
Event = StoredEvent | TextDelta | UsageReported | QuestionsSuggested


@dataclass(frozen=True, slots=True)
class ModelCalled:
    """A call of the model ended: with a `reply`, with an `error`, or stopped (neither).

    Neither stored nor shown to a reader. Times are UTC. `usage` is what the provider reported,
    else an estimate, and zero for a request that was refused before any text came.
    """

    started_at: datetime
    ended_at: datetime
    messages: Sequence[Message]
    tools: Sequence[ToolSpec]
    reply: Reply | None
    error: Exception | None
    usage: TokenUsage


_STORED: TypeAdapter[StoredEvent] = TypeAdapter(Annotated[StoredEvent, Field(discriminator="type")])


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event as the log keeps it; `sequence` orders a conversation, `created_at` is UTC."""

    id: str
    sequence: int
    turn_id: str
    created_at: datetime
    event: StoredEvent


@dataclass(frozen=True, slots=True)
class Transcript:
    """A conversation's log; `running` tells whether a living process answers in it."""

    trace_id: str
    workspace: str
    events: tuple[LoggedEvent, ...]
    running: bool


def dump_event(event: StoredEvent) -> str:
    """The event as JSON text for the log."""
    # The log keeps only what a provider reported.
    return event.model_dump_json(exclude={"usage": {"estimated"}})


def load_event(payload: str) -> StoredEvent:
    """The event of a stored JSON text; raises pydantic.ValidationError for an unknown one."""
    return _STORED.validate_json(payload)
