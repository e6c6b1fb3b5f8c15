"""Bare connections, on which nothing is sent or read but what a test says."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import anyio

from testkit.service import PREFIX, TRACE_ID, WAIT_SECONDS, Service, wait_until

PATH = f"{PREFIX}/trace-analyzer/session/{TRACE_ID}"


def request(body: bytes, *, length: int | None = None) -> bytes:
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: service\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body) if length is None else length}\r\n\r\n"
    )
    return head.encode() + body


QUESTION = request(b'{"message": "What caused this error?"}')


@contextlib.asynccontextmanager
async def connected(service: Service, receive_buffer: int = 4096) -> AsyncIterator[socket.socket]:
    """A bare connection on which nothing is read unless the test reads it."""
    address = urlsplit(service.url)
    with socket.socket() as client:
        client.setblocking(False)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, (address.hostname, address.port))
        yield client


async def sent(client: socket.socket, data: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(client, data)


async def received(client: socket.socket) -> bytes:
    """What comes until the other side closes; an abrupt end is an end, too."""
    loop, data = asyncio.get_running_loop(), b""
    with contextlib.suppress(ConnectionResetError), anyio.fail_after(WAIT_SECONDS):
        while piece := await loop.sock_recv(client, 65536):
            data += piece
    return data


async def leave_amid_request(service: Service, data: bytes) -> None:
    """Sends the beginning of a request, leaves once the service has taken it up, and waits until
    the service has let go of it."""
    before = asyncio.all_tasks()
    async with connected(service) as client:
        await sent(client, data)
        # Compared one by one: tasks of earlier requests may end meanwhile.
        await wait_until(lambda: asyncio.all_tasks() - before)
    await wait_until(lambda: asyncio.all_tasks() <= before)


def open_sockets() -> int:
    """How many sockets this process has open."""
    links = [each for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    return sum(os.readlink(each).startswith("socket:") for each in links)
