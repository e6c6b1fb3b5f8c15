"""healthz and readyz of a whole service, with the database and the backend gone and back."""

import contextlib
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from anyio import to_thread
from sqlalchemy import Connection, Engine, Executable, column, delete, event, table, update

from app.db.schema import OLDEST_CODE, VERSION_TABLE, events, facts
from standin.chat import text
from testkit import databases
from testkit.scripted_chat import answer
from testkit.service import PREFIX, running, service_at, serving
from tests.db.missing_events import without_events

VERSIONS = table(VERSION_TABLE, column("version_num"))
CLOSED_PORT = "http://127.0.0.1:1"
FOREIGN = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}


class Probe:
    """A load balancer's look at one service."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self._http = http
        self._url = url

    async def get(self, name: str = "readyz", **headers: str) -> tuple[int, dict[str, Any]]:
        response = await self._http.get(f"{self._url}{PREFIX}/{name}", headers=headers)
        body: dict[str, Any] = response.json()
        return response.status_code, body


@contextlib.asynccontextmanager
async def probing(database_uri: str, backend: str = CLOSED_PORT) -> AsyncIterator[Probe]:
    async with service_at(backend, database_uri) as url, httpx.AsyncClient(timeout=60) as http:
        yield Probe(http, url)


@pytest.fixture
def private_uri(private_server: databases.PrivateServer) -> Iterator[str]:
    """A database on a server that may be killed."""
    uri = databases.create_database(private_server.uri("information_schema"))
    yield uri
    databases.drop_database(uri)


async def test_a_service_is_ready_though_its_backend_is_not(database_uri: str) -> None:
    async with probing(database_uri) as probe:
        status, report = await probe.get()
        assert status == 200
        assert report == {
            "status": "ready",
            "database": "reachable",
            "schema": "right",
            "backend": "unreachable",
        }


@pytest.mark.parametrize(
    ("status", "backend"),
    [(200, "reachable"), (404, "reachable"), (502, "unreachable"), (503, "unreachable")],
)
async def test_any_answer_but_a_server_error_means_a_reachable_backend(
    tmp_path: Path, status: int, backend: str
) -> None:
    asked: list[tuple[str, bool]] = []

    async def answer(scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        named = {name for name, _ in scope["headers"]}
        asked.append((scope["path"], bool(named & {b"cookie", b"comet-workspace"})))
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * 100})

    database = f"sqlite:///{tmp_path / 'probe.db'}"
    async with serving(answer) as url, probing(database, f"{url}/api") as probe:
        assert (await probe.get())[1]["backend"] == backend
    assert asked == [("/api/is-alive/ping", False)]


async def test_both_probes_answer_to_any_site(database_uri: str) -> None:
    async with probing(database_uri) as probe:
        for name in ("healthz", "readyz"):
            assert (await probe.get(name, **FOREIGN))[0] == 200
        assert (await probe.get("nothing", **FOREIGN))[0] == 403


async def test_a_schema_that_this_code_cannot_use_is_reported(
    empty_database_uri: str,
) -> None:
    async with probing(empty_database_uri) as probe:
        await _write(empty_database_uri, update(VERSIONS).values(version_num="9999"))
        assert (await probe.get())[0] == 200, "the newer schema still admits this code"
        oldest = update(facts).where(facts.c.name == OLDEST_CODE).values(value="9999")
        await _write(empty_database_uri, oldest)
        status, report = await probe.get()
        assert (status, report["database"], report["schema"]) == (503, "reachable", "wrong")
        assert "newer than this version can use" in report["message"]
        await _write(empty_database_uri, delete(VERSIONS))
        status, report = await probe.get()
        assert (status, report["schema"]) == (503, "wrong")
        assert "alembic upgrade head" in report["message"]


async def test_a_database_that_refuses_events_is_reported_until_it_takes_them(
    database_uri: str,
) -> None:
    async with probing(database_uri) as probe, databases.open_engine(database_uri) as engine:
        async with without_events(engine):
            status, report = await probe.get()
            assert (status, report["code"]) == (503, "not_ready")
            assert events.name not in report["message"]
        assert (await probe.get())[0] == 200


async def test_a_killed_database_is_reported_and_its_return_is_noticed_at_once(
    private_uri: str, private_server: databases.PrivateServer
) -> None:
    async with probing(private_uri) as probe:
        assert (await probe.get())[0] == 200
        await to_thread.run_sync(private_server.kill)
        try:
            status, report = await probe.get()
            alive = await probe.get("healthz")
        finally:
            await to_thread.run_sync(private_server.start)
        assert status == 503
        assert (report["database"], report["schema"]) == ("unreachable", "unknown")
        assert report["code"] == "not_ready"
        assert "does not answer" in report["message"]
        assert databases.PASSWORD not in str(report)
        assert alive[0] == 200
        assert (await probe.get())[0] == 200


@pytest.mark.slow
async def test_a_locked_sqlite_file_is_reported_until_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "locked.db"
    async with probing(f"sqlite:///{path}") as probe:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            status, report = await probe.get()
            assert (status, report["database"]) == (503, "unreachable")
            assert (await probe.get("healthz"))[0] == 200
            other.execute("ROLLBACK")
        assert (await probe.get())[0] == 200


async def _write(uri: str, statement: Executable) -> None:
    async with databases.open_engine(uri) as engine, engine.begin() as db:
        await db.execute(statement)


async def test_a_full_disk_is_seen_before_and_after_a_write_fails(
    migrated_sqlite_uri: str,
) -> None:
    async with running(migrated_sqlite_uri, end_seconds=0.1) as service:
        probe = Probe(service.http, service.url)
        assert (await probe.get())[0] == 200
        with patch("app.db.migrations.LEAST_DISK_BYTES", 2**62):
            status, report = await probe.get()
        assert (status, report["database"]) == (503, "unreachable")
        assert "disk" in report["message"]

        service.chat.scripts = [[text("x" * 50_000), *answer()]]
        with limited_pages():
            assert (await service.ask()).error is not None
            status, report = await probe.get()
        assert (status, report["database"]) == (503, "unreachable")
        assert "disk" in report["message"]


@contextlib.contextmanager
def limited_pages() -> Iterator[None]:
    """SQLite as on a full disk: no file grows."""

    def limit(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")

    event.listen(Engine, "begin", limit)
    try:
        yield
    finally:
        event.remove(Engine, "begin", limit)
