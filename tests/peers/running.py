"""Starts third-party programs, by the scripts in this folder."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

HERE = Path(__file__).parent
KEPT = HERE.parents[1] / ".test-peers"
"""What the scripts install; kept between runs."""

NO_PEER = "No such peer: "
START_SECONDS = 400


@contextmanager
def peer(script: str, *, seconds: float = START_SECONDS) -> Iterator[int]:
    """The port of a peer that serves while the context lasts; skips, loudly, where it cannot."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    name = script.removesuffix(".sh")
    KEPT.mkdir(exist_ok=True)
    log_path = KEPT / f"{name}.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            ["bash", str(HERE / script), str(KEPT / name), str(port)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _await(process, port, time.monotonic() + seconds, name, log_path)
        yield port
    finally:
        _end(process)


def _await(
    process: subprocess.Popen[bytes], port: int, deadline: float, name: str, log_path: Path
) -> None:
    while True:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            lines = log_path.read_text(errors="replace").strip().splitlines()
            pytest.skip(f"{NO_PEER}{name} did not start: {lines[-1][:200] if lines else 'silent'}")
        time.sleep(0.1)


def _end(process: subprocess.Popen[bytes]) -> None:
    for how in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        os.killpg(process.pid, how)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            continue


class AsProxy(httpx.AsyncBaseTransport):
    """Puts an OpenAI-compatible server in the place of the backend's chat proxy."""

    def __init__(self) -> None:
        self._network = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url.copy_with(path=request.url.path.replace("/v1/private/", "/v1/"))
        onward = httpx.Request(
            request.method, url, headers=request.headers.raw, stream=request.stream
        )
        return await self._network.handle_async_request(onward)

    async def aclose(self) -> None:
        await self._network.aclose()


async def as_proxy() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=AsProxy()) as client:
        yield client
