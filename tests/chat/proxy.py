"""A model behind a chat proxy that respx plays, for tests of what goes over the wire."""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from itertools import count
from typing import Any

import httpx
import pytest
import respx

from app.caller import Caller
from app.chat.capabilities import (
    Capabilities,
    LearnedCapabilities,
    find_capabilities,
    guess_provider,
)
from app.chat.model import ChatOptions, ProxyModel
from app.chat.native_tools import remove_provider_prefix
from app.chat.reply_text import ReadingOptions
from app.errors import ModelFailed
from app.messages import Message, Reply, ToolSpec, User
from testkit import credentials
from testkit.backend import backend_at
from testkit.limits import chat_options
from tests.chat.recordings import body, media_type

BASE = "http://backend:8080"
URL = f"{BASE}/v1/private/chat/completions"
OUR_ID = r"call_[0-9a-f]{32}"
"""The form of our own ids of tool calls."""
TOKEN = "5f1c09aa27e4b3d8"
CALLER = Caller(token=credentials.SESSION, workspace="team")
TOOL = ToolSpec("get_span", "Reads one span.", {"type": "object", "properties": {}})
OPTIONS = chat_options()
QUESTION = (User("Why is it slow?"),)


class ModelProbe:
    """One model, the text that it showed, and its pauses between attempts in seconds."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        model: str = "openai/gpt-4.1",
        options: ChatOptions = OPTIONS,
        base_url: str = BASE,
        capabilities: Capabilities | None = None,
        learned: LearnedCapabilities | None = None,
        **retries: Any,
    ) -> None:
        self.shown: list[str] = []
        self.pauses: list[float] = []
        wire = remove_provider_prefix(model)
        self.model = ProxyModel(
            backend_at(base_url, http, sleep=self._pause, **retries),
            CALLER,
            wire,
            options=options,
            capabilities=capabilities or find_capabilities(guess_provider(wire), wire),
            learned=learned or LearnedCapabilities(),
            token=TOKEN,
        )

    async def reply(
        self, messages: Sequence[Message] = QUESTION, *, tools: Sequence[ToolSpec] = (TOOL,)
    ) -> Reply:
        return await self.model.reply(
            messages, tools=tools, on_text=self.shown.append, on_withdrawn=self.shown.clear
        )

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


def reading_options(*tools: str, on_withdrawn: Callable[[], None] = list) -> ReadingOptions:
    """Options of a reader for replies that may call these tools."""
    numbers = count(1)
    return ReadingOptions(
        offered=tools,
        written=tools,
        starts_inside=False,
        on_withdrawn=on_withdrawn,
        new_id=lambda: f"call_{next(numbers)}",
    )


async def failed(probe: ModelProbe) -> ModelFailed:
    with pytest.raises(ModelFailed) as failure:
        await probe.reply()
    return failure.value


def replayed(name: str, *, chunks: Iterable[bytes] | None = None) -> httpx.Response:
    """A recording as an answer that comes in these chunks (in one piece by default)."""
    content = in_chunks([body(name)] if chunks is None else chunks)
    return httpx.Response(200, headers={"Content-Type": media_type(name)}, content=content)


async def in_chunks(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def streamed(*frames: dict[str, Any], done: bool = True) -> httpx.Response:
    """A stream of these frames."""
    lines = [f"data: {json.dumps(frame)}\n\n" for frame in frames]
    text = "".join(lines) + ("data: [DONE]\n\n" if done else "")
    return httpx.Response(200, headers={"Content-Type": "text/event-stream"}, text=text)


def text_frame(text: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}}]}


def finish_frame(reason: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}


def whole(
    text: str | None = None, *, finish: str = "stop", calls: Sequence[Any] = ()
) -> httpx.Response:
    """A non-streaming answer."""
    message = {"role": "assistant", "content": text, "tool_calls": list(calls)}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    usage = {"prompt_tokens": 10, "completion_tokens": 4}
    return httpx.Response(200, json={"model": "gpt-4.1", "choices": [choice], "usage": usage})


def sent(route: respx.Route, number: int) -> dict[str, Any]:
    """The JSON body of the request of this number, counted from 0."""
    data: dict[str, Any] = json.loads(route.calls[number].request.content)
    return data
