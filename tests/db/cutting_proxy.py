"""A TCP proxy before a database server that cuts a connection where a test wants it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class CuttingProxy:
    """Passes bytes on. Once armed, it passes the next COMMIT (`cut_at`) to the server, waits for
    the answer and closes both ends without passing it on: the client cannot know the outcome.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.armed = False
        self.cut_at = b"COMMIT"
        self.cuts = 0
        self.listening = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["CuttingProxy"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.listening = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.port)
        answers = asyncio.create_task(_pass_on(server_reader, writer))
        try:
            while chunk := await reader.read(65536):
                if self.armed and self.cut_at in chunk:
                    self.armed = False
                    self.cuts += 1
                    answers.cancel()
                    await asyncio.wait([answers])
                    server_writer.write(chunk)
                    await server_reader.read(1)
                    break
                server_writer.write(chunk)
        finally:
            answers.cancel()
            writer.close()
            server_writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65536):
        writer.write(chunk)
