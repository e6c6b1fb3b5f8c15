"""The interfaces that the loop calls: a model, and a sink for what happens."""

from collections.abc import Callable, Sequence
from typing import Protocol

from app.events import ModelCalled, StoredEvent
from app.messages import Message, Reply, TokenUsage, ToolSpec

OnText = Callable[[str], None]
"""Takes a piece of the reply's text when it arrives; never waits."""


class Model(Protocol):
    """A language model."""

    async def reply(
        self, messages: Sequence[Message], *, tools: Sequence[ToolSpec], on_text: OnText
    ) -> Reply:
        """Requests one reply and calls `on_text` with each piece of its text as it arrives.

        The pieces join to the reply's text. Raises ModelFailed where no usable reply came, possibly
        after some text.
        """
        ...


class Sink(Protocol):
    """Receives what happens in a turn."""

    def add_text(self, bubble: str, text: str) -> None:
        """Shows a piece of a bubble's text; never waits for a reader."""
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
