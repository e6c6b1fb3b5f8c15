"""A model that calls tools the way it was offered them: natively, in text, or not at all."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from standin.chat import ChatError, Chunk, finish, text, tool_arguments, tool_call, usage

_TAG = re.compile(r"<(call-\w+)>")
NO_TOOLS_TEXT = "I see no tools."


@dataclass(frozen=True)
class ModelReply:
    """One reply: a text and tool calls."""

    text: str = ""
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()


class AnyModelChat:
    """Plays one reply per request and repeats the last one; `requests` keeps what it received."""

    def __init__(self, *replies: ModelReply | ChatError) -> None:
        self.replies = list(replies)
        self.requests: list[dict[str, Any]] = []

    async def reply(self, request: dict[str, Any], /) -> AsyncIterator[Chunk]:
        says = self.replies[min(len(self.requests), len(self.replies) - 1)]
        self.requests.append(request)
        if isinstance(says, ChatError):
            raise says
        for chunk in _build_chunks(says, request):
            yield chunk


def _build_chunks(says: ModelReply, request: dict[str, Any]) -> list[Chunk]:
    system = next((m["content"] for m in request["messages"] if m["role"] == "system"), "")
    tag = _TAG.search(system)
    if says.calls and tag:
        return [
            *_split_text(says.text + _write_text_calls(says, tag[1])),
            finish("stop"),
            usage(100, 10),
        ]
    if says.calls and request.get("tools"):
        return [
            *_split_text(says.text),
            *_build_native_calls(says),
            finish("tool_calls"),
            usage(100, 10),
        ]
    return [
        *_split_text(NO_TOOLS_TEXT if says.calls else says.text),
        finish("stop"),
        usage(100, 10),
    ]


def _split_text(whole: str) -> list[Chunk]:
    return [text(whole[i : i + 5]) for i in range(0, len(whole), 5)]


def _write_text_calls(says: ModelReply, tag: str) -> str:
    requests = (json.dumps({"name": name, "arguments": value}) for name, value in says.calls)
    return "".join(f"\n\n<{tag}>\n{each}\n</{tag}>" for each in requests)


def _build_native_calls(says: ModelReply) -> list[Chunk]:
    chunks = []
    for index, (name, arguments) in enumerate(says.calls):
        chunks.append(tool_call(index, f"call_{index}", name))
        chunks.append(tool_arguments(index, json.dumps(arguments)))
    return chunks
