"""The service as a process: how it starts, refuses to start, and logs."""

import json
import re
import signal
import socket
import sys
from pathlib import Path

import pytest
import uvicorn

from app import __version__
from app.__main__ import _bind_listener
from testkit import credentials
from testkit.scripted_chat import answer
from testkit.service_process import free_port
from tests.service.processes import run, service_process


async def test_the_version_is_told(tmp_path: Path) -> None:
    assert await run("-m", "app", "--version", cwd=tmp_path) == (0, f"opik-assist {__version__}\n")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "AGENT_OPIK_URL is not set"),
        ({"AGENT_OPIK_URL": "backend:8080"}, "AGENT_OPIK_URL"),
        ({"PORT": "many"}, "PORT"),
        (
            {"SESSION_SERVICE_URI": f"postgres://u:{credentials.PASSWORD}@h/d"},
            "SESSION_SERVICE_URI",
        ),
        ({"ALLOWED_ORIGINS": "*"}, "ALLOWED_ORIGINS"),
        ({"URL_PREFIX": "a b"}, "URL_PREFIX"),
        ({"RETRY_STATUSES": "often"}, "RETRY_STATUSES"),
    ],
)
@pytest.mark.parametrize("command", [("-m", "app"), ("-m", "uvicorn", "app.main:app")])
async def test_a_wrong_setting_stops_the_start_with_one_readable_line(
    tmp_path: Path, command: tuple[str, ...], values: dict[str, str], words: str
) -> None:
    given = {"AGENT_OPIK_URL": "http://opik.test", **values} if values else {}
    code, log = await run(*command, cwd=tmp_path, **given)
    assert code != 0
    assert words in log
    assert log.count("\n") == 1
    assert credentials.PASSWORD not in log


async def test_a_database_that_never_comes_stops_the_start_in_words(tmp_path: Path) -> None:
    code, log = await run(
        "-m",
        "app",
        cwd=tmp_path,
        AGENT_OPIK_URL="http://opik.test",
        SESSION_SERVICE_URI=f"mysql://anna:{credentials.PASSWORD}@127.0.0.1:{free_port()}/opik",
        SESSION_SERVICE_MAX_RETRIES="2",
        SESSION_SERVICE_RETRY_DELAY="0.01",
        PORT=str(free_port()),
    )
    assert code == 3
    assert "Traceback" not in log
    assert credentials.PASSWORD not in log
    assert "database" in log


def test_every_connection_sends_at_once_and_gives_up_a_reader_in_time() -> None:
    config = uvicorn.Config("app.main:app", host="127.0.0.1", port=0)
    with _bind_listener(config, reader_seconds=2) as listener, socket.socket() as client:
        listener.listen()
        client.connect(listener.getsockname())
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            if sys.platform == "linux":
                patience = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
                assert 0 < patience <= 2_000


async def test_importing_the_app_module_reads_no_environment(tmp_path: Path) -> None:
    assert await run("-c", "import app.main", cwd=tmp_path) == (0, "")


async def test_the_module_has_nothing_else_to_build(tmp_path: Path) -> None:
    code, _ = await run("-c", "from app.main import application", cwd=tmp_path)
    assert code == 1


@pytest.mark.slow
async def test_several_workers_of_uvicorn_serve_one_database(tmp_path: Path) -> None:
    command = ("-m", "uvicorn", "app.main:app", "--workers", "2", "--port", "PORT")
    async with service_process(tmp_path, command=command) as (service, process):
        for _ in range(4):
            assert (await service.ask()).texts == ["It was the tool."]
        assert len(await service.history()) == 8
        process.process.send_signal(signal.SIGTERM)
        assert await process.ended() == 0


async def test_a_turn_is_one_log_line_without_secrets_or_content(tmp_path: Path) -> None:
    scripts = [answer("The secret answer.")]
    async with service_process(tmp_path, *scripts) as (service, process):
        service.headers = {
            "Cookie": f"sessionToken={credentials.ANNA}",
            "Comet-Workspace": "default",
        }
        await service.ask("The secret question?")
        process.process.send_signal(signal.SIGTERM)
        assert await process.ended() == 0
    lines = [json.loads(line) for line in process.log.splitlines()]
    (turn,) = [line for line in lines if line["event"] == "turn"]
    assert turn["outcome"] == "turn_finished"
    assert {"trace", "model", "steps", "tools", "prompt_tokens", "ms", "request"} <= set(turn)
    assert (turn["steps"], turn["model"], turn["completion_tokens"]) == (1, "gpt-4.1", 10)
    assert not re.search(f"secret|{credentials.ANNA}|order", process.log)
