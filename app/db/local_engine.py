"""An engine for a database in this process: its work is done in the calling thread."""

from collections.abc import AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVar

from sqlalchemy.engine import URL, Connection, CursorResult, Engine, ScalarResult
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

    async def rollback(self) -> None:
        self._connection.rollback()

    async def close(self) -> None:
        self._connection.close()

    async def run_sync(self, work: Callable[..., T], *arguments: Any, **more: Any) -> T:
        return work(self._connection, *arguments, **more)

    async def execute(self, statement: Any, parameters: Any = None) -> CursorResult[Any]:
        return self._connection.execute(statement, parameters)

    async def exec_driver_sql(self, statement: str, parameters: Any = None) -> CursorResult[Any]:
        return self._connection.exec_driver_sql(statement, parameters)

    async def scalar(self, statement: Any, parameters: Any = None) -> Any:
        return self._connection.scalar(statement, parameters)

    async def scalars(self, statement: Any, parameters: Any = None) -> ScalarResult[Any]:
        return self._connection.scalars(statement, parameters)


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

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[LocalConnection]:
        with self.sync_engine.begin() as connection:
            yield LocalConnection(connection)

    async def dispose(self) -> None:
        self.sync_engine.dispose()
