"""A language model behind Opik's chat proxy: `agent.ports.Model` over HTTP.

A reply is streamed. Where the stream does not hold it (the proxy drops tool calls of OpenAI's
Responses API in streams, and sometimes a stream is empty), the same request is sent once more
without streaming. Where native tools turn out to be dropped on the way, tools are described and
called in text. What a reply shows of a model is remembered for the next turns.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import uuid4

from app.backend_http import BackendHttp
from app.caller import Caller
from app.chat.call_text import find_callable
from app.chat.capabilities import Capabilities, LearnedCapabilities
from app.chat.native_tools import build_native_request
from app.chat.provider_errors import build_model_failed, find_refused_parameter, refuses_tools
from app.chat.reply_text import ReadingOptions, ReplyTextReader
from app.chat.stream import ReplyStream, ReplyStreamFailed
from app.chat.text_tools import TextReplyReader, TextTools
from app.errors import ModelFailed
from app.messages import Message, Reply, TokenUsage, ToolResult, ToolSpec

OPTIONAL_PARAMETERS = ("temperature", "reasoning_effort", "stream_options", "max_completion_tokens")
"""Parameters that can be left out where a provider refuses them."""


REPLY_BYTES = 262_144
"""Of a reply's text and calls: eight times what 8,192 tokens take. Bounds the memory of a turn."""


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """How replies are requested.

    `silence_seconds` is the longest pause between two pieces of an answer; `reply_bytes` bounds a
    reply's text and calls.
    """

    max_completion_tokens: int
    temperature: float | None
    reasoning_effort: str | None
    silence_seconds: float
    reply_bytes: int

    def build_parameters(self, refused: Collection[str], *, stream: bool) -> dict[str, Any]:
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


# A longer pause that the proxy asks for is not made: the user reads the failure at once.
_LONGEST_WAIT_SECONDS = 20.0
# The proxy itself repeats whole replies up to three times.
_ATTEMPTS_FOR_WHOLE_REPLY = 2
_PARAGRAPH = "\n\n"


@dataclass(frozen=True, slots=True)
class _Output:
    """Where the text of a reply goes: piece by piece, or all of it back."""

    add: Callable[[str], None]
    withdraw: Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Request:
    """One request as `agent.ports.Model` gets it."""

    messages: Sequence[Message]
    tools: Sequence[ToolSpec]


class _ToolsDropped(Exception):
    """Native tools do not reach this model; no text was shown yet."""


class ProxyModel:
    """One caller's model; `model` is its name on the wire.

    `capabilities` is what is known of it, `learned` what is remembered of all models. `token`
    marks tool calls in text; content of traces must not be able to hold it. `has_text` is True once
    a reply has shown some text.
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
        self.has_text = False
        self._options = options
        self._model = model
        self._workspace = caller.workspace
        self._learned = learned
        self._capabilities = learned.get(caller.workspace, model) or capabilities
        self._text = TextTools(token)
        self._used: TokenUsage | None = None
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
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec],
        on_text: Callable[[str], None],
        on_withdrawn: Callable[[], None],
    ) -> Reply:
        """See `agent.ports.Model`. Raises ModelFailed, whose message says what the user can do."""
        self._used = None
        try:
            reply = await self._reply_as_possible(
                _Request(messages, tools), _Output(on_text, on_withdrawn)
            )
        except ModelFailed as failure:
            failure.usage = self._used
            raise
        return replace(reply, usage=self._used)

    async def _reply_as_possible(self, request: _Request, output: _Output) -> Reply:
        """The reply with native tools, else with tools in text."""
        if self._capabilities.native_tools:
            try:
                return await self._reply_natively(request, output)
            except _ToolsDropped:
                self._remember(native_tools=False)
        return await self._reply_in_text(request, output)

    async def _reply_natively(self, request: _Request, output: _Output) -> Reply:
        messages, tools = request.messages, request.tools
        members = build_native_request(messages, tools)
        needs_tools = bool(tools) or any(isinstance(each, ToolResult) for each in messages)
        request_reply = partial(self._request_reply, members, native_tools=needs_tools)
        reader = self._open_reader(request, output)
        if tools and not self._capabilities.streams_calls:
            whole = await request_reply(reader, output, stream=False)
            if whole.text or whole.calls:
                return whole
            raise self._build_empty_reply_error(whole)
        streamed = await request_reply(reader, output, stream=True)
        calls_lost = bool(tools) and streamed.finish == "tool_calls"
        if streamed.calls or (streamed.text and not calls_lost):
            return streamed
        if streamed.finish == "content_filter":
            raise self._build_empty_reply_error(streamed)
        try:
            reader = self._open_reader(request, _NOWHERE)
            whole = await request_reply(reader, _NOWHERE, stream=False)
        except _ToolsDropped:
            whole = Reply("", finish="tool_calls")
        if calls_lost and whole.calls:
            self._remember(streams_calls=False)
        elif streamed.text:
            return self._choose_text(streamed, whole, output)
        elif tools and whole.finish == "tool_calls" and not (whole.calls or whole.text):
            self._remember(native_tools=False)
            whole = await self._reply_in_text(request, _NOWHERE)
        return self._join_replies(streamed, whole, output)

    def _choose_text(self, streamed: Reply, whole: Reply, output: _Output) -> Reply:
        """One of two replies to the same request, whose finish reason promises calls that neither
        has: the first, unless the second says something else and does not promise any."""
        same = whole.text.split() == streamed.text.split()
        if same or not whole.text or whole.finish == "tool_calls":
            return streamed
        output.withdraw()
        output.add(whole.text)
        return whole

    async def _reply_in_text(self, request: _Request, output: _Output) -> Reply:
        reply, reader = await self._stream_text_reply(request, output)
        if not reader.fault or not reply.complete or not request.tools or reply.finish == "length":
            return reply
        corrected = self._text.ask_for_correction(request.messages, reader.raw, fault=reader.fault)
        second, again = await self._stream_text_reply(
            replace(request, messages=corrected), _NOWHERE
        )
        if again.fault:
            raise build_model_failed("malformed_request", model=self._model)
        return self._join_replies(reply, second, output)

    async def _stream_text_reply(
        self, request: _Request, output: _Output
    ) -> tuple[Reply, TextReplyReader]:
        members = self._text.build_request(request.messages, request.tools)
        reader = self._text.open_reader(self._build_reading_options(request, output))
        streamed = await self._request_reply(members, reader, output, stream=True)
        if reader.raw or streamed.calls:
            return streamed, reader
        if streamed.finish == "content_filter":
            raise self._build_empty_reply_error(streamed)
        reader = self._text.open_reader(self._build_reading_options(request, output))
        whole = await self._request_reply(members, reader, output, stream=False)
        if reader.fault:
            return whole, reader
        return self._join_replies(streamed, whole, _NOWHERE), reader

    def _open_reader(self, request: _Request, output: _Output) -> ReplyTextReader:
        return ReplyTextReader(self._build_reading_options(request, output))

    def _build_reading_options(self, request: _Request, output: _Output) -> ReadingOptions:
        return ReadingOptions(
            offered=frozenset(tool.name for tool in request.tools),
            written=find_callable(request.messages, request.tools),
            starts_inside=self._capabilities.opens_in_reasoning,
            on_withdrawn=output.withdraw,
            new_id=new_call_id,
        )

    async def _request_reply(
        self,
        members: Mapping[str, Any],
        reader: ReplyTextReader,
        output: _Output,
        *,
        stream: bool,
        native_tools: bool = False,
    ) -> Reply:
        """One reply, by as many attempts as it takes; none after text has come."""
        received = False

        def receive(piece: str) -> None:
            nonlocal received
            received = True
            shown = reader.feed(piece)
            if shown:
                self.has_text = True
                output.add(shown)

        failures = 0
        while True:
            try:
                body = self._build_body(members, stream=stream)
                raw = await self._stream.run(body, receive, native_tools=native_tools)
                rest = reader.end()
                if rest:
                    self.has_text = True
                    output.add(rest)
                reply = reader.reply(raw)
                self._used = _add_usage(self._used, reply.usage)
                self._learn_where_reasoning_begins(reader, reply)
                return reply
            except ReplyStreamFailed as raised:
                error = raised
            if received:
                raise error.failure
            if self._capabilities.native_tools and _are_tools_dropped(error):
                raise _ToolsDropped
            if self._omit_refused_parameter(error):
                continue
            failures += 1
            if not await self._wait_to_retry(error, failures, stream=stream):
                raise error.failure

    def _learn_where_reasoning_begins(self, reader: ReplyTextReader, reply: Reply) -> None:
        """Remembers whether replies begin inside of reasoning, so that the next one shows none."""
        begins = reader.lacks_opening
        if begins != self._capabilities.opens_in_reasoning and (
            begins or (reply.text and not reply.calls)
        ):
            self._remember(opens_in_reasoning=begins)

    def _build_body(self, members: Mapping[str, Any], *, stream: bool) -> dict[str, Any]:
        optional = self._options.build_parameters(self._capabilities.refused, stream=stream)
        return {"model": self._model, "stream": stream, **optional, **members}

    def _omit_refused_parameter(self, error: ReplyStreamFailed) -> bool:
        """Whether the error refuses an optional parameter, which is left out from now on."""
        if error.provider_error is None:
            return False
        refused = self._capabilities.refused
        left = [name for name in OPTIONAL_PARAMETERS if name not in refused]
        name = find_refused_parameter(error.provider_error, left)
        if name is None:
            return False
        self._remember(refused=refused | {name})
        return True

    def _remember(self, **changed: Any) -> None:
        """Changes these capabilities for this turn, and for others beside what they learned."""
        self._capabilities = replace(self._capabilities, **changed)
        known = self._learned.get(self._workspace, self._model) or self._capabilities
        changed["refused"] = known.refused | self._capabilities.refused
        self._learned.put(self._workspace, self._model, replace(known, **changed))

    async def _wait_to_retry(
        self, error: ReplyStreamFailed, failures: int, *, stream: bool
    ) -> bool:
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

    def _join_replies(self, streamed: Reply, whole: Reply, output: _Output) -> Reply:
        """The reply of a request that was sent twice; text that was shown stays."""
        if not whole.text and not whole.calls:
            raise self._build_empty_reply_error(
                replace(whole, reasoned=whole.reasoned or streamed.reasoned)
            )
        new = whole.text
        if streamed.text:
            new = "" if whole.calls else _PARAGRAPH + whole.text
        if new:
            output.add(new)
        return replace(whole, text=streamed.text + new)

    def _build_empty_reply_error(self, reply: Reply) -> ModelFailed:
        cases = {
            "length": "out_of_tokens",
            "content_filter": "content_filter",
            "malformed_call": "malformed_call",
        }
        other = "only_reasoning" if reply.reasoned else "empty"
        return build_model_failed(cases.get(reply.finish, other), model=self._model)


def _do_nothing(*_: str) -> None:
    """Receives text that is not shown, or not yet."""


_NOWHERE = _Output(_do_nothing, _do_nothing)


def _are_tools_dropped(error: ReplyStreamFailed) -> bool:
    provider_error = error.provider_error
    return error.drops_tools or (provider_error is not None and refuses_tools(provider_error))


def new_call_id() -> str:
    """An id of our own for a tool call."""
    return f"call_{uuid4().hex}"


def _add_usage(first: TokenUsage | None, second: TokenUsage | None) -> TokenUsage | None:
    if first is None or second is None:
        return first or second
    return first + second
