"""The service as a process: how it starts, refuses to start, and logs."""

import json
import re
import signal
import socket
import sys
from pathlib import Path

import pytest

from app import __version__
from app.server import bind_listener
from testkit import credentials
from testkit.constants import changed_constants
from testkit.processes import SERVICE, backend_and_service_process, find_free_port, run_python
from testkit.scripted_chat import answer


async def test_the_version_is_printed(tmp_path: Path) -> None:
    ended = await run_python(*SERVICE, "--version", folder=tmp_path)
    assert ended == (0, f"opik-assist {__version__}\n", "")


WRONG_SETTINGS: list[tuple[dict[str, str], str]] = [
    ({}, "AGENT_OPIK_URL is not set"),
    ({"AGENT_OPIK_URL": "backend:8080"}, "AGENT_OPIK_URL"),
    ({"PORT": "many"}, "PORT"),
    ({"SESSION_SERVICE_URI": f"postgres://u:{credentials.PASSWORD}@h/d"}, "SESSION_SERVICE_URI"),
    ({"ALLOWED_ORIGINS": "*"}, "ALLOWED_ORIGINS"),
    ({"URL_PREFIX": "a b"}, "URL_PREFIX"),
    ({"RETRY_STATUSES": "often"}, "RETRY_STATUSES"),
]

# The modules are imported once; each start is a fork that has them already.
RUN_FORKED = """
import json, os, runpy, sys, tempfile
import uvicorn, app.main

results = []
module, *arguments = json.loads(os.environ.pop("COMMAND"))
for settings in json.loads(os.environ.pop("CASES")):
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            os.environ.update(settings)
            sys.argv = [module, *arguments]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
            sys.exit()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        output.seek(0)
        results.append((code, output.read().decode()))
print(json.dumps(results))
"""


@pytest.mark.parametrize("command", [["app"], ["uvicorn", "app.main:app"]], ids=lambda it: it[0])
async def test_a_wrong_setting_stops_the_start_with_one_readable_line(
    tmp_path: Path, command: list[str]
) -> None:
    cases = [
        {"AGENT_OPIK_URL": "http://opik.test", **values} if values else {}
        for values, _ in WRONG_SETTINGS
    ]
    ended = await run_python(
        "-c", RUN_FORKED, folder=tmp_path, COMMAND=json.dumps(command), CASES=json.dumps(cases)
    )
    assert ended.code == 0, ended.log
    results = json.loads(ended.printed)
    wrong = [
        f"{values}: ended with {code} and {log!r}"
        for (values, words), (code, log) in zip(WRONG_SETTINGS, results, strict=True)
        if code == 0 or words not in log or log.count("\n") != 1 or credentials.PASSWORD in log
    ]
    assert wrong == []


async def test_a_database_that_never_answers_stops_the_start_with_a_message(tmp_path: Path) -> None:
    code, _, log = await run_python(
        *SERVICE,
        folder=tmp_path,
        AGENT_OPIK_URL="http://opik.test",
        SESSION_SERVICE_URI=f"mysql://anna:{credentials.PASSWORD}@127.0.0.1:{find_free_port()}/opik",
        SESSION_SERVICE_MAX_RETRIES="2",
        SESSION_SERVICE_RETRY_DELAY="0.01",
        PORT=str(find_free_port()),
    )
    assert code == 3
    assert "Traceback" not in log
    assert credentials.PASSWORD not in log
    assert "database" in log


def test_every_connection_sends_at_once_and_drops_a_client_that_reads_nothing() -> None:
    with (
        changed_constants(reader_seconds=2),
        bind_listener("127.0.0.1", 0) as listener,
        socket.socket() as client,
    ):
        listener.listen()
        client.connect(listener.getsockname())
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            if sys.platform == "linux":
                patience = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
                assert 0 < patience <= 2_000


async def test_variables_that_are_settings_no_longer_are_named_in_one_warning(
    tmp_path: Path,
) -> None:
    (tmp_path / ".env").write_text("LEASE_SECONDS=5\nBODY_BYTES=\n")
    async with backend_and_service_process(tmp_path, MAX_SPANS="9", TURN_STEPS="4") as (_, process):
        pass
    lines = [json.loads(each) for each in process.log.splitlines()]
    (warning,) = [each for each in lines if each["level"] == "warning"]
    assert warning["event"] == "settings_ignored"
    assert warning["variables"] == ["LEASE_SECONDS", "MAX_SPANS"]


async def test_importing_the_app_module_reads_no_environment(tmp_path: Path) -> None:
    assert await run_python("-c", "import app.main", folder=tmp_path) == (0, "", "")


async def test_the_module_offers_no_other_app(tmp_path: Path) -> None:
    ended = await run_python("-c", "from app.main import application", folder=tmp_path)
    assert ended.code == 1


@pytest.mark.slow
async def test_several_workers_of_uvicorn_serve_one_database(tmp_path: Path) -> None:
    command = ("-m", "uvicorn", "app.main:app", "--workers", "2", "--port", "PORT")
    async with backend_and_service_process(tmp_path, command=command) as (service, process):
        for _ in range(4):
            assert (await service.ask()).texts == ["It was the tool."]
        assert len(await service.history()) == 8
        process.send(signal.SIGTERM)
        assert await process.wait() == 0


async def test_a_turn_is_one_log_line_without_secrets_or_content(tmp_path: Path) -> None:
    scripts = [answer("The secret answer.")]
    async with backend_and_service_process(tmp_path, *scripts) as (service, process):
        service.headers = {
            "Cookie": f"sessionToken={credentials.ANNA}",
            "Comet-Workspace": "default",
        }
        await service.ask("The secret question?")
        process.send(signal.SIGTERM)
        assert await process.wait() == 0
    lines = [json.loads(line) for line in process.log.splitlines()]
    (turn,) = [line for line in lines if line["event"] == "turn_ended"]
    assert turn["outcome"] == "turn_finished"
    assert {"trace", "model", "steps", "tools", "prompt_tokens", "ms", "request"} <= set(turn)
    assert (turn["steps"], turn["model"], turn["completion_tokens"]) == (1, "gpt-4.1", 10)
    assert not re.search(f"secret|{credentials.ANNA}|order", process.log)
