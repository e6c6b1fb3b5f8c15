"""A whole reply put together from a provider's chunks, for requests that do not stream."""

import time
from typing import Any

from standin.chat import Chunk
from standin.providers import Route


class WholeReply:
    """Takes chunks in and gives the answer of a non-streaming chat completion."""

    def __init__(self, target: Route) -> None:
        self._target = target
        self._content: list[str] = []
        self._calls: dict[int, dict[str, Any]] = {}
        self._finish: str | None = None
        self._usage: dict[str, Any] | None = None
        self._id: str | None = None

    def add(self, chunk: Chunk) -> None:
        """Take one chunk in."""
        self._id = chunk.get("id") or self._id
        self._usage = chunk.get("usage") or self._usage
        for choice in chunk.get("choices") or []:
            delta = choice.get("delta") or {}
            self._content.append(delta.get("content") or "")
            self._finish = choice.get("finish_reason") or self._finish
            for call in delta.get("tool_calls") or []:
                self._add_call(call)

    def _add_call(self, piece: dict[str, Any]) -> None:
        index = piece.get("index", max(self._calls, default=0))
        new: dict[str, Any] = {"type": "function", "function": {"name": "", "arguments": ""}}
        call = self._calls.setdefault(index, new)
        if piece.get("id"):
            call["id"] = piece["id"]
        function = piece.get("function") or {}
        call["function"]["name"] = function.get("name") or call["function"]["name"]
        call["function"]["arguments"] += function.get("arguments") or ""

    def answer(self) -> dict[str, Any]:
        """The body of the answer, in the manner of the provider's pipeline."""
        body = {
            "id": self._id or "chatcmpl-1",
            "created": int(time.time()),
            "model": self._target.upstream_model,
            "choices": self._choices(),
            "usage": self._usage,
        }
        return {name: value for name, value in body.items() if value is not None}

    def _choices(self) -> list[dict[str, Any]]:
        text = "".join(self._content)
        message: dict[str, Any] = {"role": "assistant", "content": text or None}
        match self._target.pipeline:
            case "anthropic":
                blocks = [part for part in text.splitlines(keepends=True) if part] or [""]
                return [
                    {
                        "message": {"role": "assistant", "content": block},
                        "finish_reason": "end_turn",
                    }
                    for block in blocks
                ]
            case "gemini":
                return [{"message": message}]
            case _:
                if self._calls:
                    message["tool_calls"] = [self._calls[index] for index in sorted(self._calls)]
                return [{"index": 0, "message": message, "finish_reason": self._finish}]
