"""What conversations need of others."""

from collections.abc import Sequence
from typing import Protocol

from app.agent.citations import Aliases
from app.agent.ports import Model
from app.agent.toolbox import Toolbox
from app.caller import Caller, Identity, Owner
from app.events import ModelCalled, StoredEvent, TerminalEvent
from app.messages import OfferedModel


class Access(Protocol):
    """Who is this, and may they read this trace? Raises RequestRefused or BackendUnavailable."""

    async def identify(self, caller: Caller, *, fresh: bool) -> Identity:
        """Who the caller is; `fresh` asks the backend even when the answer is remembered."""
        ...

    async def check(self, caller: Caller, trace_id: str, *, fresh: bool) -> None:
        """Returns when the caller may read the trace."""
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
        """Questions to begin with."""
        ...

    @property
    def suggestions(self) -> Sequence[str]:
        """Questions to go on with."""
        ...

    def label(self, span_id: str) -> str | None: ...


class OpenTrace(Protocol):
    async def __call__(
        self, caller: Caller, owner: Owner, trace_id: str, aliases: Aliases
    ) -> OpenedTrace:
        """Loads the trace with the caller's rights; raises as Access does.

        `owner` tells whose copy may be kept for the next turn; spans are named by `aliases`.
        """
        ...


class OpenModel(Protocol):
    """Makes the model of one turn, with the caller's rights."""

    def admit(self, requested: str | None) -> str:
        """The name that is stored with the turn before a reply says who has answered.

        Raises InvalidRequest where the `requested` model (None for the configured one) may not be
        asked for.
        """
        ...

    def __call__(self, caller: Caller, *, token: str, requested: str | None) -> Model:
        """`token` is one that content of traces cannot hold; nothing is asked of anyone yet."""
        ...

    async def offered(self, caller: Caller) -> Sequence[OfferedModel]:
        """The models that may be requested."""
        ...


class TurnObserver(Protocol):
    """Sees one turn."""

    def record_event(self, event: StoredEvent | ModelCalled) -> None:
        """Told of each event of the turn but its first and its last, before it is stored."""
        ...

    def record_end(self, ending: TerminalEvent) -> None:
        """Told once, when nothing more will come."""
        ...


class Observer(Protocol):
    """Sees turns and thumbs, for whoever runs the service; never waits, never raises."""

    def start_turn(
        self,
        *,
        conversation_id: str,
        turn_id: str,
        trace_id: str,
        workspace: str,
        request_id: str,
        question: str,
        model: str,
    ) -> TurnObserver:
        """A turn begins; `model` is its name until a reply says who has answered."""
        ...

    def record_rating(self, conversation_id: str, value: int) -> None:
        """The user's thumb: 1 up, 0 down."""
        ...

    def record_rating_removed(self, conversation_id: str) -> None:
        """The thumb was taken back."""
        ...

    def record_deletion(self, conversation_id: str) -> None:
        """The conversation was deleted, after its turn has ended."""
        ...
