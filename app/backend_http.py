"""One HTTP exchange with the Opik backend: sent as the caller, read within bounds, always closed.

`app.opik` reads records through it and `app.chat` streams replies. Cookies are not kept and
redirects not followed, since one caller's credentials must never reach another's request or
another address. Which failures are worth another attempt is for the two to decide; how long to
wait before it, and whether the attempts are used up, is decided here.
"""

import json
import math
import re
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import anyio
import anyio.lowlevel
import httpx

from app.caller import Caller
from app.surrogates import join_surrogates

_PRIVATE_API = "/v1/private"
# Closing may wait for a peer that does not answer: the caller, who may be cancelled, does not.
_CLOSE_SECONDS = 2
_UNPACKED_AT_ONCE = 65_536
"""Bytes of a packed body: as many as one read of a socket, after which the allowance is asked."""
_NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Which statuses are tried again, how often, and after how many seconds (doubling).

    `attempts` counts the first one; `backoff` is the pause before the second.
    """

    statuses: frozenset[int]
    attempts: int
    backoff: float
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep

    async def wait(
        self, failures: int, *, attempts: int, headers: httpx.Headers | None, longest: float
    ) -> bool:
        """Waits before the next attempt; False, at once, where there should be none.

        `failures` counts those so far, `attempts` is this request's own limit. A pause that the
        answer's `headers` ask for replaces ours; one of more than `longest` seconds is not made.
        """
        if failures >= min(attempts, self.attempts):
            return False
        requested = None if headers is None else parse_retry_after(headers)
        if requested is not None and requested > longest:
            return False
        await self.sleep(self.backoff * 2.0 ** (failures - 1) if requested is None else requested)
        return True


class ByteAllowance:
    """Bytes that may still be read, by one exchange or by several together."""

    def __init__(self, size: int) -> None:
        self.left = size

    def take(self, chunk: bytes) -> bytes:
        """As much of the chunk as is left."""
        taken = chunk[: self.left]
        self.left -= len(taken)
        return taken


@dataclass(frozen=True, slots=True)
class BackendResponse:
    """A response that was read.

    `end`: whether its body is whole, was cut by our limit, or broke off: for `error`, or
    without one because the time was over.
    """

    status: int
    headers: httpx.Headers
    body: bytes
    end: Literal["whole", "too_large", "broken"] = "whole"
    error: Exception | None = None


class OpenResponse:
    """A response whose body is still to be read."""

    def __init__(self, response: httpx.Response, *, deadline: float) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self._chunks = _open_body(response)
        self._deadline = deadline

    async def next_chunk(self) -> bytes | None:
        """The next piece of the body, None at its end. Raises TimeoutError and httpx.HTTPError."""
        try:
            return await anext(self._chunks, None)
        except httpx.ReadTimeout:
            raise TimeoutError from None

    async def read(self, allowance: ByteAllowance) -> BackendResponse:
        """The body as far as it comes and the allowance reaches."""
        body = bytearray()
        end: Literal["whole", "too_large", "broken"] = "broken"
        error: Exception | None = None
        try:
            with anyio.CancelScope(deadline=self._deadline):
                while (chunk := await self.next_chunk()) is not None:
                    taken = allowance.take(chunk)
                    body += taken
                    if len(taken) < len(chunk):
                        end = "too_large"
                        break
                else:
                    end = "whole"
        except (TimeoutError, httpx.HTTPError) as raised:
            error = raised
        return BackendResponse(self.status, self.headers, bytes(body), end, error)


def _open_body(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body in pieces of bounded size, unpacked where it is packed by gzip, once.

    We ask for no packing, but a gateway may pack nevertheless. Raises httpx.DecodingError for any
    other coding and for several: they multiply, so that 260 bytes can mean a gigabyte.
    """
    assert isinstance(response.stream, httpx.AsyncByteStream)
    codings = response.headers.get("Content-Encoding", "identity").lower().replace(" ", "")
    if codings == "identity":
        return aiter(response.stream)
    return _unpack(response.stream, codings)


async def _unpack(stream: httpx.AsyncByteStream, codings: str) -> AsyncIterator[bytes]:
    if codings != "gzip":
        raise httpx.DecodingError("A body is packed in a way that was not asked for.")
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    async for chunk in stream:
        packed, piece = chunk, b"-"
        while (packed or len(piece) == _UNPACKED_AT_ONCE) and not unpacker.eof:
            try:
                piece = unpacker.decompress(packed, _UNPACKED_AT_ONCE)
            except zlib.error:
                raise httpx.DecodingError("A packed body cannot be unpacked.") from None
            packed = unpacker.unconsumed_tail
            # Many pieces may come of one read: others run in between, and cancellation is noticed.
            await anyio.lowlevel.checkpoint()
            yield piece
    if not unpacker.eof:
        raise httpx.DecodingError("A packed body breaks off.")


class BackendHttp:
    """The backend's private API, over an HTTP client that all callers share."""

    def __init__(self, http: httpx.AsyncClient, *, base_url: str, retries: RetryPolicy) -> None:
        """`base_url` is the address up to `/v1`; `http` keeps no cookies."""
        self.retries = retries
        self._http = http
        self._more_headers = {
            # A compressed stream would be held back by whatever compresses it.
            "Accept-Encoding": "identity",
            "User-Agent": http.headers["User-Agent"],
        }
        self._url = base_url.rstrip("/") + _PRIVATE_API

    @asynccontextmanager
    async def open(
        self,
        caller: Caller,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        connect_seconds: float,
        idle_seconds: float,
        total_seconds: float = math.inf,
    ) -> AsyncIterator[OpenResponse]:
        """Sends one request, `body` as JSON, and closes the response on every way out.

        A connection may take `connect_seconds`, the answer's headers and then each piece of its
        body `idle_seconds`, all together `total_seconds`. Raises TimeoutError and
        httpx.TransportError where no answer comes.
        """
        content_type = {} if body is None else {"Content-Type": "application/json"}
        # The HTTP client's own limit for a read costs nothing where a piece is there already; a
        # cancel scope around each piece would cost a quarter of a turn.
        timeout = httpx.Timeout(
            None, connect=connect_seconds, pool=connect_seconds, read=idle_seconds
        )
        # Built without the client, which would take three times as long to add nothing.
        request = httpx.Request(
            method,
            self._url + path,
            params=params,
            content=None if body is None else encode_json(body),
            headers=caller.encode_headers({**headers, **self._more_headers, **content_type}),
            extensions={"timeout": timeout.as_dict()},
        )
        deadline = anyio.current_time() + total_seconds
        try:
            with anyio.fail_after(min(idle_seconds, total_seconds)):
                response = await self._http.send(request, stream=True, follow_redirects=False)
        except httpx.ReadTimeout:
            raise TimeoutError from None
        try:
            yield OpenResponse(response, deadline=deadline)
        finally:
            with anyio.move_on_after(_CLOSE_SECONDS, shield=True):
                await response.aclose()


def encode_json(body: Mapping[str, Any]) -> bytes:
    """The body as UTF-8 JSON; halves of characters become U+FFFD instead of an error."""
    return join_surrogates(json.dumps(body, ensure_ascii=False, separators=(",", ":"))).encode()


def parse_retry_after(headers: httpx.Headers) -> float | None:
    """Seconds to wait by `Retry-After` or else `RateLimit-Reset`, unbounded; None for neither.

    A date is taken relative to the answer's own `Date`, so that no clocks are compared; one that
    has passed is a pause of 0. A value that cannot be read counts as missing.
    """
    for name in ("Retry-After", "RateLimit-Reset"):
        value = headers.get(name, "").strip()
        if _NUMBER.fullmatch(value):
            return float(value)
        seconds = _seconds_until(value, headers.get("Date", ""))
        if seconds is not None:
            return seconds
    return None


def _seconds_until(value: str, date: str) -> float | None:
    try:
        pause = parsedate_to_datetime(value) - parsedate_to_datetime(date)
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, pause.total_seconds())
