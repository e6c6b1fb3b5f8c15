"""Engines whose connections run single statements, also where the database is SQLite.

The service gives all its work to a database as functions of a plain connection.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from sqlalchemy.engine import CursorResult, ScalarResult
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.engine import create_engine, storage_kind
from app.db.local_engine import LocalConnection, LocalEngine
from app.settings import database_url


class StatementConnection(LocalConnection):
    """An `AsyncConnection` as far as tests use one."""

    async def rollback(self) -> None:
        self._connection.rollback()

    async def execute(self, statement: Any, parameters: Any = None) -> CursorResult[Any]:
        return self._connection.execute(statement, parameters)

    async def exec_driver_sql(self, statement: str, parameters: Any = None) -> CursorResult[Any]:
        return self._connection.exec_driver_sql(statement, parameters)

    async def scalar(self, statement: Any, parameters: Any = None) -> Any:
        return self._connection.scalar(statement, parameters)

    async def scalars(self, statement: Any, parameters: Any = None) -> ScalarResult[Any]:
        return self._connection.scalars(statement, parameters)


class StatementEngine(LocalEngine):
    """An `AsyncEngine` as far as tests use one."""

    def connect(self) -> StatementConnection:
        return StatementConnection(self.sync_engine.connect())

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[StatementConnection]:
        with self.sync_engine.begin() as connection:
            yield StatementConnection(connection)


def create_test_engine(uri: str) -> AsyncEngine:
    """The engine that the service would make for this address."""
    url = database_url(uri)
    engine = create_engine(url, pool_recycle=-1)
    if storage_kind(url) == "sqlite":
        return cast("AsyncEngine", StatementEngine(engine.sync_engine))
    return engine
