"""The service as an operator starts it: `python -m app` with an environment, and nothing else."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from testkit.credentials import collected_output

ROOT = Path(__file__).parents[1]


@dataclass
class ServiceProcess:
    """A running process. `log` is complete once it has been stopped."""

    url: str
    process: asyncio.subprocess.Process
    log: bytes = b""

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Sends the signal, waits for the end, and returns the exit code."""
        if self.process.returncode is None:
            self.process.send_signal(how)
        _, said = await self.process.communicate()
        self.log += said or b""
        return self.process.returncode or 0


_LOG_BYTES = 16 * 1024 * 1024
"""Kept of a log that is read at the end only: a process whose log nobody takes stands still."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(**more: str) -> dict[str, str]:
    """As bare as a container's: no HOME, and nothing of the machine's own settings."""
    return {"PATH": os.defpath, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **more}


@contextlib.asynccontextmanager
async def service_process(
    settings: Mapping[str, str],
    *,
    folder: Path,
    prefix: str = "/opik-ai",
    command: Sequence[str] = (),
) -> AsyncIterator[ServiceProcess]:
    """Starts the service in `folder`, waits until it is healthy, and ends it.

    `command` is what starts it in place of the interpreter alone.
    """
    port = free_port()
    own = {"HOST": "127.0.0.1", "PORT": str(port), "URL_PREFIX": prefix, "DRAIN_SECONDS": "0"}
    started = ServiceProcess(
        f"http://127.0.0.1:{port}",
        await asyncio.create_subprocess_exec(
            *(*command, sys.executable, "-m", "app"),
            cwd=folder,
            env=environment(**own, **settings),
            stderr=asyncio.subprocess.PIPE,
            limit=_LOG_BYTES,
        ),
    )
    try:
        await _healthy(started, prefix)
        yield started
    finally:
        await started.stop()
        collected_output.append(started.log)


async def _healthy(started: ServiceProcess, prefix: str) -> None:
    async with httpx.AsyncClient(base_url=started.url) as http:
        while started.process.returncode is None:
            with contextlib.suppress(httpx.TransportError):
                if (await http.get(f"{prefix}/healthz")).status_code == 200:
                    return
            await asyncio.sleep(0.02)
    await started.stop()
    raise RuntimeError(started.log.decode())
