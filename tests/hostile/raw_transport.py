"""Puts on the wire what a JSON writer refuses to write."""

import re
from collections.abc import AsyncIterator

import httpx

STAND_IN = re.compile(rb'@(u[0-9a-f]{4})|"~([-\w]+)~"')


class RawTransport(httpx.AsyncBaseTransport):
    """Leads to the backend; in its records `@ud800` becomes an escape, `"~NaN~"` a bare word.

    Neither changes the length of an answer. What models say is left as it is.
    """

    def __init__(self) -> None:
        self._inner = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        if not request.url.path.endswith("/chat/completions"):
            assert isinstance(response.stream, httpx.AsyncByteStream)
            response.stream = _Rewritten(response.stream)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Rewritten(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        whole = b"".join([chunk async for chunk in self._inner])
        yield STAND_IN.sub(_expand_escape, whole)

    async def aclose(self) -> None:
        await self._inner.aclose()


def _expand_escape(found: re.Match[bytes]) -> bytes:
    return b"\\" + found[1] if found[1] else found[2].rjust(len(found[0]))
