"""The HTTP client's own connections to the backend, before a server of bare sockets."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from app.backend_connection import create_transport
from testkit.case_tables import each_case
from testkit.certificates import write_certificate
from testkit.processes import find_free_port

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server whose connections `serve` answers; gives its port."""

    async def serve_closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve_closing, "127.0.0.1", ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    transport = create_transport("http://127.0.0.1", httpx.Limits(max_keepalive_connections=5))
    assert transport is not None
    async with httpx.AsyncClient(transport=transport, timeout=10) as client:
        yield client


async def read_request(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


async def test_each_piece_is_read_as_it_is_sent(http: httpx.AsyncClient) -> None:
    asked = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(HEAD)
        for piece in (b"one", b"two"):
            asked.clear()
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await asked.wait()
        writer.write(b"0\r\n\r\n")

    pieces = []
    async with serving(serve) as port, http.stream("GET", f"http://127.0.0.1:{port}/") as response:
        async for piece in response.aiter_raw():
            pieces.append(piece)
            asked.set()
    assert pieces == [b"one", b"two"]


SILENCE, LOSS, RESET = "silence", "loss", "reset"


@each_case(
    "ending, error",
    [(SILENCE, httpx.ReadTimeout), (LOSS, httpx.RemoteProtocolError), (RESET, httpx.ReadError)],
)
async def test_a_body_that_breaks_off_is_an_error_of_httpx(
    http: httpx.AsyncClient, ending: str, error: type[Exception]
) -> None:
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(HEAD + b"3\r\none\r\n")
        await over.wait()
        if ending == RESET:
            # Closed without lingering, a connection is reset.
            connection = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    timeout = httpx.Timeout(10, read=0.2 if ending == SILENCE else 10)
    async with serving(serve) as port:
        url = f"http://127.0.0.1:{port}/"
        async with http.stream("GET", url, timeout=timeout) as response:
            pieces = response.aiter_raw()
            assert await anext(pieces) == b"one"
            if ending != SILENCE:
                over.set()
            with pytest.raises(error):
                await anext(pieces)
        over.set()


async def test_the_time_of_a_read_begins_anew_with_each_piece(http: httpx.AsyncClient) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(HEAD)
        for _ in range(6):
            await asyncio.sleep(0.1)
            writer.write(b"1\r\nx\r\n")
        writer.write(b"0\r\n\r\n")

    timeout = httpx.Timeout(10, read=0.5)
    async with serving(serve) as port:
        response = await http.get(f"http://127.0.0.1:{port}/", timeout=timeout)
    assert response.text == "xxxxxx"


async def test_what_nobody_reads_waits_at_the_server(http: httpx.AsyncClient) -> None:
    size = 50_000_000
    unsent = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size))
        # What is left once the buffers of the system are full, too
        left = -1
        while left != (now := writer.transport.get_write_buffer_size()):
            left = now
            await asyncio.sleep(0.1)
        unsent.set_result(left)
        await writer.drain()

    async with serving(serve) as port, http.stream("GET", f"http://127.0.0.1:{port}/") as response:
        assert await unsent > size / 2
        read = 0
        async for piece in response.aiter_raw():
            read += len(piece)
    assert read == size


async def test_a_large_request_is_sent_whole(http: httpx.AsyncClient) -> None:
    size = 20_000_000

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        await asyncio.sleep(0.1)
        await reader.readexactly(size)
        writer.write(WHOLE)

    async with serving(serve) as port:
        response = await http.post(f"http://127.0.0.1:{port}/", content=bytes(size))
    assert response.text == "ok"


async def test_a_request_that_nobody_reads_ends_in_time(http: httpx.AsyncClient) -> None:
    over = asyncio.Event()

    async def serve(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await over.wait()

    timeout = httpx.Timeout(10, write=0.1)
    async with serving(serve) as port:
        with pytest.raises(httpx.WriteTimeout):
            await http.post(f"http://127.0.0.1:{port}/", content=bytes(20_000_000), timeout=timeout)
        over.set()


@pytest.mark.parametrize("closes", [False, True])
async def test_a_connection_is_used_again_until_the_server_closes_it(
    http: httpx.AsyncClient, closes: bool
) -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while await read_request(reader):
            writer.write(WHOLE)
            if closes:
                return

    async with serving(serve) as port:
        for _ in range(3):
            assert (await http.get(f"http://127.0.0.1:{port}/")).text == "ok"
        await http.aclose()
    assert connections == (3 if closes else 1)


async def test_a_port_that_nothing_listens_on_is_an_error_of_connecting(
    http: httpx.AsyncClient,
) -> None:
    with pytest.raises(httpx.ConnectError):
        await http.get(f"http://localhost:{find_free_port()}/")


@each_case("known", [True, False])
async def test_only_a_server_of_a_known_authority_is_asked(
    known: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = tmp_path / "authority.pem"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*write_certificate(tmp_path, authority))
    if known:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(WHOLE)

    limits = httpx.Limits(max_keepalive_connections=5)
    async with serving(serve, context) as port:
        url = f"https://localhost:{port}/"
        transport = create_transport(url, limits)
        async with httpx.AsyncClient(transport=transport) as http:
            if known:
                assert (await http.get(url)).text == "ok"
            else:
                with pytest.raises(httpx.ConnectError, match="certificate"):
                    await http.get(url)


async def test_a_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await read_request(reader))
        writer.write(WHOLE)

    async with serving(serve) as port:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        async with httpx.AsyncClient(
            transport=create_transport("http://opik.test", httpx.Limits())
        ) as http:
            assert (await http.get("http://opik.test/")).text == "ok"
    assert requests[0].startswith(b"GET http://opik.test/ ")
