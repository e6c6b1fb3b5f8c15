"""The script that gives the suite a real MySQL server."""

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from app.db.engine import create_engine
from app.settings import database_url
from testkit import databases
from tests.peers.running import peer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server_uri() -> Iterator[str]:
    with peer("mysql.sh") as port:
        yield f"mysql://app:app@127.0.0.1:{port}/app"


def test_the_schema_fits_a_real_mysql(server_uri: str) -> None:
    uri = databases.create_database(server_uri)
    databases.migrate(uri)

    async def version() -> str:
        engine = create_engine(database_url(uri), pool_recycle=-1)
        async with engine.begin() as db:
            found = await db.scalar(text("SELECT VERSION()"))
        await engine.dispose()
        return str(found)

    assert "MariaDB" not in asyncio.run(version())
    databases.drop_database(uri)
