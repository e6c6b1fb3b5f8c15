"""Connections of the HTTP client to the backend, by asyncio's streams.

httpcore reads through anyio, which opens a cancel scope for each piece and tells the system before
and after it whether the socket is read: a quarter of the CPU of a streamed delta.
"""

# ruff: noqa: ASYNC109 - httpcore names the parameters

import asyncio
import ipaddress
import select
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.request import getproxies

import httpcore
import httpx

from app import __version__

_UNREAD_BYTES = 131_072
"""A connection holds up to twice that which nobody has read: one read of asyncio."""
_NEXT_ADDRESS_SECONDS = 0.25
"""Without an answer until then, a host's next address is tried as well (RFC 8305)."""
_CONNECTIONS = 500
"""For each of a hundred turns one to its model, and some for what its tools read side by side."""
_IDLE_CONNECTIONS = 50
"""Kept for the next requests, which open more where they need them."""
_IDLE_SECONDS = 30
"""Half of what Opik's server allows, so that no request meets a connection that it is closing."""


@asynccontextmanager
async def open_http_client(
    address: str, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client to the backend; `transport` replaces the network below it.

    It keeps no cookies and follows no redirects, so that the credentials of one caller never reach
    the request of another. Each request brings its own time-outs.
    """
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    pool = httpx.Limits(
        max_connections=_CONNECTIONS,
        max_keepalive_connections=_IDLE_CONNECTIONS,
        keepalive_expiry=_IDLE_SECONDS,
    )
    async with httpx.AsyncClient(
        transport=transport or create_transport(address, pool),
        cookies=no_cookies,
        follow_redirects=False,
        limits=pool,
        headers={"User-Agent": f"opik-assist/{__version__}"},
    ) as client:
        yield client


def create_transport(address: str, limits: httpx.Limits) -> httpx.AsyncBaseTransport | None:
    """The transport of a client that asks only this address, None for that of httpx.

    A client asks the proxies of the environment only where no transport is given.
    """
    if getproxies():
        return None
    encrypted = httpx.URL(address).scheme == "https"
    # The certificates of all authorities take 40 ms of a start; without them none is trusted.
    context = httpx.create_ssl_context() if encrypted else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return _Transport(context, limits)


class _Transport(httpx.AsyncHTTPTransport):
    def __init__(self, context: ssl.SSLContext, limits: httpx.Limits) -> None:
        super().__init__(verify=context)
        # Its constructor takes no network.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_Network(),
        )


class _Network(httpcore.AsyncNetworkBackend):
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        delay = None if _is_address(host) else _NEXT_ADDRESS_SECONDS
        with _errors_as(httpcore.ConnectTimeout, httpcore.ConnectError):
            async with asyncio.timeout(timeout):
                reader, writer = await asyncio.open_connection(
                    host, port, limit=_UNREAD_BYTES, happy_eyeballs_delay=delay
                )
        return _Stream(reader, writer)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@contextmanager
def _errors_as(late: type[Exception], failed: type[Exception]) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise late from error
    except OSError as error:
        raise failed(str(error)) from error


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _errors_as(httpcore.ReadTimeout, httpcore.ReadError):
            async with asyncio.timeout(timeout):
                piece = await self._reader.read(max_bytes)
        if len(piece) == max_bytes:
            # More may be there already: others run in between, and a cancellation is noticed.
            await asyncio.sleep(0)
        return piece

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        with _errors_as(httpcore.WriteTimeout, httpcore.WriteError):
            async with asyncio.timeout(timeout):
                self._writer.write(buffer)
                await self._writer.drain()

    async def aclose(self) -> None:
        self._writer.transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        with _errors_as(httpcore.ConnectTimeout, httpcore.ConnectError):
            async with asyncio.timeout(timeout):
                await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return self._is_readable()
        return self._writer.get_extra_info(info)

    def _is_readable(self) -> bool:
        """Whether the system has something, so that a connection that the other end has closed is
        not used again, even where asyncio has not seen the end yet."""
        if self._reader.at_eof() or self._writer.is_closing():
            return True
        poll = select.poll()
        poll.register(self._writer.get_extra_info("socket"), select.POLLIN)
        return bool(poll.poll(0))
