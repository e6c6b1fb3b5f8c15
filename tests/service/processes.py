"""The service as a process of its own, before a stand-in backend in the test's."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx

from standin.app import Standin
from standin.app import create_app as create_standin
from standin.record_store import Records
from standin.switches import Switches
from testkit.credentials import collected_output
from testkit.scripted_chat import DirectedChat, Step, answer
from testkit.service import PREFIX, WAIT_SECONDS, Service, record_trace, serving
from testkit.service_process import ROOT, free_port


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
        with anyio.fail_after(WAIT_SECONDS):
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
        collected_output.append(running.log.encode())


async def run(*arguments: str, cwd: Path, **values: str) -> tuple[int, str]:
    async with python(*arguments, cwd=cwd, **values) as process:
        return await process.ended(), process.log


@dataclass
class Backend:
    """A stand-in that knows one trace, with a model under the test's direction."""

    url: str
    standin: Standin
    chat: Any


@contextlib.asynccontextmanager
async def backend_for(*scripts: list[Step], chat: Any = None) -> AsyncIterator[Backend]:
    """`chat` answers for the models; where none is given it plays the scripts."""
    chat = chat or DirectedChat(*(scripts or (answer("It was the tool."),)))
    standin = create_standin(Records(), chat=chat, switches=Switches())
    record_trace(standin)
    async with serving(standin, grace=1) as url:
        yield Backend(url, standin, chat)


@contextlib.asynccontextmanager
async def started(
    backend: Backend, folder: Path, *, command: tuple[str, ...] = ("-m", "app"), **values: str
) -> AsyncIterator[tuple[Service, Process]]:
    """A process of the service before this backend; a PORT among the command's words is its own."""
    settings = {
        "SESSION_SERVICE_URI": f"sqlite:///{folder / 'a.db'}",
        "URL_PREFIX": PREFIX,
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
        "LOG_FORMAT": "json",
        "DRAIN_SECONDS": "0",
        "AGENT_OPIK_URL": backend.url,
        **values,
    }
    words = [settings["PORT"] if word == "PORT" else word for word in command]
    async with (
        python(*words, cwd=folder, **settings) as process,
        httpx.AsyncClient(timeout=20) as http,
    ):
        service = Service(
            f"http://127.0.0.1:{settings['PORT']}",
            backend.url,
            settings["SESSION_SERVICE_URI"],
            backend.standin,
            backend.chat,
            http,
        )
        await _healthy(service, process)
        yield service, process


@contextlib.asynccontextmanager
async def service_process(
    tmp_path: Path, *scripts: list[Step], command: tuple[str, ...] = ("-m", "app"), **values: str
) -> AsyncIterator[tuple[Service, Process]]:
    """A process of the service before a backend of its own."""
    async with (
        backend_for(*scripts) as backend,
        started(backend, tmp_path, command=command, **values) as running,
    ):
        yield running


async def _healthy(service: Service, process: Process) -> None:
    with anyio.fail_after(4 * WAIT_SECONDS):
        while process.process.returncode is None:
            with contextlib.suppress(httpx.TransportError):
                await service.http.get(f"{service.url}{PREFIX}/healthz")
                return
            await asyncio.sleep(0.05)
    raise AssertionError(process.log)
