"""What one turn may use, and what it has used."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import anyio

from app.messages import Assistant, Message, Reply, ToolAnswer, ToolCall, Usage

CHARACTERS_PER_TOKEN = 3
"""A low guess for providers that report no usage: English is nearer four, code and JSON three."""


_ONE_LINE = 160


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one turn; times in seconds."""

    steps: int = 12
    calls_per_step: int = 16
    seconds: float = 240
    tokens: int = 200_000
    tool_characters: int = 120_000
    context_characters: int = 300_000
    last_answer_seconds: float = 60


@dataclass(slots=True)
class Budget:
    """The running account of one turn."""

    limits: Limits
    clock: Callable[[], float] = anyio.current_time
    tokens: int = 0
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.clock()

    @property
    def seconds_left(self) -> float:
        return max(0.0, self.began + self.limits.seconds - self.clock())

    @property
    def spent(self) -> bool:
        return self.tokens >= self.limits.tokens or self.seconds_left <= 0

    def count(self, messages: Sequence[Message], reply: Reply) -> None:
        """Adds what a reply cost."""
        self.tokens += usage_of(messages, reply).total_tokens


def usage_of(messages: Sequence[Message], reply: Reply) -> Usage:
    """Tokens of a request and its reply: as reported, or guessed from the characters where the
    provider reports none, or zeros."""
    if reply.usage is not None and reply.usage.total_tokens:
        return reply.usage
    return Usage(
        characters_of(messages) // CHARACTERS_PER_TOKEN,
        characters_of([Assistant(reply.text, reply.calls)]) // CHARACTERS_PER_TOKEN,
    )


def fit_answers(messages: Sequence[Message], characters: int) -> list[Message]:
    """The messages with the oldest tool answers shrunk to a line, so that all fit `characters`."""
    fitted = list(messages)
    left = characters
    for index, message in reversed(list(enumerate(messages))):
        if not isinstance(message, ToolAnswer) or len(message.text) <= _ONE_LINE:
            continue
        left -= len(message.text)
        if left < 0:
            fitted[index] = ToolAnswer(message.call, one_line(message.call, message.text))
    return fitted


def one_line(call: ToolCall, text: str, outcome: str = "ok") -> str:
    """What stays of a tool answer that the model has already read."""
    size = f"{len(text):,} characters"
    return f"[{call.name[:64]}: {outcome}, {size}, left out here; call again to read it]"


def characters_of(messages: Sequence[Message]) -> int:
    """How long the messages are for the model, calls included."""
    return sum(_characters(message) for message in messages)


def _characters(message: Message) -> int:
    if isinstance(message, Assistant):
        return len(message.text) + sum(len(call.arguments) + 20 for call in message.calls)
    return len(message.text)
