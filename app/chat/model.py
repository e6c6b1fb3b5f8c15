"""A language model behind Opik's chat proxy: `agent.ports.Model` over HTTP.

A reply is streamed. Where the stream cannot bring it (the proxy loses tool calls of OpenAI's
Responses API in streams, and now and then a stream is just empty), the same request is made once
more without streaming. Where native tools turn out to be lost on the way, they go into the text.
What is found out like this is remembered for the next turns.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import uuid4

import anyio
import httpx

from app.caller import Caller
from app.chat.capabilities import (
    Capabilities,
    LearnedCapabilities,
    find_capabilities,
    guess_provider,
)
from app.chat.native_tools import NativeReplyReader, NativeTools, encode_json, wire_model
from app.chat.provider_errors import model_failed, refused_parameter, refuses_tools
from app.chat.stream import ReplyStream, ReplyStreamFailed
from app.chat.text_tools import TextReplyReader, TextTools
from app.errors import ModelFailed
from app.messages import Message, Reply, TokenUsage, ToolResult, ToolSpec

OPTIONAL_PARAMETERS = (
    "temperature",
    "reasoning_effort",
    "stream_options",
    "max_completion_tokens",
)
"""What a provider may refuse without the request losing its sense."""


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """What is asked for, and how patiently.

    `silence_seconds` is the longest pause between two pieces of an answer; `reply_bytes` bounds a
    reply's text and calls; `attempts` counts the first one; `backoff` is the pause before
    the second in seconds, doubled each time; `statuses` are answers that are tried again.
    """

    max_completion_tokens: int = 8_192
    temperature: float | None = None
    reasoning_effort: str | None = None
    silence_seconds: float = 120
    reply_bytes: int = 262_144
    attempts: int = 3
    backoff: float = 0.5
    statuses: Collection[int] = (429, 502, 503, 504)

    def sent(self, refused: Collection[str], *, stream: bool) -> dict[str, Any]:
        """The optional members of a request, without those that are refused."""
        optional = {
            "stream_options": {"include_usage": True} if stream else None,
            "max_completion_tokens": self.max_completion_tokens,
            "temperature": self.temperature,
            "reasoning_effort": self.reasoning_effort,
        }
        return {
            name: value
            for name, value in optional.items()
            if value is not None and name not in refused
        }


_PATH = "/v1/private/chat/completions"
# Whoever asks for a longer pause gets none: the user is told at once.
_LONGEST_WAIT = 20.0
_PARAGRAPH = "\n\n"


def _random_id() -> str:
    return f"call_{uuid4().hex}"


class _ToolsLost(Exception):
    """Native tools do not reach this model; nothing was said yet."""


class ProxyModel:
    """One caller's model. `model` is the configured name, such as `openai/gpt-4.1`.

    `base_url` is the backend's address up to `/v1`. `abilities` is what is known of the model,
    `learnt` what is remembered of it. `token` marks tool requests in text; content of traces must
    not be able to hold it. `new_id` makes the calls' own ids.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        base_url: str,
        caller: Caller,
        model: str,
        options: ChatOptions | None = None,
        abilities: Capabilities | None = None,
        learnt: LearnedCapabilities | None = None,
        token: str | None = None,
        new_id: Callable[[], str] = _random_id,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._options = options or ChatOptions()
        self._model = wire_model(model)
        self._workspace = caller.workspace
        self._learnt = learnt or LearnedCapabilities()
        known = abilities or find_capabilities(guess_provider(self._model), self._model)
        self._abilities = self._learnt.get(self._workspace, self._model) or known
        self._native = NativeTools()
        self._text = TextTools(token or uuid4().hex)
        self._sleep = sleep
        self._new_id = new_id
        self._exchange = ReplyStream(
            http,
            url=base_url.rstrip("/") + _PATH,
            headers=_headers(caller),
            hide=caller.hidden,
            model=self._model,
            new_id=new_id,
            silence_seconds=self._options.silence_seconds,
            reply_bytes=self._options.reply_bytes,
        )

    async def reply(
        self, messages: Sequence[Message], *, tools: Sequence[ToolSpec], say: Callable[[str], None]
    ) -> Reply:
        """See `agent.ports.Model`. Raises ModelFailed, with the user's way out as its message."""
        if self._abilities.native_tools:
            try:
                return await self._reply_natively(messages, tools, say)
            except _ToolsLost:
                self._learn(replace(self._abilities, native_tools=False))
        return await self._reply_in_text(messages, tools, say)

    async def _reply_natively(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], say: Callable[[str], None]
    ) -> Reply:
        request = self._native.request(messages, tools)
        needs_tools = bool(tools) or any(isinstance(each, ToolResult) for each in messages)
        ask = partial(self._ask, request, NativeReplyReader, native_tools=needs_tools)
        if tools and not self._abilities.streams_calls:
            whole = await ask(say, stream=False)
            return self._joined(Reply(""), whole, lambda _: None)
        streamed = await ask(say, stream=True)
        calls_lost = bool(tools) and streamed.finish == "tool_calls"
        if streamed.calls or (streamed.text and not calls_lost):
            return streamed
        if streamed.finish == "content_filter":
            raise self._empty(streamed)
        try:
            whole = await ask(_nobody, stream=False)
        except _ToolsLost:
            whole = Reply("", finish="tool_calls")
        if calls_lost and whole.calls:
            self._learn(replace(self._abilities, streams_calls=False))
        elif tools and whole.finish == "tool_calls" and not whole.calls:
            self._learn(replace(self._abilities, native_tools=False))
            whole = await self._reply_in_text(messages, tools, _nobody)
        return self._joined(streamed, whole, say)

    async def _reply_in_text(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], say: Callable[[str], None]
    ) -> Reply:
        reader = self._text.reader()
        reply = await self._streamed_text(messages, tools, say, reader)
        if not reader.fault or not reply.complete or not tools or reply.finish == "length":
            return reply
        corrected = self._text.corrected(messages, reader.raw, fault=reader.fault)
        again = self._text.reader()
        second = await self._streamed_text(corrected, tools, _nobody, again)
        if again.fault:
            raise model_failed("malformed_request", model=self._model)
        return self._joined(reply, second, say)

    async def _streamed_text(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        say: Callable[[str], None],
        reader: TextReplyReader,
    ) -> Reply:
        ask = partial(self._ask, self._text.request(messages, tools), lambda: reader)
        streamed = await ask(say, stream=True)
        if reader.raw:
            return streamed
        if streamed.finish == "content_filter":
            raise self._empty(streamed)
        whole = await ask(say, stream=False)
        return self._joined(streamed, whole, _nobody)

    async def _ask(
        self,
        request: Mapping[str, Any],
        open_reader: Callable[[], NativeReplyReader | TextReplyReader],
        say: Callable[[str], None],
        *,
        stream: bool,
        native_tools: bool = False,
    ) -> Reply:
        """One reply, with as many exchanges as that takes; none after text has come."""
        reader = open_reader()
        heard = False

        def speak(piece: str) -> None:
            nonlocal heard
            heard = True
            shown = reader.feed(piece)
            if shown:
                say(shown)

        failures = 0
        while True:
            try:
                body = self._body(request, stream=stream)
                raw = await self._exchange.run(body, speak, native_tools=native_tools)
                rest = reader.end()
                if rest:
                    say(rest)
                return reader.reply(raw, new_id=self._new_id)
            except ReplyStreamFailed as error:
                failure = error
            if not heard and self._abilities.native_tools and _are_tools_lost(failure):
                raise _ToolsLost
            if not heard and self._leave_out(failure):
                continue
            failures += 1
            wait = None if heard else self._wait(failure, failures, stream=stream)
            if wait is None:
                raise failure.told
            await self._sleep(wait)

    def _body(self, request: Mapping[str, Any], *, stream: bool) -> bytes:
        sent = self._options.sent(self._abilities.refused, stream=stream)
        return encode_json({"model": self._model, "stream": stream, **sent, **request})

    def _leave_out(self, failure: ReplyStreamFailed) -> bool:
        """Whether an optional parameter was refused that was not left out already."""
        if failure.refusal is None:
            return False
        refused = self._abilities.refused
        left = [name for name in OPTIONAL_PARAMETERS if name not in refused]
        name = refused_parameter(failure.refusal, left)
        if name is None:
            return False
        self._learn(replace(self._abilities, refused=refused | {name}))
        return True

    def _learn(self, abilities: Capabilities) -> None:
        self._abilities = abilities
        self._learnt.put(self._workspace, self._model, abilities)

    def _wait(self, failure: ReplyStreamFailed, failures: int, *, stream: bool) -> float | None:
        """Seconds before the next attempt, or None where there shall be none."""
        options = self._options
        status = failure.refusal.status if failure.refusal else 0
        if not failure.unheard and status not in options.statuses:
            return None
        # The proxy itself repeats whole replies up to three times.
        attempts = min(options.attempts, 2) if status >= 500 and not stream else options.attempts
        if failures >= attempts:
            return None
        if failure.asked_wait is not None:
            return failure.asked_wait if failure.asked_wait <= _LONGEST_WAIT else None
        return options.backoff * 2.0 ** (failures - 1)

    def _joined(self, streamed: Reply, whole: Reply, say: Callable[[str], None]) -> Reply:
        """The reply of a request that was made twice; what was said stays said."""
        if not whole.text and not whole.calls:
            raise self._empty(whole)
        new = whole.text
        if streamed.text:
            new = "" if whole.calls else _PARAGRAPH + whole.text
        if new:
            say(new)
        text = streamed.text + new
        return replace(whole, text=text, usage=_sum(streamed.usage, whole.usage))

    def _empty(self, reply: Reply) -> ModelFailed:
        cases = {"length": "out_of_tokens", "content_filter": "content_filter"}
        return model_failed(cases.get(reply.finish, "empty"), model=self._model)


def _nobody(_: str) -> None:
    """Hears a text that is not shown, or not yet."""


def _are_tools_lost(failure: ReplyStreamFailed) -> bool:
    refusal = failure.refusal
    return failure.tools_lost or (refusal is not None and refuses_tools(refusal))


def _headers(caller: Caller) -> dict[bytes, bytes]:
    return caller.headers_with(
        {
            "Content-Type": "application/json",
            "Accept": "text/event-stream, application/json",
            # A compressed stream would be held back by whoever compresses it.
            "Accept-Encoding": "identity",
        }
    )


def _sum(first: TokenUsage | None, second: TokenUsage | None) -> TokenUsage | None:
    if first is None or second is None:
        return first or second
    return first + second
