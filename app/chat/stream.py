"""One request to the chat proxy and its answer: a stream, a whole reply, or a refusal.

Reads with bounded memory whatever comes, closes the response on every way out (a cancelled turn
included), and leaves to `ProxyModel` whether a failed exchange may be repeated.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import anyio
import httpx
import structlog

from app.chat.capabilities import drops_tools
from app.chat.frames import Frame, FrameDecoder, Unreadable, json_object
from app.chat.provider_errors import (
    ProviderError,
    find_provider_error,
    is_page,
    model_failed,
    read_error_response,
    to_model_failed,
)
from app.chat.reply_builder import ReplyBuilder
from app.errors import ModelFailed
from app.messages import Reply
from app.retry_after import parse_retry_after

log = structlog.get_logger(__name__)

_CONNECT_SECONDS = 10
_CLOSE_SECONDS = 2
# After `[DONE]` the end of the body is awaited for a moment: then the connection can be reused.
_DRAIN_SECONDS = 0.5
_DRAIN_CHUNKS = 16
_ERROR_BYTES = 64 * 1024
# Times the reply's limit: a frame of a few letters weighs some 300 bytes, and hidden reasoning
# is streamed without being part of the reply.
_STREAM_WEIGHT = 128
_WHOLE_BYTES = 8 * 1024 * 1024
_ACTUAL_MODEL = "X-Opik-Actual-Model"
_PROVIDER = "X-Opik-Provider"


class ReplyStreamFailed(Exception):
    """An exchange without a reply: what to tell, and what a repetition depends on.

    `refusal` is None where nobody refused; `unheard`: the connection failed before a byte of the
    answer came; `asked_wait`: the pause in seconds that the answer asks for; `tools_lost`: the
    request's native tools were dropped on the way.
    """

    def __init__(
        self,
        told: ModelFailed,
        *,
        refusal: ProviderError | None = None,
        unheard: bool = False,
        asked_wait: float | None = None,
        tools_lost: bool = False,
    ) -> None:
        super().__init__(told.message)
        self.told = told
        self.refusal = refusal
        self.unheard = unheard
        self.asked_wait = asked_wait
        self.tools_lost = tools_lost


@dataclass(frozen=True, slots=True)
class ReplyStream:
    """Where to ask, how long to listen; `headers` are raw, `hide` takes secrets out of errors."""

    http: httpx.AsyncClient
    url: str
    headers: Mapping[bytes, bytes] = field(repr=False)
    hide: Callable[[str], str]
    model: str
    new_id: Callable[[], str]
    silence_seconds: float
    reply_bytes: int

    async def run(
        self, body: bytes, say: Callable[[str], None], *, native_tools: bool = False
    ) -> Reply:
        """Sends `body` and reads the reply, which may be empty or cut, saying its text as it comes.

        Raises ExchangeFailed, also for `native_tools` that the provider turns out never to see.
        """
        request = self.http.build_request(
            "POST",
            self.url,
            content=body,
            headers=httpx.Headers(list(self.headers.items())),
            timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS, pool=_CONNECT_SECONDS),
        )
        try:
            with anyio.fail_after(self.silence_seconds):
                response = await self.http.send(request, stream=True, follow_redirects=False)
        except TimeoutError:
            raise self._silent() from None
        except httpx.TransportError as error:
            raise _unheard(error) from None
        try:
            if native_tools and drops_tools(response.headers.get(_PROVIDER, "")):
                raise ReplyStreamFailed(model_failed("no_tools", model=self.model), tools_lost=True)
            return await self._read(response, say)
        finally:
            with anyio.move_on_after(_CLOSE_SECONDS, shield=True):
                await response.aclose()

    async def _read(self, response: httpx.Response, say: Callable[[str], None]) -> Reply:
        if response.status_code >= 300:
            body = await self._beginning(response)
            refusal = read_error_response(response.status_code, body).hiding(self.hide)
            raise ReplyStreamFailed(
                to_model_failed(
                    refusal, model=self.model, provider=response.headers.get(_PROVIDER, "")
                ),
                refusal=refusal,
                asked_wait=parse_retry_after(response.headers),
            )
        reading = _Reading(
            ReplyBuilder(self.new_id, limit=self.reply_bytes),
            say,
            hide=self.hide,
            model=self.model,
            provider=response.headers.get(_PROVIDER, ""),
        )
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        read = self._read_whole if media_type == "application/json" else self._read_stream
        await read(response, reading)
        reply = reading.reply()
        model = response.headers.get(_ACTUAL_MODEL) or reply.model
        return replace(reply, model=model, provider=response.headers.get(_PROVIDER, ""))

    async def _read_stream(self, response: httpx.Response, reading: "_Reading") -> None:
        received = 0
        chunks = response.aiter_bytes()
        try:
            while (chunk := await self._next(chunks)) is not None:
                received += len(chunk)
                reading.feed(chunk)
                if reading.decoder.done:
                    await _drain(chunks)
                    return
                if reading.over or received > self.reply_bytes * _STREAM_WEIGHT:
                    reading.give_up()
                    return
            reading.end()
        except TimeoutError:
            # Some backends leave the connection open after the last frame.
            if not reading.builder.ended:
                raise self._silent() from None
        except httpx.HTTPError as error:
            if not received:
                raise _unheard(error) from None

    async def _read_whole(self, response: httpx.Response, reading: "_Reading") -> None:
        body = bytearray()
        chunks = response.aiter_bytes()
        try:
            while (chunk := await self._next(chunks)) is not None:
                body += chunk
                if len(body) > _WHOLE_BYTES:
                    raise ReplyStreamFailed(model_failed("too_large"))
        except TimeoutError:
            raise self._silent() from None
        except httpx.HTTPError as error:
            raise _unheard(error) from None
        data = json_object(bytes(body))
        if data is not None:
            reading.take([Frame(data)])
            return
        # A stream under the wrong name
        reading.feed(bytes(body))
        reading.end()

    async def _beginning(self, response: httpx.Response) -> bytes:
        """As much of an error's body as is worth reading; a broken one is no further error."""
        body = bytearray()
        chunks = response.aiter_bytes()
        try:
            while len(body) < _ERROR_BYTES and (chunk := await self._next(chunks)) is not None:
                body += chunk
        except (TimeoutError, httpx.HTTPError):
            pass
        return bytes(body[:_ERROR_BYTES])

    async def _next(self, chunks: AsyncIterator[bytes]) -> bytes | None:
        with anyio.fail_after(self.silence_seconds):
            return await anext(chunks, None)

    def _silent(self) -> ReplyStreamFailed:
        return ReplyStreamFailed(model_failed("silence", seconds=f"{self.silence_seconds:g}"))


class _Reading:
    """The reply that is being read from one answer."""

    def __init__(
        self,
        builder: ReplyBuilder,
        say: Callable[[str], None],
        *,
        hide: Callable[[str], str],
        model: str,
        provider: str,
    ) -> None:
        self.builder = builder
        self.decoder = FrameDecoder()
        self.over = False
        self._say = say
        self._hide = hide
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
            raise ReplyStreamFailed(model_failed("too_large"))

    def take(self, items: Iterable[Frame | Unreadable]) -> None:
        for item in items:
            if self.over:
                return
            if isinstance(item, Unreadable):
                self._take_unreadable(item)
            else:
                self._take_frame(item)

    def reply(self) -> Reply:
        rest = self.builder.rest()
        if rest:
            self._say(rest)
        return self.builder.reply(complete=self._is_whole(), model=self._model)

    def _take_frame(self, frame: Frame) -> None:
        self._frames += 1
        refusal = find_provider_error(frame.data)
        if refusal is not None:
            refusal = refusal.hiding(self._hide)
            told = to_model_failed(refusal, model=self._model, provider=self._provider)
            raise ReplyStreamFailed(told, refusal=refusal)
        text = self.builder.take(frame.data)
        if text:
            self._say(text)
        self.over = self.builder.full

    def _take_unreadable(self, line: Unreadable) -> None:
        if line.too_long:
            self.over = True
            self.give_up()
        elif not self._frames:
            case = "page" if is_page(line.text) else "not_understood"
            detail = "" if case == "page" else self._hide(line.text)
            raise ReplyStreamFailed(model_failed(case, detail=detail))
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
            return self._provider.lower() in {"anthropic", "gemini"}
        return self._model.startswith(("claude", "gemini"))


async def _drain(chunks: AsyncIterator[bytes]) -> None:
    with anyio.move_on_after(_DRAIN_SECONDS):
        for _ in range(_DRAIN_CHUNKS):
            if await anext(chunks, None) is None:
                return


def _is_damaged_frame(item: Frame | Unreadable) -> bool:
    """Whether text of the reply may be lost with this line; other lines are mere noise."""
    return isinstance(item, Unreadable) and (item.too_long or item.text.startswith("{"))


def _unheard(error: httpx.HTTPError) -> ReplyStreamFailed:
    if isinstance(error, httpx.DecodingError):
        return ReplyStreamFailed(model_failed("not_understood", detail="broken compression"))
    # The error's own text may hold addresses of the inner network; its name says enough.
    log.info("proxy_unreachable", error=type(error).__name__)
    return ReplyStreamFailed(model_failed("unreachable"), unheard=True)
