"""Connections of the HTTP client to the backend, read as asyncio delivers the bytes.

httpcore reads through anyio, which opens a cancel scope for each piece and tells the system before
and after it whether the socket is read: a quarter of the CPU of a streamed delta. Here a piece is
given to the reader that waits for it, and one timer watches a connection.
"""

# ruff: noqa: ASYNC109 - httpcore names the parameters

import asyncio
import ipaddress
import select
import ssl
from collections.abc import Iterable
from typing import Any
from urllib.request import getproxies

import httpcore
import httpx

_UNREAD_BYTES = 262_144
"""What a connection holds that nobody has read: one read of asyncio."""
_NEXT_ADDRESS_SECONDS = 0.25
"""Without an answer until then, a host's next address is tried as well (RFC 8305)."""


def create_transport(limits: httpx.Limits) -> httpx.AsyncBaseTransport | None:
    """The transport of a client, None for that of httpx.

    A client asks the proxies of the environment only where no transport is given.
    """
    return None if getproxies() else _Transport(limits)


class _Transport(httpx.AsyncHTTPTransport):
    def __init__(self, limits: httpx.Limits) -> None:
        context = httpx.create_ssl_context()
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
        loop = asyncio.get_running_loop()
        delay = None if _is_address(host) else _NEXT_ADDRESS_SECONDS
        try:
            async with asyncio.timeout(timeout):
                _, connection = await loop.create_connection(
                    _Connection, host, port, happy_eyeballs_delay=delay
                )
        except TimeoutError as error:
            raise httpcore.ConnectTimeout from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return _Stream(connection)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class _Connection(asyncio.Protocol):
    """What came and was not read yet, and who waits for more."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.received = bytearray()
        self.ended = False
        self.error: Exception | None = None
        self.can_write = asyncio.Event()
        self._reader: asyncio.Future[None] | None = None
        self._reader_ends_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.can_write.set()

    def data_received(self, data: bytes) -> None:
        self.received += data
        if len(self.received) >= _UNREAD_BYTES:
            self.transport.pause_reading()
        self._wake_reader()

    def eof_received(self) -> None:
        self.ended = True
        self._wake_reader()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended, self.error = True, exc
        self.can_write.set()
        self._wake_reader()
        if self._timer is not None:
            self._timer.cancel()

    def pause_writing(self) -> None:
        self.can_write.clear()

    def resume_writing(self) -> None:
        self.can_write.set()

    def take(self, size: int) -> bytes:
        """Up to so many of the bytes that came."""
        taken = bytes(self.received[:size])
        del self.received[:size]
        if len(self.received) < _UNREAD_BYTES and not self.transport.is_reading():
            self.transport.resume_reading()
        return taken

    async def wait_for_bytes(self, seconds: float | None) -> None:
        """Returns when bytes or the end came; raises httpcore.ReadTimeout after so many seconds."""
        loop = asyncio.get_running_loop()
        self._reader = loop.create_future()
        if seconds is not None:
            self._reader_ends_at = loop.time() + seconds
            self._watch_reader(loop)
        try:
            await self._reader
        finally:
            self._reader = None

    def _watch_reader(self, loop: asyncio.AbstractEventLoop) -> None:
        """Sets the timer unless it fires before the reader's time is over, and is set anew then."""
        if self._timer is not None and self._timer.when() <= self._reader_ends_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(self._reader_ends_at, self._end_late_reader, loop)

    def _end_late_reader(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        if self._reader is None or self._reader.done():
            return
        if loop.time() < self._reader_ends_at:
            self._watch_reader(loop)
        else:
            self._reader.set_exception(httpcore.ReadTimeout())

    def _wake_reader(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        connection = self._connection
        if connection.received or connection.ended:
            # Much may be there already: others run in between, and cancellation is noticed.
            await asyncio.sleep(0)
        else:
            await connection.wait_for_bytes(timeout)
        if not connection.received and connection.error is not None:
            raise httpcore.ReadError(str(connection.error)) from connection.error
        return connection.take(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        connection = self._connection
        connection.transport.write(buffer)
        try:
            async with asyncio.timeout(timeout):
                await connection.can_write.wait()
        except TimeoutError as error:
            raise httpcore.WriteTimeout from error
        if connection.transport.is_closing():
            raise httpcore.WriteError(str(connection.error or "The connection is closed."))

    async def aclose(self) -> None:
        self._connection.transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        connection = self._connection
        try:
            async with asyncio.timeout(timeout):
                transport = await asyncio.get_running_loop().start_tls(
                    connection.transport,
                    connection,
                    ssl_context,
                    server_hostname=server_hostname,
                )
        except TimeoutError as error:
            raise httpcore.ConnectTimeout from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        assert transport is not None
        connection.transport = transport
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return self._is_readable()
        return self._connection.transport.get_extra_info(info)

    def _is_readable(self) -> bool:
        """Whether the system has something, so that a connection that the other end has closed is
        not used again, even where asyncio has not seen the end yet."""
        connection = self._connection
        if connection.received or connection.ended:
            return True
        poll = select.poll()
        poll.register(connection.transport.get_extra_info("socket"), select.POLLIN)
        return bool(poll.poll(0))
