"""The interfaces that conversations call: access, traces, models and observers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.agent.citations import Aliases
from app.agent.ports import Model
from app.agent.toolbox import Toolbox
from app.caller import Caller, Identity, Owner
from app.db.event_rows import TurnKey
from app.events import ModelCalled, StoredEvent, TerminalEvent
from app.messages import OfferedModel


class Access(Protocol):
    """Identifies callers and checks their rights; raises RequestRefused or BackendUnavailable."""

    async def identify(self, caller: Caller, *, fresh: bool) -> Identity:
        """Identifies the caller; `fresh` asks the backend even if its answer is cached."""
        ...

    async def admit(self, caller: Caller, trace_id: str) -> tuple[Identity, Any]:
        """Identifies the caller and reads the trace's record, for `OpenTrace`, both anew and side
        by side; raises where the caller may not read it."""
        ...

    async def check(self, caller: Caller, trace_id: str, *, fresh: bool) -> bool:
        """Returns if the caller may read the trace, else raises; True where the backend was asked,
        False where its answer was cached."""
        ...


class OpenedTrace(Protocol):
    """A loaded trace: its outline, the tools that look closer, and its spans' names."""

    @property
    def outline(self) -> str: ...

    @property
    def project_id(self) -> str: ...

    @property
    def span_count(self) -> int: ...

    @property
    def toolbox(self) -> Toolbox: ...

    @property
    def starting_questions(self) -> Sequence[str]:
        """First questions about the trace."""
        ...

    @property
    def suggestions(self) -> Sequence[str]:
        """Follow-up questions."""
        ...

    async def complete(self) -> str:
        """Waits for what the outline did without; tools do so by themselves."""
        ...

    def describe_analysis(self) -> Mapping[str, Any]:
        """Findings, notes and profile as a JSON value."""
        ...

    def answer_without_model(self) -> str:
        """The same as Markdown for a person, citing spans by their aliases."""
        ...

    def label(self, span_id: str) -> str | None: ...


class OpeningTrace(Protocol):
    """A trace whose spans are being read."""

    async def open(self, aliases: Aliases, *, complete: bool = False) -> OpenedTrace:
        """The trace, its spans named by `aliases`; raises like Access.

        The outline of a `complete` one holds all, so that tools add nothing to it.
        """
        ...

    def cancel(self) -> None:
        """Reads no further."""
        ...


class OpenTrace(Protocol):
    def __call__(self, caller: Caller, owner: Owner, trace: Any, /) -> OpeningTrace:
        """Starts to read the trace of a record that `Access.admit` gave.

        A copy may be cached for the next turn of `owner`.
        """
        ...


class OpenModel(Protocol):
    """Creates the model of one turn, with the caller's rights."""

    def resolve_name(self, requested: str | None) -> str:
        """The model's name until a reply reports which model answered.

        Raises InvalidRequest where the `requested` model is not allowed; None requests the
        configured one.
        """
        ...

    def __call__(self, caller: Caller, *, token: str, requested: str | None) -> Model:
        """Starts to read which models there are, without waiting. `token` is random, so that
        recorded data cannot contain it."""
        ...

    async def list_offered(self, caller: Caller) -> Sequence[OfferedModel]:
        """The models that may be requested."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFacts:
    """What is known of a turn when it begins.

    `model` is the requested name, until a reply reports which model answered. `first` is True for
    the first question of a conversation.
    """

    key: TurnKey
    trace_id: str
    owner: Owner
    request_id: str
    question: str
    model: str
    first: bool


class TurnObserver(Protocol):
    """Records one turn for the operator."""

    def record_event(self, event: StoredEvent | ModelCalled) -> None:
        """Called with each event but the first and the last, before it is stored."""
        ...

    def record_first_text(self) -> None:
        """Called once, when the first text of the turn is shown."""
        ...

    def record_end(self, ending: TerminalEvent) -> None:
        """Called once, after the last event."""
        ...


class Observer(Protocol):
    """Records turns and ratings for the operator; never waits, never raises."""

    def start_turn(self, turn: TurnFacts) -> TurnObserver:
        """Called when a turn begins."""
        ...

    def record_rating(self, owner: Owner, conversation_id: str, value: int) -> None:
        """Called with a user's rating: 1 thumb up, 0 down."""
        ...

    def record_rating_removed(self, owner: Owner, conversation_id: str) -> None:
        """Called when a user removed the rating."""
        ...

    def record_deletion(self, conversation_id: str) -> None:
        """Called when a conversation was deleted, after the end of its turn."""
        ...
