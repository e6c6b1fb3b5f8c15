"""A language model behind Opik's chat proxy: `agent.ports.Model` over HTTP.

A reply is streamed. Where the stream cannot bring it (the proxy loses tool calls of OpenAI's
Responses API in streams, and now and then a stream is just empty), the same request is made once
more without streaming. Where native tools turn out to be lost on the way, they go into the text.
What is found out like this is remembered for the next turns.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import uuid4

from app.backend_http import BackendHttp
from app.caller import Caller
from app.chat.capabilities import Capabilities, LearnedCapabilities
from app.chat.native_tools import NativeReplyReader, NativeTools
from app.chat.provider_errors import build_model_failed, find_refused_parameter, refuses_tools
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
    reply's text and calls.
    """

    max_completion_tokens: int = 8_192
    temperature: float | None = None
    reasoning_effort: str | None = None
    silence_seconds: float = 120
    reply_bytes: int = 262_144

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


# A longer pause that is asked for is not made: the user is told at once.
_LONGEST_WAIT_SECONDS = 20.0
# The proxy itself repeats whole replies up to three times.
_ATTEMPTS_FOR_WHOLE_REPLY = 2
_PARAGRAPH = "\n\n"


class _ToolsDropped(Exception):
    """Native tools do not reach this model; no text was shown yet."""


class ProxyModel:
    """One caller's model; `model` is its name on the wire.

    `capabilities` is what is known of it, `learned` what is remembered of all models. `token`
    marks tool calls in text; content of traces must not be able to hold it.
    """

    def __init__(
        self,
        backend: BackendHttp,
        caller: Caller,
        model: str,
        *,
        options: ChatOptions,
        capabilities: Capabilities,
        learned: LearnedCapabilities,
        token: str,
    ) -> None:
        self._options = options
        self._model = model
        self._workspace = caller.workspace
        self._learned = learned
        self._capabilities = learned.get(caller.workspace, model) or capabilities
        self._native = NativeTools()
        self._text = TextTools(token)
        self._retries = backend.retries
        self._stream = ReplyStream(
            backend,
            caller,
            model,
            new_id=new_call_id,
            silence_seconds=options.silence_seconds,
            reply_bytes=options.reply_bytes,
        )

    async def reply(
        self, messages: Sequence[Message], *, tools: Sequence[ToolSpec], say: Callable[[str], None]
    ) -> Reply:
        """See `agent.ports.Model`. Raises ModelFailed, with the user's way out as its message."""
        if self._capabilities.native_tools:
            try:
                return await self._reply_natively(messages, tools, say)
            except _ToolsDropped:
                self._learn(replace(self._capabilities, native_tools=False))
        return await self._reply_in_text(messages, tools, say)

    async def _reply_natively(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], say: Callable[[str], None]
    ) -> Reply:
        request = self._native.request(messages, tools)
        needs_tools = bool(tools) or any(isinstance(each, ToolResult) for each in messages)
        ask = partial(self._ask, request, NativeReplyReader, native_tools=needs_tools)
        if tools and not self._capabilities.streams_calls:
            whole = await ask(say, stream=False)
            return self._joined(Reply(""), whole, lambda _: None)
        streamed = await ask(say, stream=True)
        calls_lost = bool(tools) and streamed.finish == "tool_calls"
        if streamed.calls or (streamed.text and not calls_lost):
            return streamed
        if streamed.finish == "content_filter":
            raise self._empty(streamed)
        try:
            whole = await ask(_show_nothing, stream=False)
        except _ToolsDropped:
            whole = Reply("", finish="tool_calls")
        if calls_lost and whole.calls:
            self._learn(replace(self._capabilities, streams_calls=False))
        elif tools and whole.finish == "tool_calls" and not whole.calls:
            self._learn(replace(self._capabilities, native_tools=False))
            whole = await self._reply_in_text(messages, tools, _show_nothing)
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
        second = await self._streamed_text(corrected, tools, _show_nothing, again)
        if again.fault:
            raise build_model_failed("malformed_request", model=self._model)
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
        return self._joined(streamed, whole, _show_nothing)

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
        received = False

        def receive(piece: str) -> None:
            nonlocal received
            received = True
            shown = reader.feed(piece)
            if shown:
                say(shown)

        failures = 0
        while True:
            try:
                body = self._body(request, stream=stream)
                raw = await self._stream.run(body, receive, native_tools=native_tools)
                rest = reader.end()
                if rest:
                    say(rest)
                return reader.reply(raw, new_id=new_call_id)
            except ReplyStreamFailed as raised:
                error = raised
            if received:
                raise error.failure
            if self._capabilities.native_tools and _are_tools_dropped(error):
                raise _ToolsDropped
            if self._leave_out(error):
                continue
            failures += 1
            if not await self._wait(error, failures, stream=stream):
                raise error.failure

    def _body(self, request: Mapping[str, Any], *, stream: bool) -> dict[str, Any]:
        optional = self._options.sent(self._capabilities.refused, stream=stream)
        return {"model": self._model, "stream": stream, **optional, **request}

    def _leave_out(self, error: ReplyStreamFailed) -> bool:
        """Whether an optional parameter was refused that was not left out already."""
        if error.provider_error is None:
            return False
        refused = self._capabilities.refused
        left = [name for name in OPTIONAL_PARAMETERS if name not in refused]
        name = find_refused_parameter(error.provider_error, left)
        if name is None:
            return False
        self._learn(replace(self._capabilities, refused=refused | {name}))
        return True

    def _learn(self, capabilities: Capabilities) -> None:
        self._capabilities = capabilities
        self._learned.put(self._workspace, self._model, capabilities)

    async def _wait(self, error: ReplyStreamFailed, failures: int, *, stream: bool) -> bool:
        """Waits before the next attempt; False where there should be none."""
        status = error.provider_error.status if error.provider_error else 0
        if not error.lost_connection and status not in self._retries.statuses:
            return False
        attempts = self._retries.attempts
        if status >= 500 and not stream:
            attempts = _ATTEMPTS_FOR_WHOLE_REPLY
        return await self._retries.wait(
            failures, attempts=attempts, headers=error.headers, longest=_LONGEST_WAIT_SECONDS
        )

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
        return replace(whole, text=text, usage=_add_usage(streamed.usage, whole.usage))

    def _empty(self, reply: Reply) -> ModelFailed:
        cases = {"length": "out_of_tokens", "content_filter": "content_filter"}
        return build_model_failed(cases.get(reply.finish, "empty"), model=self._model)


def _show_nothing(_: str) -> None:
    """For a text that is not shown, or not yet."""


def _are_tools_dropped(error: ReplyStreamFailed) -> bool:
    refusal = error.provider_error
    return error.drops_tools or (refusal is not None and refuses_tools(refusal))


def new_call_id() -> str:
    """An id of our own for a tool call."""
    return f"call_{uuid4().hex}"


def _add_usage(first: TokenUsage | None, second: TokenUsage | None) -> TokenUsage | None:
    if first is None or second is None:
        return first or second
    return first + second
