"""A model that replies as a test scripts it, and a sink that keeps what it receives."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import anyio
import anyio.lowlevel

from app.events import ModelCalled, StoredEvent
from app.messages import Message, Reply, TokenUsage, ToolCall, ToolSpec

Script = Reply | Exception | Callable[[Sequence[Message]], Reply]


def calls(*wanted: tuple[str, str], text: str = "") -> Reply:
    """A reply that calls tools: pairs of a name and the arguments' JSON text."""
    made = tuple(
        ToolCall(f"c-{name}-{index}-{hash(arguments)}", name, arguments, f"p{index}")
        for index, (name, arguments) in enumerate(wanted)
    )
    return Reply(text, made, finish="tool_calls")


@dataclass
class ScriptedModel:
    """Plays its script, one entry per reply, and repeats the last one."""

    script: list[Script]
    requests: list[tuple[list[Message], list[str]]] = field(default_factory=list)

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec],
        on_text: Callable[[str], None],
        on_withdrawn: Callable[[], None],
    ) -> Reply:
        self.requests.append((list(messages), [tool.name for tool in tools]))
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        reply = step if isinstance(step, Reply) else step(messages)
        for piece in re.findall(r"\S+\s*|\s+", reply.text):
            on_text(piece)
            await anyio.lowlevel.checkpoint()
        return reply


@dataclass
class ListSink:
    events: list[StoredEvent] = field(default_factory=list)
    deltas: list[tuple[str, str]] = field(default_factory=list)
    calls: list[ModelCalled] = field(default_factory=list)

    def add_text(self, bubble: str, text: str) -> None:
        self.deltas.append((bubble, text))

    def withdraw_text(self, bubble: str) -> None:
        self.deltas = [each for each in self.deltas if each[0] != bubble]

    @property
    def usage(self) -> TokenUsage:
        return sum((call.usage for call in self.calls), TokenUsage())

    def record_model_call(self, call: ModelCalled) -> None:
        self.calls.append(call)

    async def emit(self, event: StoredEvent) -> None:
        await anyio.lowlevel.checkpoint()
        self.events.append(event)
