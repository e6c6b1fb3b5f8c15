"""Messages between user, model and tools: frozen values without a wire format.

The chat adapters translate them to and from the chat proxy's format; the event log stores its own
projection of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

MOST_TOKENS = 2**53 - 1
"""Counts and their sums end here: what readers of JSON hold exactly, and a thousand of which add up
in a column of 64 bits."""


_COUNTS = ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens")


def clamp_tokens(count: int) -> int:
    """The count, or the nearest one that can be stored."""
    return min(max(count, 0), MOST_TOKENS)


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Tokens of one or more replies, as the provider reported them.

    Every count is between 0 and MOST_TOKENS, whatever it is made from. `estimated` marks counts of
    which at least a part was not reported.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    estimated: bool = False

    def __post_init__(self) -> None:
        for name in _COUNTS:
            count = getattr(self, name)
            if not 0 <= count <= MOST_TOKENS:
                object.__setattr__(self, name, clamp_tokens(count))

    @property
    def total_tokens(self) -> int:
        return clamp_tokens(self.prompt_tokens + self.completion_tokens)

    def __add__(self, other: "TokenUsage") -> "TokenUsage":
        return TokenUsage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cached_tokens + other.cached_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.estimated or other.estimated,
        )


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's request to run a tool.

    `id` is made by this service and unique in the conversation; `provider_id` is the provider's id,
    only ever sent back to the provider. `arguments` is the JSON text as the model wrote it: it may
    be empty, invalid or cut, which the toolbox checks.
    """

    id: str
    name: str
    arguments: str
    provider_id: str = ""


@dataclass(frozen=True, slots=True)
class System:
    """The fixed instructions; never contains data of a trace."""

    text: str


@dataclass(frozen=True, slots=True)
class User:
    text: str


@dataclass(frozen=True, slots=True)
class Assistant:
    """A reply of the model: text, tool calls, or both."""

    text: str
    calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The result of one tool call, as the model reads it."""

    call: ToolCall
    text: str


Message = System | User | Assistant | ToolResult


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as it is described to the model; `parameters` is a JSON Schema object."""

    name: str
    description: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


FinishReason = Literal[
    "stop", "length", "tool_calls", "content_filter", "malformed_call", "unknown"
]


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole reply of the model.

    `complete` is False when the stream broke off before its end, or when the reply grew over the
    size limit. `usage` is None where the provider reported none. `model` is the name that the
    backend reports, else the requested one; `provider` is "" where the backend reports none.
    `reasoned` says that the model sent reasoning, which is no part of `text`.
    """

    text: str
    calls: tuple[ToolCall, ...] = ()
    usage: TokenUsage | None = None
    finish: FinishReason = "unknown"
    complete: bool = True
    model: str = ""
    provider: str = ""
    reasoned: bool = False


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """A model that a question may name; `usable` is None where that is not known."""

    name: str
    usable: bool | None
