"""Connections that are too many, too slow or silent, at a process with few file descriptors."""

import asyncio
import contextlib
import functools
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import anyio
import httpx
import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from app.server import Server, bind_listener
from app.web.connection import ConnectionPool, HttpConnection
from testkit.constants import changed_constants
from testkit.processes import ServerProcess, backend_and_service_process
from testkit.service import PREFIX, WAIT_SECONDS, Service, serving, wait_until
from tests.service.bare import connected, open_sockets, received, request, sent

HASTY = ("-m", "testkit.changed_service", "head_seconds=1")
FEW_DESCRIPTORS = ("sh", "-c", 'ulimit -Sn 64; ulimit -Hn 128; exec "$@"', "sh")
HALF_A_HEAD = b"GET /healthz HTTP/1.1\r\nX-Slow: "


async def is_healthy(service: Service) -> bool:
    async with httpx.AsyncClient(timeout=WAIT_SECONDS) as http:
        return (await http.get(f"{service.url}{PREFIX}/healthz")).status_code == 200


async def trickle(client: socket.socket) -> bytes:
    """Sends a byte now and then until the other side closes; returns what came."""
    answered = asyncio.ensure_future(received(client))
    with anyio.fail_after(WAIT_SECONDS):
        while not answered.done():
            with contextlib.suppress(ConnectionError):
                await sent(client, b"x")
            await asyncio.wait({answered}, timeout=0.05)
    return answered.result()


def read_events(process: ServerProcess) -> list[str]:
    return [json.loads(line)["event"] for line in process.log.splitlines()]


async def test_more_idle_connections_than_descriptors_keep_nobody_out(tmp_path: Path) -> None:
    async with (
        backend_and_service_process(tmp_path, wrapper=FEW_DESCRIPTORS) as (service, process),
        contextlib.AsyncExitStack() as stack,
    ):
        for _ in range(200):
            await stack.enter_async_context(connected(service))
        assert await is_healthy(service)
        assert (await service.ask()).texts == ["It was the tool."]
        assert process.descriptors < 128
        assert read_events(process).count("connection_limit_reached") == 1
        assert "connections_not_accepted" not in process.log


@pytest.mark.slow
async def test_descriptors_that_others_use_up_are_reported_in_one_line(tmp_path: Path) -> None:
    greedy = ("sh", "-c", 'ulimit -n 40; exec "$@"', "sh")
    async with (
        backend_and_service_process(
            tmp_path, command=("-m", "tests.service.greedy_service"), wrapper=greedy
        ) as (service, process),
        contextlib.AsyncExitStack() as stack,
    ):
        for _ in range(60):
            await stack.enter_async_context(connected(service))
        await wait_until(lambda: "connections_not_accepted" in process.log)
        assert await is_healthy(service)
        assert read_events(process).count("connections_not_accepted") == 1
        assert "Traceback" not in process.log, process.log


@pytest.fixture
async def hasty(tmp_path: Path) -> AsyncIterator[tuple[Service, ServerProcess]]:
    async with backend_and_service_process(tmp_path, command=HASTY) as running:
        yield running


async def test_a_connection_ends_in_time_whatever_its_client_leaves_undone(
    hasty: tuple[Service, ServerProcess],
) -> None:
    service, process = hasty
    async with contextlib.AsyncExitStack() as stack:
        silent, slow, endless, kept = [
            await stack.enter_async_context(connected(service)) for _ in range(4)
        ]
        await sent(slow, HALF_A_HEAD)
        get = f"GET {PREFIX}/healthz HTTP/1.1\r\nHost: service\r\n".encode()
        await sent(kept, get + b"\r\n")
        # Refused before its body is read; what follows it is dropped.
        await sent(endless, request(b"{", length=10**9).replace(b"/session/", b"/nothing/"))
        nothing, refused, answered = await asyncio.gather(
            received(silent), trickle(slow), trickle(endless)
        )
        # One that has had an answer is kept for another, and its head then has time of its own.
        await sent(kept, get)
        await sent(kept, b"Connection: close\r\n\r\n")
        assert (await received(kept)).count(b"HTTP/1.1 200 ") == 2
    assert nothing == b""
    assert refused.startswith(b"HTTP/1.1 408 ")
    assert json.loads(refused.partition(b"\r\n\r\n")[2]) == {
        "code": "request_timed_out",
        "message": "The head of the request did not arrive within 1 seconds.",
    }
    assert answered.startswith(b"HTTP/1.1 404 ")
    assert await process.stop() == 0
    assert '"level": "error"' not in process.log


async def test_a_response_that_is_read_too_slowly_ends_with_its_connection() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("x" * 8_000_000)(scope, receive, send)

    protocol = functools.partial(HttpConnection, pool=ConnectionPool(limit=10))
    with changed_constants(head_seconds=0.1, read_seconds=0.1, slowest_reader_bytes=10**9):
        async with serving(app, http=protocol, lifespan="off", send_buffer=4096) as url:
            before = open_sockets()
            address = urlsplit(url)
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: service\r\n\r\n")
            with anyio.fail_after(WAIT_SECONDS):
                while open_sockets() > before + 1:
                    await reader.read(1)
                    await asyncio.sleep(0.01)
            writer.close()


@pytest.mark.parametrize("asks", [True, False])
async def test_a_connection_that_is_accepted_as_the_server_ends_does_not_hold_it_up(
    asks: bool,
) -> None:
    pool = ConnectionPool(limit=10)
    protocol = functools.partial(HttpConnection, pool=pool)
    config = uvicorn.Config(PlainTextResponse("late"), http=cast("Any", protocol), lifespan="off")
    config.load()
    server = Server(config, pool)
    server.lifespan = config.lifespan_class(config)
    with bind_listener("127.0.0.1", 0) as listener:
        await server.startup([listener])
        loop = asyncio.get_running_loop()
        client, accepted = socket.socketpair()
        with client:
            client.setblocking(False)
            async with anyio.create_task_group() as group:
                group.start_soon(server.shutdown)
                await wait_until(lambda: not server.servers[0].is_serving())
                await loop.connect_accepted_socket(
                    lambda: protocol(config=config, server_state=server.server_state, app_state={}),
                    accepted,
                )
                if asks:
                    await sent(client, b"GET / HTTP/1.1\r\nHost: service\r\n\r\n")
                answered = await received(client)
    assert answered.endswith(b"late") == asks
    assert server.server_state.connections == set()
