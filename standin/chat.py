"""What stands behind the chat proxy: any source of OpenAI-shaped chunks."""

from collections.abc import AsyncIterator
from typing import Any, Protocol

Chunk = dict[str, Any]


class ChatError(Exception):
    """The provider refused or failed: its HTTP status, its message and its own error code."""

    def __init__(self, status: int, message: str, details: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details


class Chat(Protocol):
    """A model."""

    def reply(self, request: dict[str, Any], /) -> AsyncIterator[Chunk]:
        """Stream the reply to a chat-completions request, as its provider would receive it.

        Chunks are shaped as OpenAI's `chat.completion.chunk`: text and tool calls as deltas, a
        chunk with the finish reason, and last one with the usage and no choices. Raises ChatError.
        """
        ...


class ScriptedChat:
    """A model that replies from scripts, one list of chunks for each request.

    A script may hold a ChatError, which is raised in its place. When all scripts are used up the
    last one repeats. `requests` keeps what was asked.
    """

    def __init__(self, *scripts: list[Chunk | ChatError]) -> None:
        self._scripts = list(scripts)
        self.requests: list[dict[str, Any]] = []

    async def reply(self, request: dict[str, Any], /) -> AsyncIterator[Chunk]:
        """Stream the next script."""
        script = self._scripts[min(len(self.requests), len(self._scripts) - 1)]
        self.requests.append(request)
        for chunk in script:
            if isinstance(chunk, ChatError):
                raise chunk
            yield chunk


def text(content: str) -> Chunk:
    """A chunk that adds to the text."""
    return _delta_chunk({"role": "assistant", "content": content})


def tool_call(index: int, call_id: str, name: str) -> Chunk:
    """The chunk that begins a tool call; its arguments follow."""
    function = {"name": name, "arguments": ""}
    call = {"index": index, "id": call_id, "type": "function", "function": function}
    return _delta_chunk({"tool_calls": [call]})


def tool_arguments(index: int, piece: str) -> Chunk:
    """A chunk that adds to the arguments of a tool call."""
    return _delta_chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})


def finish(reason: str) -> Chunk:
    """The chunk that says why the reply ends: stop, tool_calls, length or content_filter."""
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}


def usage(prompt_tokens: int, completion_tokens: int) -> Chunk:
    """The last chunk, with the number of tokens."""
    counted = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }
    return {"choices": [], "usage": counted}


def _delta_chunk(delta: dict[str, Any]) -> Chunk:
    return {"choices": [{"index": 0, "delta": delta}]}
