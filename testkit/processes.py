"""Python processes for tests, soak and bench: the service, or a server that stands beside it."""

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import anyio
import httpx

from standin.app import Standin
from standin.app import create_app as create_standin
from standin.record_store import Records
from standin.switches import Switches
from testkit.credentials import collected_output
from testkit.scripted_chat import DirectedChat, Step, answer
from testkit.service import PREFIX, WAIT_SECONDS, Service, record_trace, serving

ROOT = Path(__file__).parents[1]
SERVICE = ("-m", "app")

START_SECONDS = 120.0
"""A start takes 1.5 s of CPU; on a machine with much other work that is many times as long."""

_SCHEDULED_TIME = 2  # CPUCLOCK_SCHED of Linux: user and system time, in nanoseconds

_PORTS = range(10_000, 32_000)  # Linux gives ports from 32,768 on, macOS from 49,152 on

UNLIMITED = {
    "concurrent_turns": "100000",
    "user_turns": "0",
    "user_turns_per_minute": "0",
    "workspace_turns": "0",
}
"""Settings without any limit for a user or a workspace."""


def find_free_port() -> int:
    """A port of the loopback that nothing listens on.

    It lies below those that the system gives on a request for any port: another server could get
    one of these before the process of this one listens.
    """
    while True:
        port = random.choice(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def build_environment(**values: str) -> dict[str, str]:
    """As bare as a container's: no HOME, and nothing of the machine's own settings."""
    return {"PATH": os.defpath, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **values}


class PythonProcess:
    """A Python process that can be started again; every start appends to the same log file.

    `arguments` follow the interpreter `python`, `wrapper` stands before it. `log_folder` is where
    the log file is made, the working directory where none is given.
    """

    def __init__(
        self,
        *arguments: str,
        folder: Path,
        settings: Mapping[str, str],
        name: str = "process",
        wrapper: Sequence[str] = (),
        log_folder: Path | None = None,
        python: Path | str = sys.executable,
    ) -> None:
        self.name = name
        self.starts = 0
        self._command = (*wrapper, str(python), *arguments)
        self._folder = folder
        self._environment = build_environment(**settings)
        handle, path = tempfile.mkstemp(f".{name}.log", dir=log_folder or folder)
        os.close(handle)
        self._log_file = Path(path)
        self._downtimes: list[tuple[float, float]] = []
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Starts the process; returns at once."""
        self.starts += 1
        with self._log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, cwd=self._folder, env=self._environment, stdout=log, stderr=log
            )

    def send(self, signal_number: signal.Signals) -> None:
        """Sends a signal, unless the process has ended already."""
        if self.is_running:
            self._running_process.send_signal(signal_number)

    async def wait(self) -> int:
        """The exit code, once the process has ended by itself."""
        with anyio.fail_after(WAIT_SECONDS):
            return await self._running_process.wait()

    async def stop(self, signal_number: signal.Signals = signal.SIGTERM) -> int:
        """Sends the signal, waits for the end, and returns the exit code."""
        if self.is_running:
            self._downtimes.append((anyio.current_time(), float("inf")))
            self.send(signal_number)
        return await self.wait()

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def log(self) -> str:
        """All that it wrote so far, standard output and standard error."""
        return self._log_file.read_text("utf-8", "replace")

    def was_down(self, began: float, ended: float) -> bool:
        """Whether it was stopped at any moment between these times of the event loop's clock."""
        return any(stop <= ended and began <= back for stop, back in self._downtimes)

    def find_log_errors(self) -> list[str]:
        """Lines of its JSON log at level error or above, and lines that are no log lines."""
        return [
            f"{self.name} logged {line[:120]} … {line[-600:]}"
            for line in self.log.splitlines()
            if _is_log_error(line)
        ]

    @property
    def megabytes(self) -> float:
        """Resident memory in MB."""
        pages = int(self._read_proc("statm").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    @property
    def cpu_seconds(self) -> float:
        """User and system time since the last start."""
        # The clock of a process by its id, as `clock_getcpuclockid` computes it.
        return time.clock_gettime((~self._running_process.pid << 3) | _SCHEDULED_TIME)

    @property
    def descriptors(self) -> int:
        """Number of open files and sockets."""
        return len(os.listdir(f"/proc/{self._running_process.pid}/fd"))

    def _read_proc(self, name: str) -> str:
        return Path(f"/proc/{self._running_process.pid}/{name}").read_text()

    @property
    def _running_process(self) -> asyncio.subprocess.Process:
        assert self._process is not None, "the process was never started"
        return self._process


class ServerProcess(PythonProcess):
    """A Python process that serves HTTP, on the port in its settings or on a free one.

    The word PORT among its arguments stands for that port.
    """

    def __init__(
        self,
        *arguments: str,
        folder: Path,
        settings: Mapping[str, str],
        name: str = "server",
        wrapper: Sequence[str] = (),
        log_folder: Path | None = None,
        python: Path | str = sys.executable,
    ) -> None:
        self.port = int(settings.get("PORT", find_free_port()))
        self.url = f"http://127.0.0.1:{self.port}"
        self._health_url = f"{self.url}{settings.get('URL_PREFIX', '')}/healthz"
        super().__init__(
            *(str(self.port) if each == "PORT" else each for each in arguments),
            folder=folder,
            settings={"HOST": "127.0.0.1", "PORT": str(self.port), **settings},
            name=name,
            wrapper=wrapper,
            log_folder=log_folder,
            python=python,
        )

    async def start(self) -> None:
        """Returns when the server answers; raises RuntimeError with its log if it ends instead."""
        await super().start()
        async with httpx.AsyncClient(timeout=WAIT_SECONDS) as http:
            with anyio.fail_after(START_SECONDS):
                while self.is_running:
                    with contextlib.suppress(httpx.TransportError):
                        await http.get(self._health_url)
                        if self._downtimes:
                            self._downtimes[-1] = (self._downtimes[-1][0], anyio.current_time())
                        return
                    await asyncio.sleep(0.02)
        raise RuntimeError(self.log)


AnyProcess = TypeVar("AnyProcess", bound=PythonProcess)


@contextlib.asynccontextmanager
async def running_process(
    process: AnyProcess, *, end: signal.Signals = signal.SIGKILL
) -> AsyncIterator[AnyProcess]:
    """Starts the process and ends it by a signal; its log is searched for credentials later."""
    try:
        await process.start()
        yield process
    finally:
        await process.stop(end)
        collected_output.append(process.log.encode())


class CompletedPython(NamedTuple):
    """A process that has ended: what it printed, and what it logged to standard error."""

    code: int
    printed: str
    log: str


async def run_python(*arguments: str, folder: Path, **settings: str) -> CompletedPython:
    """Runs Python with these settings to its end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *arguments),
        cwd=folder,
        env=build_environment(**settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, log = await process.communicate()
    collected_output.extend((printed, log))
    return CompletedPython(process.returncode or 0, printed.decode(), log.decode())


@dataclass
class Backend:
    """A stand-in backend that knows one trace, with a model under the test's direction."""

    url: str
    standin: Standin
    chat: Any


@contextlib.asynccontextmanager
async def serving_backend(*scripts: list[Step], chat: Any = None) -> AsyncIterator[Backend]:
    """`chat` answers for the models; where none is given it plays the scripts."""
    chat = chat or DirectedChat(*(scripts or (answer("It was the tool."),)))
    standin = create_standin(Records(), chat=chat, switches=Switches())
    record_trace(standin)
    async with serving(standin, grace=1) as url:
        yield Backend(url, standin, chat)


@contextlib.asynccontextmanager
async def service_process(
    backend: Backend,
    folder: Path,
    *,
    command: tuple[str, ...] = SERVICE,
    wrapper: Sequence[str] = (),
    **settings: str,
) -> AsyncIterator[tuple[Service, ServerProcess]]:
    """A process of the service before this backend, in which every warning is an error."""
    values = {
        "SESSION_SERVICE_URI": f"sqlite:///{folder / 'a.db'}",
        "URL_PREFIX": PREFIX,
        "LOG_FORMAT": "json",
        "DRAIN_SECONDS": "0",
        "AGENT_OPIK_URL": backend.url,
        "PYTHONWARNINGS": "error",
        **settings,
    }
    process = ServerProcess(*command, folder=folder, settings=values, wrapper=wrapper)
    async with running_process(process), httpx.AsyncClient(timeout=WAIT_SECONDS) as http:
        yield (
            Service(
                process.url,
                backend.url,
                values["SESSION_SERVICE_URI"],
                backend.standin,
                backend.chat,
                http,
            ),
            process,
        )


@contextlib.asynccontextmanager
async def backend_and_service_process(
    folder: Path,
    *scripts: list[Step],
    command: tuple[str, ...] = SERVICE,
    wrapper: Sequence[str] = (),
    **settings: str,
) -> AsyncIterator[tuple[Service, ServerProcess]]:
    """A process of the service before a backend of its own, whose model plays the scripts."""
    async with (
        serving_backend(*scripts) as backend,
        service_process(backend, folder, command=command, wrapper=wrapper, **settings) as running,
    ):
        yield running


def _is_log_error(line: str) -> bool:
    try:
        return json.loads(line)["level"] in {"error", "critical"}
    except (ValueError, KeyError):
        return True
