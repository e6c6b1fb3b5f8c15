"""Fixtures that every part of the suite may use."""

import functools
import os
import shutil
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.db.schema import metadata
from app.db.store import Store
from testkit import databases
from testkit.credentials import (
    find_credential,
    find_credential_in_collected_output,
    find_databases_with_credentials,
)

# A busy machine must not fail a test.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("many", settings.get_profile("suite"), max_examples=1_500)
settings.load_profile("suite")

# Every HTTP client makes a context, and reading all certificates takes more than many a test.
patch("ssl.create_default_context", functools.cache(ssl.create_default_context)).start()

NO_SERVER = "No MySQL server for tests: "


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two workers a core: tests wait for half of their time."""
    return min(2 * (os.cpu_count() or 1), 8)


@pytest.fixture(autouse=True)
def _no_credential_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Searches all that a test and its processes logged and reported."""
    yield
    for phase in ("setup", "call", "teardown"):
        for record in caplog.get_records(phase):
            line = f"{record.getMessage()} {record.exc_text}"
            assert find_credential(line.encode("utf-8", "replace")) is None
    assert find_credential_in_collected_output() is None


@pytest.fixture(scope="session", autouse=True)
def _no_credential_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Searches every SQLite file of the run at its end."""
    yield
    assert find_credential_in_collected_output() is None
    assert find_databases_with_credentials(tmp_path_factory.getbasetemp()) == []


@pytest.fixture(scope="session")
def private_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[databases.PrivateServer]:
    """A MySQL or MariaDB server that a test may kill, if it starts it again."""
    try:
        server = databases.start_private_server(tmp_path_factory.mktemp("server") / "private")
    except databases.NoDatabaseServer as reason:
        pytest.skip(f"{NO_SERVER}{reason}")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mysql_server_uri(request: pytest.FixtureRequest) -> str:
    """The address of some database on a server whose user may create databases."""
    given = databases.find_given_uri()
    if given is not None:
        return given
    server: databases.PrivateServer = request.getfixturevalue("private_server")
    return server.uri("information_schema")


@pytest.fixture(scope="session")
def _migrated_mysql(mysql_server_uri: str) -> Iterator[str]:
    uri = databases.create_database(mysql_server_uri)
    databases.migrate(uri)
    yield uri
    databases.drop_database(uri)


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    databases.migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "mysql"])
def database_uri(request: pytest.FixtureRequest) -> str:
    """A SESSION_SERVICE_URI of a migrated database without conversations."""
    uri: str = request.getfixturevalue(f"migrated_{request.param}_uri")
    return uri


@pytest.fixture
def migrated_sqlite_uri(_migrated_sqlite: Path, tmp_path: Path) -> str:
    """The address of a migrated SQLite file without conversations."""
    path = tmp_path / "opik-assist.db"
    shutil.copy(_migrated_sqlite, path)
    return f"sqlite:///{path}"


@pytest.fixture
def migrated_mysql_uri(_migrated_mysql: str) -> Iterator[str]:
    """The address of a migrated MySQL database without conversations."""
    yield _migrated_mysql
    rows = databases.run_on_database(_migrated_mysql, _take_all_rows)
    assert find_credential(rows.encode("utf-8", "replace")) is None


async def _take_all_rows(db: AsyncConnection) -> str:
    """The rows of all tables as text; those that a test wrote are deleted."""
    rows = [row for table in metadata.sorted_tables for row in await db.execute(table.select())]
    await databases.delete_conversations(db)
    return "\n".join(map(str, rows))


@pytest.fixture
def empty_mysql_uri(mysql_server_uri: str) -> Iterator[str]:
    """The address of a MySQL database without any table."""
    uri = databases.create_database(mysql_server_uri)
    yield uri
    databases.drop_database(uri)


@pytest.fixture(params=["sqlite", "mysql"])
def empty_database_uri(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A SESSION_SERVICE_URI of a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    yield request.getfixturevalue("empty_mysql_uri")


@pytest.fixture
async def engine(database_uri: str) -> AsyncIterator[AsyncEngine]:
    async with databases.open_engine(database_uri) as engine:
        yield engine


@pytest.fixture
def store(engine: AsyncEngine) -> Store:
    return Store(engine)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Reports below all other summaries what did not run without a database server."""
    yield
    skipped = terminalreporter.stats.get("skipped", [])
    missed = [report for report in skipped if NO_SERVER in str(report.longrepr)]
    if missed:
        reason = str(missed[0].longrepr).split(NO_SERVER)[1].rstrip("')")
        terminalreporter.section("NOT RUN ON MYSQL", red=True, bold=True)
        terminalreporter.line(f"{len(missed)} tests did not run: {reason}", red=True)
