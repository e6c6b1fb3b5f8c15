"""A language model behind Opik's chat proxy: `agent.ports.Model` over HTTP.

A reply is streamed. Where the stream cannot bring it (the proxy loses tool calls of OpenAI's
Responses API in streams, and now and then a stream is just empty), the same request is made once
more without streaming.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import anyio
import httpx

from app.caller import Caller
from app.chat.dialect import NativeDialect, encode, wire_model
from app.chat.exchange import Exchange, ExchangeFailed
from app.chat.refusals import failed, refused_parameter
from app.errors import ModelFailed
from app.messages import Message, Reply, ToolSpec, Usage

_PATH = "/v1/private/chat/completions"
# Whoever asks for a longer pause gets none: the user is told at once.
_LONGEST_WAIT = 20.0
_OPTIONAL_PARAMETERS = (
    "temperature",
    "reasoning_effort",
    "stream_options",
    "max_completion_tokens",
)
_PARAGRAPH = "\n\n"


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


def _random_id() -> str:
    return f"call_{uuid4().hex}"


class ProxyModel:
    """One caller's model. `model` is the configured name, such as `openai/gpt-4.1`.

    `base_url` is the backend's address up to `/v1`. `new_id` makes the calls' own ids.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        base_url: str,
        caller: Caller,
        model: str,
        options: ChatOptions | None = None,
        new_id: Callable[[], str] = _random_id,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._options = options or ChatOptions()
        self._model = wire_model(model)
        self._dialect = NativeDialect()
        self._sleep = sleep
        self._refused: set[str] = set()
        self._exchange = Exchange(
            http,
            url=base_url.rstrip("/") + _PATH,
            headers=_headers(caller),
            model=self._model,
            new_id=new_id,
            silence_seconds=self._options.silence_seconds,
            reply_bytes=self._options.reply_bytes,
        )

    async def reply(
        self, messages: Sequence[Message], *, tools: Sequence[ToolSpec], say: Callable[[str], None]
    ) -> Reply:
        """See `agent.ports.Model`. Raises ModelFailed, with the user's way out as its message."""
        request = self._dialect.request(messages, tools)
        streamed = await self._ask(request, say, stream=True)
        calls_lost = bool(tools) and streamed.finish == "tool_calls"
        if streamed.calls or (streamed.text and not calls_lost):
            return streamed
        if streamed.finish == "content_filter":
            raise self._empty(streamed)
        whole = await self._ask(request, lambda _: None, stream=False)
        return self._joined(streamed, whole, say)

    async def _ask(
        self, request: Mapping[str, Any], say: Callable[[str], None], *, stream: bool
    ) -> Reply:
        """One reply, with as many exchanges as that takes; none after text was said."""
        said = False

        def speak(piece: str) -> None:
            nonlocal said
            said = True
            say(piece)

        failures = 0
        while True:
            try:
                return await self._exchange.run(self._body(request, stream=stream), speak)
            except ExchangeFailed as error:
                failure = error
            if not said and self._leave_out(failure):
                continue
            failures += 1
            wait = None if said else self._wait(failure, failures, stream=stream)
            if wait is None:
                raise failure.told
            await self._sleep(wait)

    def _body(self, request: Mapping[str, Any], *, stream: bool) -> bytes:
        options = self._options
        optional = {
            "stream_options": {"include_usage": True} if stream else None,
            "max_completion_tokens": options.max_completion_tokens,
            "temperature": options.temperature,
            "reasoning_effort": options.reasoning_effort,
        }
        sent = {
            name: value
            for name, value in optional.items()
            if value is not None and name not in self._refused
        }
        return encode({"model": self._model, "stream": stream, **sent, **request})

    def _leave_out(self, failure: ExchangeFailed) -> bool:
        """Whether an optional parameter was refused that was not left out already."""
        if failure.refusal is None:
            return False
        left = [name for name in _OPTIONAL_PARAMETERS if name not in self._refused]
        name = refused_parameter(failure.refusal, left)
        if name is None:
            return False
        self._refused.add(name)
        return True

    def _wait(self, failure: ExchangeFailed, failures: int, *, stream: bool) -> float | None:
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
        return failed(cases.get(reply.finish, "empty"), model=self._model)


def _headers(caller: Caller) -> dict[bytes, bytes]:
    headers = {
        "Content-Type": "application/json",
        "Accept": "text/event-stream, application/json",
        # A compressed stream would be held back by whoever compresses it.
        "Accept-Encoding": "identity",
        **caller.headers(),
    }
    # Header text of a browser is Latin-1; it goes on as it came.
    return {name.encode(): value.encode("latin-1", "replace") for name, value in headers.items()}


def _sum(first: Usage | None, second: Usage | None) -> Usage | None:
    if first is None or second is None:
        return first or second
    return first + second
