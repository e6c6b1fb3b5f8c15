"""A load balancer, as small as can be: it asks for readiness and passes connections on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import httpx

from testkit.service import PREFIX

POLL_SECONDS = 0.05


class Balancer:
    """Sends each new connection to one of the ports that lately reported to be ready."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.ready: list[int] = []
        self._ports = ports
        self._passed = 0

    async def watch(self) -> None:
        by_new_connections = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(limits=by_new_connections) as http:
            while True:
                for port in self._ports:
                    is_ready = await _is_ready(http, port)
                    if is_ready and port not in self.ready:
                        self.ready.append(port)
                    elif not is_ready and port in self.ready:
                        self.ready.remove(port)
                await asyncio.sleep(POLL_SECONDS)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._passed += 1
        port = self.ready[self._passed % len(self.ready)]
        back, forth = await asyncio.open_connection("127.0.0.1", port)
        both = asyncio.gather(_pass_on(reader, forth), _pass_on(back, writer))
        with contextlib.suppress(ConnectionError):
            await both


async def _is_ready(http: httpx.AsyncClient, port: int) -> bool:
    try:
        answered = await http.get(f"http://127.0.0.1:{port}{PREFIX}/readyz")
    except httpx.TransportError:
        return False
    return answered.status_code == 200


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    finally:
        target.close()


@contextlib.asynccontextmanager
async def balancing(*ports: int) -> AsyncIterator[tuple[str, Balancer]]:
    """A running balancer before these ports of the loopback, and its URL."""
    balancer = Balancer(ports)
    watching = asyncio.create_task(balancer.watch())
    server = await asyncio.start_server(balancer.take, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", balancer
    finally:
        server.close()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
