"""Everything that happens in a turn, as a closed union of events.

The `type` names are public and stored: they are written once, here, and a test keeps them fixed.
The stored events are all that is kept of a conversation; live events are only for the reader of a
running turn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from app.citation_tokens import Citation
from app.messages import Message, Reply, TokenUsage, ToolSpec


class _Event(BaseModel):
    """An event or a part of one."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ToolCallRecord(_Event):
    """A tool call as the model requested it, with the line that the user reads about it and the
    ids of the spans that the line names."""

    id: str
    name: str
    arguments: str
    provider_id: str = ""
    display_name: str = ""
    spans: tuple[str, ...] = ()


class TurnStarted(_Event):
    type: Literal["turn_started"] = "turn_started"
    question: str


class TraceRead(_Event):
    """The trace was loaded for this turn; links to its spans need the project's id."""

    type: Literal["trace_read"] = "trace_read"
    project_id: str = ""
    spans: int = 0


class TraceAlias(_Event):
    """Another trace that has an alias; `label` is its name for the user."""

    id: str
    label: str


class AliasesAssigned(_Event):
    """The next aliases of the conversation, in order: of spans (`ids`) and of other traces.

    Both are in one event, so that a version without aliases of traces can read it.
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
    """The result of one tool call: its outcome and the text that the model reads."""

    type: Literal["tool_completed"] = "tool_completed"
    call_id: str
    name: str
    outcome: ToolOutcome
    text: str
    milliseconds: int = 0


class ContextShrunk(_Event):
    """A request to the model was shortened: numbers of tool results and of earlier turns.

    `reason` is `budget` for a limit of this service and `refused` for a request that the provider
    refused as too long; `characters` is the length afterwards.
    """

    type: Literal["context_shrunk"] = "context_shrunk"
    reason: Literal["budget", "refused"]
    answers: int = 0
    turns: int = 0
    characters: int = 0


class QuestionsSuggested(_Event):
    """Follow-up questions after an answer."""

    type: Literal["questions_suggested"] = "questions_suggested"
    questions: tuple[str, ...]


class TurnFinished(_Event):
    type: Literal["turn_finished"] = "turn_finished"


class TurnFailed(_Event):
    """The turn ended with an error message for the user, possibly after some text."""

    type: Literal["turn_failed"] = "turn_failed"
    code: str
    message: str


class TurnCancelled(_Event):
    """The user pressed Stop or closed the connection."""

    type: Literal["turn_cancelled"] = "turn_cancelled"


class TurnInterrupted(_Event):
    """The process that answered has died; written by the turn that took over its expired lease."""

    type: Literal["turn_interrupted"] = "turn_interrupted"


class UsageTotals(_Event):
    """Tokens, and what they cost in USD where every model's price is known.

    `price_date` is the date of prices that the operator did not set.
    """

    usage: TokenUsage
    cost: float | None = None
    price_date: date | None = None


class UsageReported(_Event):
    """Live only: what the turn, and the conversation up to it, used; sent before the turn's end.

    Of earlier turns only what a provider reported is counted.
    """

    type: Literal["usage_counted"] = "usage_counted"
    turn: UsageTotals
    conversation: UsageTotals


@dataclass(frozen=True, slots=True)
class TextDelta:
    """Live only: the next parts of a bubble's text. No model, since nothing has to be checked."""

    bubble: str
    parts: tuple[str | Citation, ...]


class TextWithdrawn(_Event):
    """Live only: a bubble's text so far is no part of the reply, which comes whole at its end."""

    type: Literal["text_withdrawn"] = "text_withdrawn"
    bubble: str


StoredEvent = (
    TurnStarted
    | TraceRead
    | AliasesAssigned
    | ReplyCompleted
    | ToolCompleted
    | ContextShrunk
    | QuestionsSuggested
    | TurnFinished
    | TurnFailed
    | TurnCancelled
    | TurnInterrupted
)
TerminalEvent = TurnFinished | TurnFailed | TurnCancelled | TurnInterrupted
Event = StoredEvent | TextDelta | TextWithdrawn | UsageReported


@dataclass(frozen=True, slots=True)
class ModelCalled:
    """A call of the model ended: with a `reply`, with an `error`, or stopped (neither).

    Neither stored nor shown to a reader. Times are UTC. `usage` is what the provider reported,
    else an estimate, and zero for a failure before any text came.
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
    """An event as the log stores it; `sequence` orders a conversation, `created_at` is UTC.

    `parent_turn_id` is the turn before this event's turn, None for a first one.
    """

    id: str
    sequence: int
    turn_id: str
    created_at: datetime
    event: StoredEvent
    parent_turn_id: str | None = None


@dataclass(frozen=True, slots=True)
class TurnPlace:
    """Where a turn belongs: in which conversation (None for the current one), and in place of or
    after which turn of it. With neither it follows the latest turn."""

    conversation_id: str | None = None
    replaces: str | None = None
    after: str | None = None


LATEST_PLACE = TurnPlace()


@dataclass(frozen=True, slots=True)
class Siblings:
    """The turns with one parent, in order of their start: the edited and regenerated questions.

    `leaves` are the ends of their branches: of each turn the latest one that came of it.
    """

    turn_ids: tuple[str, ...]
    leaves: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Transcript:
    """What is shown of a branch of a conversation, or of the last of its turns.

    `running` is True while the branch's last turn, `leaf`, answers. `siblings` and `usage` are
    those of each turn of the branch, by its id. Earlier turns come before the sequence number
    `earlier`, None for none. `rating` is the conversation's: 1 up, 0 down, None for none.
    """

    conversation_id: str
    trace_id: str
    workspace: str
    events: tuple[LoggedEvent, ...]
    running: bool
    siblings: Mapping[str, Siblings] = field(default_factory=dict)
    usage: Mapping[str, UsageTotals] = field(default_factory=dict)
    leaf: str | None = None
    earlier: int | None = None
    rating: int | None = None


def dump_event(event: StoredEvent) -> str:
    """The event as JSON text for the log."""
    # The log keeps only what a provider reported.
    return event.model_dump_json(exclude={"usage": {"estimated"}})


def load_event(payload: str) -> StoredEvent:
    """The event of a stored JSON text; raises pydantic.ValidationError for an unknown one."""
    return _STORED.validate_json(payload)
