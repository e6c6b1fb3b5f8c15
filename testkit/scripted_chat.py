"""A scripted provider behind the stand-in's chat proxy."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from standin.chat import ChatError, Chunk, finish, text, tool_arguments, tool_call, usage

Step = Chunk | ChatError | asyncio.Event


class DirectedChat:
    """Plays one script per request and repeats the last one.

    An Event in a script pauses the reply until the test sets it. `requests` keeps all requests;
    `asked` is set by each of them.
    """

    def __init__(self, *scripts: list[Step]) -> None:
        self.scripts = list(scripts)
        self.requests: list[dict[str, Any]] = []
        self.asked = asyncio.Event()

    async def reply(self, request: dict[str, Any], /) -> AsyncIterator[Chunk]:
        script = self.scripts[min(len(self.requests), len(self.scripts) - 1)]
        self.requests.append(request)
        self.asked.set()
        for step in script:
            if isinstance(step, ChatError):
                raise step
            if isinstance(step, asyncio.Event):
                await step.wait()
            else:
                yield step


def answer(*texts: str) -> list[Step]:
    """A reply in the given pieces."""
    return [*(text(each) for each in texts), finish("stop"), usage(100, 10)]


def calling(*wanted: tuple[str, str], status: str = "") -> list[Step]:
    """A reply that calls tools: a status sentence, then pairs of a name and JSON arguments."""
    script: list[Step] = [text(status)] if status else []
    for index, (name, arguments) in enumerate(wanted):
        half = len(arguments) // 2
        script.append(tool_call(index, f"call_{index}_{abs(hash(arguments))}", name))
        script.append(tool_arguments(index, arguments[:half]))
        script.append(tool_arguments(index, arguments[half:]))
    return [*script, finish("tool_calls"), usage(100, 10)]
