"""Service processes that a soak may kill and start again, and what the system tells of them."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import anyio
import httpx

from testkit.service_process import environment, free_port

_START_SECONDS = 60.0

UNLIMITED = {
    "concurrent_turns": "100000",
    "user_turns": "0",
    "user_turns_per_minute": "0",
    "user_conversations": "0",
    "user_events": "0",
    "workspace_turns": "0",
}
"""Settings that let everybody ask as often as they like."""


class Process:
    """`python -m` a module on one port; every life of it writes to the same log file."""

    def __init__(
        self, name: str, settings: Mapping[str, str], *, folder: Path, module: str = "app"
    ) -> None:
        self.name = name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"{name}.log"
        self.lives = 0
        self._downtimes: list[tuple[float, float]] = []
        self._folder = folder
        self._module = module
        self._settings = {"HOST": "127.0.0.1", "PORT": str(self.port), **settings}
        self._running: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Returns when the service answers; raises RuntimeError where it ends instead."""
        self.lives += 1
        with self.log.open("ab") as log:
            self._running = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", self._module),
                cwd=self._folder,
                env=environment(LOG_FORMAT="json", **self._settings),
                stdout=log,
                stderr=log,
            )
        async with httpx.AsyncClient(base_url=self.url) as http:
            with anyio.fail_after(_START_SECONDS):
                while self._running.returncode is None:
                    with contextlib.suppress(httpx.TransportError):
                        await http.get("/healthz")
                        self._note_return()
                        return
                    await asyncio.sleep(0.02)
        raise RuntimeError(self.log.read_text())

    async def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Sends the signal, waits for the end, and gives the exit code."""
        assert self._running is not None
        if self._running.returncode is None:
            self._downtimes.append((anyio.current_time(), float("inf")))
            self._running.send_signal(how)
        return await self._running.wait()

    def was_down(self, began: float, ended: float) -> bool:
        """Whether it was away at any moment between these times of the event loop's clock."""
        return any(death <= ended and began <= back for death, back in self._downtimes)

    def _note_return(self) -> None:
        if self._downtimes:
            self._downtimes[-1] = (self._downtimes[-1][0], anyio.current_time())

    @property
    def megabytes(self) -> float:
        """Memory that is not shared out to disk: the resident set."""
        pages = int(self._proc("statm").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    @property
    def cpu_seconds(self) -> float:
        """User and system time of this life."""
        after_name = self._proc("stat").rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def descriptors(self) -> int:
        """Open files and sockets."""
        return len(os.listdir(f"/proc/{self._pid}/fd"))

    def faults(self) -> list[str]:
        """Lines of its log that say an error, or that are no log lines at all."""
        return [
            f"{self.name} logged {line[:120]} … {line[-600:]}"
            for line in self.log.read_text().splitlines()
            if _is_fault(line)
        ]

    def _proc(self, name: str) -> str:
        return Path(f"/proc/{self._pid}/{name}").read_text()

    @property
    def _pid(self) -> int:
        assert self._running is not None
        return self._running.pid


def _is_fault(line: str) -> bool:
    try:
        return json.loads(line)["level"] in {"error", "critical"}
    except (ValueError, KeyError):
        return True
