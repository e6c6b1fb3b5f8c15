"""The interfaces that the loop calls: a model, and a sink for what happens."""

from collections.abc import Callable, Sequence
from typing import Protocol

from app.events import ModelCalled, StoredEvent
from app.messages import Message, Reply, TokenUsage, ToolSpec

OnText = Callable[[str], None]
"""Takes a piece of the reply's text when it arrives; never waits."""

OnWithdrawn = Callable[[], None]
"""Takes back all pieces so far: a model marked its reasoning only at the end of it."""


class Model(Protocol):
    """A language model."""

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec],
        on_text: OnText,
        on_withdrawn: OnWithdrawn,
    ) -> Reply:
        """Requests one reply and calls `on_text` with each piece of its text as it arrives.

        The pieces join to the reply's text; `on_withdrawn` says that those so far are not a part of
        it. Raises ModelFailed where no usable reply came, possibly after some text.
        """
        ...


class Sink(Protocol):
    """Receives what happens in a turn."""

    def add_text(self, bubble: str, text: str) -> None:
        """Shows a piece of a bubble's text; never waits for a reader."""
        ...

    def withdraw_text(self, bubble: str) -> None:
        """Takes back a bubble's text so far; what is added now begins it anew."""
        ...

    @property
    def usage(self) -> TokenUsage:
        """Tokens of all model calls recorded in this turn."""
        ...

    def record_model_call(self, call: ModelCalled) -> None:
        """Counts what a model call used; never waits, never raises."""
        ...

    async def emit(self, event: StoredEvent) -> None:
        """Stores an event, then shows it. Raises TurnLost when the turn must end."""
        ...
