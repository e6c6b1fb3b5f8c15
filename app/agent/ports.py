"""What the loop needs of others."""

from collections.abc import Callable, Sequence
from typing import Protocol

from app.events import ModelCalled, StoredEvent
from app.messages import Message, Reply, TokenUsage, ToolSpec

Say = Callable[[str], None]
"""Takes a piece of the reply's text the moment it arrives; never waits."""


class Model(Protocol):
    """One reply of a language model."""

    async def reply(
        self, messages: Sequence[Message], *, tools: Sequence[ToolSpec], say: Say
    ) -> Reply:
        """Asks for one reply and calls `say` with each piece of its text as it comes.

        The pieces join to the reply's text. Raises ModelFailed where no usable reply came; text
        that was said before stays said.
        """
        ...


class Sink(Protocol):
    """Takes what happens in a turn; the loop does not know who listens."""

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
        """Keeps an event to be stored, then shows it. Raises TurnLost when the turn must end."""
        ...
