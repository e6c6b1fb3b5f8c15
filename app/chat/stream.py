"""One reply of the chat proxy: a stream, a whole reply, or an error, decoded as it comes.

Reads with bounded memory whatever comes, and leaves to `ProxyModel` whether a failed exchange may
be repeated.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import anyio
import httpx
import structlog

from app.backend_http import BackendHttp, ByteAllowance, OpenResponse
from app.caller import Caller
from app.chat.capabilities import drops_tools, normalize_provider
from app.chat.frames import Frame, FrameDecoder, UnreadableLine, parse_json_object
from app.chat.provider_errors import (
    ProviderError,
    build_model_failed,
    find_provider_error,
    is_html,
    parse_error_response,
    to_model_failed,
)
from app.chat.reply_builder import ReplyBuilder
from app.errors import ModelFailed
from app.messages import Reply

log = structlog.get_logger(__name__)

_PATH = "/chat/completions"
_HEADERS = {"Accept": "text/event-stream, application/json"}
# A model may be silent for long; a proxy that is up accepts a connection within moments.
_CONNECT_SECONDS = 10
# After `[DONE]` the end of the body is awaited for a moment: then the connection can be reused. A
# body that still goes on is dropped with its connection.
_DRAIN_SECONDS = 0.5
_DRAIN_CHUNKS = 16
# Of an error only some sentences are read.
_ERROR_BYTES = 64 * 1024
# Times the reply's limit: a frame of a few letters weighs some 300 bytes, and hidden reasoning
# is streamed without being part of the reply.
_STREAM_WEIGHT = 128
# A reply at its limit of 256 kB takes up to 1.5 MB in JSON; hidden reasoning comes on top.
_WHOLE_BYTES = 8 * 1024 * 1024
_ACTUAL_MODEL = "X-Opik-Actual-Model"
_PROVIDER = "X-Opik-Provider"


class ReplyStreamFailed(Exception):
    """An exchange without a reply: what the user reads, and what another attempt depends on.

    `provider_error` is None where neither proxy nor provider sent one; `headers` are those of an
    error response; `lost_connection`: it failed before a byte of the answer came; `drops_tools`:
    native tools never reach this model.
    """

    def __init__(
        self,
        failure: ModelFailed,
        *,
        provider_error: ProviderError | None = None,
        headers: httpx.Headers | None = None,
        lost_connection: bool = False,
        drops_tools: bool = False,
    ) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.provider_error = provider_error
        self.headers = headers
        self.lost_connection = lost_connection
        self.drops_tools = drops_tools


class ReplyStream:
    """Asks one model for replies, as one caller.

    `silence_seconds` is the longest pause between two pieces of an answer; `reply_bytes` bounds a
    reply's text and calls.
    """

    def __init__(
        self,
        backend: BackendHttp,
        caller: Caller,
        model: str,
        *,
        new_id: Callable[[], str],
        silence_seconds: float,
        reply_bytes: int,
    ) -> None:
        self._backend = backend
        self._caller = caller
        self._model = model
        self._new_id = new_id
        self._silence_seconds = silence_seconds
        self._reply_bytes = reply_bytes

    async def run(
        self, body: Mapping[str, Any], on_text: Callable[[str], None], *, native_tools: bool = False
    ) -> Reply:
        """Sends `body` and reads the reply, which may be empty or cut; `on_text` gets its text as
        it comes.

        Raises ReplyStreamFailed, also for `native_tools` that the provider turns out never to see.
        """
        try:
            async with self._backend.open(
                self._caller,
                "POST",
                _PATH,
                headers=_HEADERS,
                body=body,
                connect_seconds=_CONNECT_SECONDS,
                idle_seconds=self._silence_seconds,
            ) as response:
                if native_tools and drops_tools(response.headers.get(_PROVIDER, "")):
                    failure = build_model_failed("no_tools", model=self._model)
                    raise ReplyStreamFailed(failure, drops_tools=True)
                return await self._read(response, on_text)
        except (TimeoutError, httpx.HTTPError) as error:
            raise self._no_answer(error) from None

    async def _read(self, response: OpenResponse, on_text: Callable[[str], None]) -> Reply:
        provider = response.headers.get(_PROVIDER, "")
        if response.status >= 300:
            body = (await response.read(ByteAllowance(_ERROR_BYTES))).body
            error = parse_error_response(response.status, body).masked(self._caller.mask_token)
            raise ReplyStreamFailed(
                to_model_failed(error, model=self._model, provider=provider),
                provider_error=error,
                headers=response.headers,
            )
        reading = _Reading(
            ReplyBuilder(self._new_id, limit=self._reply_bytes),
            on_text,
            mask=self._caller.mask_token,
            model=self._model,
            provider=provider,
        )
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if media_type == "application/json":
            await self._read_whole(response, reading)
        else:
            await self._read_stream(response, reading)
        reply = reading.reply()
        model = response.headers.get(_ACTUAL_MODEL) or reply.model
        return replace(reply, model=model, provider=provider)

    async def _read_stream(self, response: OpenResponse, reading: "_Reading") -> None:
        received = 0
        try:
            while (chunk := await response.next_chunk()) is not None:
                received += len(chunk)
                reading.feed(chunk)
                if reading.decoder.done:
                    await _drain(response)
                    return
                if reading.over or received > self._reply_bytes * _STREAM_WEIGHT:
                    reading.give_up()
                    return
            reading.end()
        except TimeoutError:
            # Some backends leave the connection open after the last frame.
            if not (reading.builder.ended or reading.decoder.done):
                raise
        except httpx.HTTPError:
            if not received:
                raise

    async def _read_whole(self, response: OpenResponse, reading: "_Reading") -> None:
        whole = await response.read(ByteAllowance(_WHOLE_BYTES))
        if whole.error is not None:
            raise whole.error
        if whole.end == "too_large":
            raise ReplyStreamFailed(build_model_failed("too_large"))
        data = parse_json_object(whole.body)
        if data is not None:
            reading.take([data])
            return
        # A stream under the wrong name
        reading.feed(whole.body)
        reading.end()

    def _no_answer(self, error: Exception) -> ReplyStreamFailed:
        if isinstance(error, TimeoutError):
            failure = build_model_failed("silence", seconds=f"{self._silence_seconds:g}")
            return ReplyStreamFailed(failure)
        if isinstance(error, httpx.DecodingError):
            return ReplyStreamFailed(
                build_model_failed("not_understood", detail="broken compression")
            )
        # The error's own text may hold addresses of the inner network; its name says enough.
        log.info("chat_proxy_unreachable", error=type(error).__name__)
        return ReplyStreamFailed(build_model_failed("unreachable"), lost_connection=True)


class _Reading:
    """The reply that is being read from one answer."""

    def __init__(
        self,
        builder: ReplyBuilder,
        on_text: Callable[[str], None],
        *,
        mask: Callable[[str], str],
        model: str,
        provider: str,
    ) -> None:
        self.builder = builder
        self.decoder = FrameDecoder()
        self.over = False
        self._on_text = on_text
        self._mask = mask
        self._model = model
        self._provider = provider
        self._frames = 0
        self._damaged = False
        self._closed = False

    def feed(self, chunk: bytes) -> None:
        self.take(self.decoder.feed(chunk))

    def end(self) -> None:
        """The body ended by itself; a last line that is not whole is part of a cut."""
        self._closed = True
        last = self.decoder.finish()
        self._damaged = self._damaged or any(_is_damaged_frame(item) for item in last)
        self.take(item for item in last if not _is_damaged_frame(item))

    def give_up(self) -> None:
        """The answer is longer than what we read; without any text that is a failure."""
        self._damaged = True
        if self.builder.empty:
            raise ReplyStreamFailed(build_model_failed("too_large"))

    def take(self, items: Iterable[Frame | UnreadableLine]) -> None:
        for item in items:
            if self.over:
                return
            if isinstance(item, UnreadableLine):
                self._take_unreadable(item)
            else:
                self._take_frame(item)

    def reply(self) -> Reply:
        rest = self.builder.end_text()
        if rest:
            self._on_text(rest)
        return self.builder.build(complete=self._is_whole(), model=self._model)

    def _take_frame(self, frame: Frame) -> None:
        self._frames += 1
        error = find_provider_error(frame)
        if error is not None:
            error = error.masked(self._mask)
            failure = to_model_failed(error, model=self._model, provider=self._provider)
            raise ReplyStreamFailed(failure, provider_error=error)
        text = self.builder.add_frame(frame)
        if text:
            self._on_text(text)
        self.over = self.builder.full

    def _take_unreadable(self, line: UnreadableLine) -> None:
        if line.too_long:
            self.over = True
            self.give_up()
        elif not self._frames:
            case = "page" if is_html(line.text) else "not_understood"
            detail = "" if case == "page" else self._mask(line.text)
            raise ReplyStreamFailed(build_model_failed(case, detail=detail))
        self._damaged = self._damaged or _is_damaged_frame(line)

    def _is_whole(self) -> bool:
        """`[DONE]`, a finish reason or usage mark the end.

        The oldest backends end a stream of Anthropic's and Gemini's models with none of them, so
        that a body which closed in order is all there is to go by.
        """
        marked = self.decoder.done or self.builder.ended
        unmarked = self._closed and self.decoder.bare and self._never_marks_its_end()
        return (marked or unmarked) and not self._damaged

    def _never_marks_its_end(self) -> bool:
        if self._provider:
            return normalize_provider(self._provider) in {"anthropic", "gemini"}
        return self._model.startswith(("claude", "gemini"))


async def _drain(response: OpenResponse) -> None:
    with anyio.move_on_after(_DRAIN_SECONDS):
        for _ in range(_DRAIN_CHUNKS):
            if await response.next_chunk() is None:
                return


def _is_damaged_frame(item: Frame | UnreadableLine) -> bool:
    """Whether text of the reply may be lost with this line; other lines are mere noise."""
    return isinstance(item, UnreadableLine) and (item.too_long or item.text.startswith("{"))
