"""What every connection is set to before its first statement."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import literal, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.engine import storage_kind
from app.db.schema import UtcDateTime, utc_in, utc_now
from app.db.store import Store
from app.settings import database_url
from testkit import databases
from tests.db.writing import ping_database


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("mysql://u:p@h/d", "mysql"),
        ("mysql+pymysql://u:p@h/d", "mysql"),
        ("sqlite:///x.db", "sqlite"),
        ("sqlite+aiosqlite:////x.db", "sqlite"),
    ],
)
def test_the_kind_of_storage_is_read_from_the_address(uri: str, kind: str) -> None:
    assert storage_kind(database_url(uri)) == kind


@pytest.mark.parametrize("driver", ["", "+asyncmy", "+pymysql", "+aiomysql", "+mysqldb"])
async def test_every_form_of_a_mysql_address_connects(mysql_server_uri: str, driver: str) -> None:
    uri = mysql_server_uri.replace("mysql", f"mysql{driver}", 1)
    async with databases.open_engine(uri) as engine:
        await ping_database(Store(engine))


@pytest.mark.parametrize("driver", ["", "+aiosqlite"])
async def test_every_form_of_a_sqlite_address_connects_and_its_folder_is_made(
    tmp_path: Path, driver: str
) -> None:
    path = tmp_path / "new" / "folder" / "chats.db"
    async with databases.open_engine(f"sqlite{driver}:///{path}") as engine:
        await ping_database(Store(engine))
    assert path.exists()


async def test_a_database_in_memory_serves_one_process() -> None:
    async with databases.open_engine("sqlite://") as engine:
        store = Store(engine)
        await ping_database(store)


async def test_a_mysql_connection_is_strict_and_patient_for_a_short_time_only(
    mysql_server_uri: str,
) -> None:
    async with databases.open_engine(mysql_server_uri) as engine, engine.begin() as db:
        version = str(await db.scalar(text("SELECT VERSION()")))
        maria = "MariaDB" in version
        isolation = "@@tx_isolation" if maria else "@@transaction_isolation"
        limit = "@@max_statement_time" if maria else "@@max_execution_time / 1000"
        row = (
            await db.execute(
                text(
                    "SELECT @@sql_mode, @@innodb_lock_wait_timeout, @@lock_wait_timeout,"
                    f" @@character_set_client, {isolation}, {limit}"
                )
            )
        ).one()
    assert "STRICT_ALL_TABLES" in row[0]
    assert row[1:5] == (5, 5, "utf8mb4", "READ-COMMITTED")
    assert float(row[5]) == 10


async def test_a_sqlite_connection_has_its_pragmas(tmp_path: Path) -> None:
    async with (
        databases.open_engine(f"sqlite:///{tmp_path / 'x.db'}") as engine,
        engine.begin() as db,
    ):
        values = [
            await db.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert values == ["wal", 1, 1, 5000]


async def test_sqlite_has_one_connection_for_all(tmp_path: Path) -> None:
    seen = set()
    async with databases.open_engine(f"sqlite:///{tmp_path / 'x.db'}") as engine:
        for _ in range(3):
            async with engine.begin() as db:
                seen.add(await db.run_sync(lambda sync: id(sync.connection.driver_connection)))
    assert len(seen) == 1


async def test_the_clock_of_the_database_is_utc_and_compares_with_written_times(
    engine: AsyncEngine,
) -> None:
    written = literal(datetime(2020, 1, 1, 12, tzinfo=UTC), UtcDateTime())
    async with engine.begin() as db:
        row = (
            await db.execute(
                select(
                    utc_now(),
                    utc_in(20) > utc_now(),
                    utc_in(-0.5) < utc_now(),
                    written < utc_now(),
                )
            )
        ).one()
    assert abs(datetime.now(UTC) - row[0]) < timedelta(minutes=10)
    assert [bool(value) for value in row[1:4]] == [True, True, True]


async def test_moving_the_clock_moves_by_seconds(engine: AsyncEngine) -> None:
    async with engine.begin() as db:
        row = (await db.execute(select(utc_in(3600), utc_in(0)))).one()
    moved = row[0] - row[1]
    assert abs(moved - timedelta(hours=1)) < timedelta(minutes=1)


def test_a_password_with_reserved_characters_reaches_the_driver() -> None:
    url = database_url("mysql://app:p%40ss%2Fw@h/d")
    assert url.password == "p@ss/w"
    assert make_url(url.render_as_string(hide_password=False)).password == "p@ss/w"
