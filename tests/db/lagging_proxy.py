"""A TCP proxy before a database server that answers late, not at all, or not to the end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.engine import make_url


class LaggingProxy:
    """Passes bytes on, the server's answers `seconds` later; none while it `hangs`.

    `forget` makes the connections of now hang forever, as behind a firewall that has dropped them.
    `cut_after` that many answers of the server, the connection of the next one ends in its middle.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.seconds = 0.0
        self.cut_after: int | None = None
        self.listening = 0
        self.connections = 0
        self._flows = asyncio.Event()
        self._flows.set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def hangs(self) -> bool:
        return not self._flows.is_set()

    @hangs.setter
    def hangs(self, value: bool) -> None:
        if value:
            self._flows.clear()
        else:
            self._flows.set()

    def forget(self) -> None:
        self._flows.clear()
        self._flows = asyncio.Event()
        self._flows.set()

    def uri(self, uri: str) -> str:
        """The same database, through the proxy."""
        return make_url(uri).set(port=self.listening).render_as_string(hide_password=False)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["LaggingProxy"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.listening = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for each in self._tasks:
                each.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _cuts(self) -> bool:
        if self.cut_after is None:
            return False
        self.cut_after -= 1
        if self.cut_after >= 0:
            return False
        self.cut_after = None
        return True

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._pass_on(reader, writer, self._flows))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flows: asyncio.Event
    ) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.port)

        async def answers() -> None:
            while chunk := await server_reader.read(65536):
                await asyncio.sleep(self.seconds)
                await flows.wait()
                if self._cuts():
                    writer.write(chunk[: len(chunk) // 2])
                    break
                writer.write(chunk)
            writer.close()
            server_writer.close()

        answering = asyncio.create_task(answers())
        with contextlib.suppress(ConnectionError):
            try:
                while chunk := await reader.read(65536):
                    await flows.wait()
                    server_writer.write(chunk)
            finally:
                answering.cancel()
                writer.close()
                server_writer.close()
