"""How a process comes to a schema: waiting, alone among many, and from the command line."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from sqlalchemy.engine import make_url

from app.db import migrations
from app.db.store import Store
from app.errors import StartRefused
from app.settings import database_url
from testkit import credentials, databases
from tests.db.writing import ping_database

ROOT = Path(__file__).parents[2]


@pytest.fixture
def private_empty_uri(private_server: databases.PrivateServer) -> Iterator[str]:
    """An empty database on the server that may be stopped."""
    uri = databases.create_database(private_server.uri("information_schema"))
    yield uri
    databases.drop_database(uri)


async def test_the_service_waits_for_a_database_that_is_not_up_yet(
    private_server: databases.PrivateServer, private_empty_uri: str
) -> None:
    private_server.stop()
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            private_server.start()

    async with databases.open_engine(private_empty_uri) as engine:
        with structlog.testing.capture_logs() as logs:
            await migrations.prepare_schema(engine, migrate=True, attempts=5, delay=1.5, sleep=wait)
        await ping_database(Store(engine))

    assert waits == [1.5, 1.5]
    assert [log["event"] for log in logs] == [
        "database_not_ready",
        "database_not_ready",
        "schema_migrated",
    ]
    assert databases.PASSWORD not in str(logs)


async def test_a_database_that_never_answers_stops_the_start_in_one_line() -> None:
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    async with databases.open_engine(
        f"mysql://app:{credentials.PASSWORD}@127.0.0.1:1/chats"
    ) as engine:
        with (
            structlog.testing.capture_logs() as logs,
            pytest.raises(StartRefused, match="3 attempts") as caught,
        ):
            await migrations.prepare_schema(engine, migrate=True, attempts=3, delay=1, sleep=wait)
    assert waits == [1, 1]
    assert "\n" not in caught.value.message
    assert credentials.PASSWORD not in caught.value.message + str(logs)


async def test_a_listener_that_accepts_and_sends_nothing_stops_the_start_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(migrations, "REACH_SECONDS", 0.2)
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    with databases.silent_server() as (_, uri):
        async with databases.open_engine(uri) as engine:
            with (
                structlog.testing.capture_logs() as logs,
                pytest.raises(StartRefused, match="sent nothing") as caught,
            ):
                await migrations.prepare_schema(
                    engine, migrate=True, attempts=2, delay=1, sleep=wait
                )
    assert waits == [1]
    assert databases.PASSWORD not in caught.value.message + str(logs)


@pytest.mark.slow
def test_four_processes_that_start_at_once_migrate_once(empty_database_uri: str) -> None:
    script = (
        "import asyncio, sys\n"
        "from app.db import migrations\n"
        "from app.db.engine import create_engine\n"
        "from app.settings import database_url\n"
        "async def main():\n"
        "    engine = create_engine(database_url(sys.argv[1]), pool_recycle=-1)\n"
        "    await migrations.prepare_schema(engine, migrate=True, attempts=5, delay=0.1)\n"
        "    await engine.dispose()\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "asyncio.run(main())\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, empty_database_uri],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=60)[0] for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0, 0], outputs
    assert "".join(outputs).count("schema_migrated") == 1


def _run_alembic(uri: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SESSION_SERVICE_")}
    environment |= {"SESSION_SERVICE_URI": uri, "SESSION_SERVICE_MAX_RETRIES": "1"}
    return subprocess.run(
        [sys.executable, "-m", "alembic", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_command_line_migrates_and_prints_its_target_without_the_password(
    empty_database_uri: str,
) -> None:
    result = _run_alembic(empty_database_uri, "upgrade", "head")

    assert result.returncode == 0, result.stderr
    assert "PRIMARY key" not in result.stderr
    target = database_url(empty_database_uri)
    assert f"{target.database}\n" in result.stderr
    if target.password:
        assert f":{target.password}@" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        (
            f"mysql://app:{credentials.PASSWORD}@127.0.0.1:1/chats?charset=utf8mb4",
            "could not be used",
        ),
        (f"postgresql://app:{credentials.PASSWORD}@h/chats", "SESSION_SERVICE_URI"),
    ],
)
def test_a_command_that_cannot_work_fails_with_a_line_without_the_password(
    uri: str, words: str
) -> None:
    result = _run_alembic(uri, "upgrade", "head")

    assert result.returncode == 1
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert credentials.PASSWORD not in result.stderr
    assert result.stdout == ""


async def test_a_wrong_password_ends_the_start_at_once_with_its_own_sentence(
    mysql_server_uri: str,
) -> None:
    url = make_url(mysql_server_uri).set(username="nobody", password=credentials.PASSWORD)
    uri = url.render_as_string(hide_password=False)

    async def never(_: float) -> None:
        raise AssertionError("the start waits")

    async with databases.open_engine(uri) as engine:
        with pytest.raises(StartRefused) as refused:
            await migrations.prepare_schema(
                engine, migrate=True, attempts=1000, delay=60, sleep=never
            )
    assert "user name or password of SESSION_SERVICE_URI" in refused.value.message
    assert "'nobody'" in refused.value.message
    assert credentials.PASSWORD not in refused.value.message
