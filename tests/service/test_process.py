"""The service as a process: how it starts, refuses to start, logs, and ends."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from app import __version__
from demo.standin.app import create_app as create_standin
from demo.standin.chat import text
from demo.standin.records import Records
from demo.standin.switches import Switches
from tests.fakes.chat import DirectedChat, Step, answer
from tests.fakes.service import PATIENCE, PREFIX, Service, record_trace, serving

ROOT = Path(__file__).parents[2]


def environment(**values: str) -> dict[str, str]:
    """What a process sees: nothing of ours but what is given here."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", **values}


class Process:
    """A Python process whose output is collected."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.log = ""
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.log += line.decode()

    async def ended(self) -> int:
        with anyio.fail_after(PATIENCE):
            await self._reading
            return await self.process.wait()


@contextlib.asynccontextmanager
async def python(*arguments: str, cwd: Path, **values: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=cwd,
        env=environment(**values),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    running = Process(process)
    try:
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await running.ended()


async def run(*arguments: str, cwd: Path, **values: str) -> tuple[int, str]:
    async with python(*arguments, cwd=cwd, **values) as process:
        return await process.ended(), process.log


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.asynccontextmanager
async def service_process(
    tmp_path: Path, *scripts: list[Step], command: tuple[str, ...] = ("-m", "app"), **values: str
) -> AsyncIterator[tuple[Service, Process]]:
    """A service of its own process, before a stand-in in this one."""
    chat = DirectedChat(*(scripts or (answer("It was the tool."),)))
    standin = create_standin(Records(), chat=chat, switches=Switches())
    record_trace(standin)
    port = str(free_port())
    settings = {
        "SESSION_SERVICE_URI": f"sqlite:///{tmp_path / 'a.db'}",
        "URL_PREFIX": PREFIX,
        "HOST": "127.0.0.1",
        "PORT": port,
        "LOG_FORMAT": "json",
        **values,
    }
    async with contextlib.AsyncExitStack() as stack:
        backend = await stack.enter_async_context(serving(standin, grace=1))
        settings["AGENT_OPIK_URL"] = backend
        words = [port if word == "PORT" else word for word in command]
        process = await stack.enter_async_context(python(*words, cwd=tmp_path, **settings))
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=20))
        url = f"http://127.0.0.1:{port}"
        service = Service(url, backend, settings["SESSION_SERVICE_URI"], standin, chat, http)
        await _healthy(service, process)
        yield service, process


async def _healthy(service: Service, process: Process) -> None:
    with anyio.fail_after(PATIENCE):
        while process.process.returncode is None:
            with contextlib.suppress(httpx.TransportError):
                await service.http.get(f"{service.url}{PREFIX}/healthz")
                return
            await asyncio.sleep(0.05)
    raise AssertionError(process.log)


async def test_the_version_is_told(tmp_path: Path) -> None:
    assert await run("-m", "app", "--version", cwd=tmp_path) == (0, f"opik-assist {__version__}\n")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "AGENT_OPIK_URL is not set"),
        ({"AGENT_OPIK_URL": "backend:8080"}, "AGENT_OPIK_URL"),
        ({"PORT": "many"}, "PORT"),
        ({"SESSION_SERVICE_URI": "postgres://u:hunter2@h/d"}, "SESSION_SERVICE_URI"),
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
    assert "hunter2" not in log


async def test_a_database_that_never_comes_stops_the_start_in_words(tmp_path: Path) -> None:
    code, log = await run(
        "-m",
        "app",
        cwd=tmp_path,
        AGENT_OPIK_URL="http://opik.test",
        SESSION_SERVICE_URI=f"mysql://anna:hunter2@127.0.0.1:{free_port()}/opik",
        SESSION_SERVICE_MAX_RETRIES="2",
        SESSION_SERVICE_RETRY_DELAY="0.01",
        PORT=str(free_port()),
    )
    assert code == 3
    assert "Traceback" not in log
    assert "hunter2" not in log
    assert "database" in log


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
        service.headers = {"Cookie": "sessionToken=tok-1234", "Comet-Workspace": "default"}
        await service.ask("The secret question?")
        process.process.send_signal(signal.SIGTERM)
        assert await process.ended() == 0
    lines = [json.loads(line) for line in process.log.splitlines()]
    (turn,) = [line for line in lines if line["event"] == "turn"]
    assert turn["outcome"] == "turn_finished"
    assert {"trace", "model", "steps", "tools", "prompt_tokens", "ms", "request"} <= set(turn)
    assert (turn["steps"], turn["model"], turn["completion_tokens"]) == (1, "gpt-4.1", 10)
    assert not re.search("secret|tok-1234|order", process.log)


async def test_sigterm_gives_a_running_turn_time_to_end(tmp_path: Path) -> None:
    gate = asyncio.Event()
    scripts: list[Any] = [[text("Slow "), gate, *answer("but whole.")]]
    async with service_process(tmp_path, *scripts) as (service, process):
        async with service.asking() as stream:
            await stream.until(lambda each: each.reader.texts)
            process.process.send_signal(signal.SIGTERM)
            gate.set()
            reader = await stream.rest()
        assert (reader.texts, reader.error) == (["Slow but whole."], None)
        assert await process.ended() == 0


async def test_sigterm_ends_a_turn_that_takes_too_long_with_a_last_word_and_stores_it(
    tmp_path: Path,
) -> None:
    scripts: list[Any] = [[text("Endless "), asyncio.Event()]]
    async with service_process(tmp_path, *scripts, SHUTDOWN_SECONDS="0.2") as (service, process):
        async with service.asking() as stream:
            await stream.until(lambda each: each.reader.texts)
            process.process.send_signal(signal.SIGTERM)
            reader = await stream.rest()
        assert reader.texts[0] == "Endless "
        assert reader.error is not None
        assert reader.error.startswith("The service is restarting.")
        assert await process.ended() == 0
        assert "Traceback" not in process.log
    async with service_process(tmp_path, answer("Back.")) as (service, _):
        said = [words for _, words in await service.said()]
        assert said[1] == "Endless "
        assert said[2].startswith("The service is restarting.")
        assert (await service.ask()).texts == ["Back."]


@pytest.mark.slow
async def test_a_killed_process_loses_no_finished_reply_and_the_next_turn_works(
    tmp_path: Path,
) -> None:
    scripts: list[Any] = [[text("Endless "), asyncio.Event()]]
    async with service_process(tmp_path, *scripts, LEASE_SECONDS="1") as (service, process):  # noqa: SIM117 - the stream closes before the process
        async with service.asking() as stream:
            await stream.until(lambda each: each.reader.texts)
            process.process.kill()
            await process.ended()
    async with service_process(tmp_path, answer("Back.")) as (service, _):
        assert (await service.ask("Again?")).texts == ["Back."]
        assert await service.said() == [
            ("user", "What caused this error?"),
            ("assistant", "(interrupted)"),
            ("user", "Again?"),
            ("assistant", "Back."),
        ]
