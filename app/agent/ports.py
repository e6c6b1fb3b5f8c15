"""What the loop needs of others."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from app.events import Event
from app.messages import Message, Reply, ToolSpec

Say = Callable[[str], None]
"""Takes a piece of the reply's text the moment it arrives; never waits."""

Emit = Callable[[Event], Awaitable[None]]
"""Takes what happened: stores what is stored, shows what is shown."""


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
