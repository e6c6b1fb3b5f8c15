"""An engine for a database in this process: its work is done in the calling thread."""

from collections.abc import Callable, Generator
from typing import Any, Self, TypeVar

from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.pool import Pool

T = TypeVar("T")


class LocalConnection:
    """An `AsyncConnection` as far as this service uses one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __await__(self) -> Generator[None, None, Self]:
        return self
        yield

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._connection.close()

    async def begin(self) -> None:
        self._connection.begin()

    async def commit(self) -> None:
        self._connection.commit()

    async def close(self) -> None:
        self._connection.close()

    async def run_sync(self, work: Callable[..., T], *arguments: Any, **more: Any) -> T:
        return work(self._connection, *arguments, **more)


class LocalEngine:
    """An `AsyncEngine` as far as this service uses one.

    SQLAlchemy's own brings its ORM: a tenth of a start and 8 MB.
    """

    def __init__(self, engine: Engine) -> None:
        self.sync_engine = engine

    @property
    def url(self) -> URL:
        return self.sync_engine.url

    @property
    def pool(self) -> Pool:
        return self.sync_engine.pool

    def connect(self) -> LocalConnection:
        return LocalConnection(self.sync_engine.connect())

    async def dispose(self) -> None:
        self.sync_engine.dispose()
