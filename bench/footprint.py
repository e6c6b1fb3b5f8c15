"""Start-up, memory, and how long other requests wait for a large trace."""

import asyncio
import re
import sys
import time
from collections.abc import Awaitable
from pathlib import Path
from statistics import median

import httpx

from bench.client import ask, new_trace
from bench.results import Results
from testkit.processes import PythonProcess, ServerProcess

_TURNS = 200
_MOST_MEGABYTES = 150
_MOST_READY_SECONDS = 1.2
_MOST_STALL_MS = 50
COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}
"""Lets a process keep its compiled modules, as an installed package has them."""
_PING_SECONDS = 0.005
_HISTORY_TURNS = 500
_HISTORY_CHARACTERS = 30_000  # of each answer
_READERS = (1, 5)
_EARLIER = re.compile(rb'"earlier":(\d+)}$')
_LARGE = 10_000


async def measure_start(results: Results, service: ServerProcess, folder: Path) -> None:
    """CPU of the import and until the service answers, the schema being there; the wall time that
    stands beside it also depends on what else the machine does. Leaves the service running."""
    results.add_title("start")
    imports = [await _measure_import(folder) for _ in range(3)]
    results.add("import, CPU", min(imports), "s")
    cpu, wall = [], []
    for _ in range(3):
        await service.stop()
        began = time.monotonic()
        await service.start()
        wall.append(time.monotonic() - began)
        cpu.append(service.cpu_seconds)
    results.add(
        "ready, CPU", min(cpu), "s", most=_MOST_READY_SECONDS, note=f"wall {min(wall):.2f} s"
    )
    results.add("memory, idle", service.megabytes, "MB")


async def _measure_import(folder: Path) -> float:
    code = "import time, app.main; print(time.process_time())"
    process = PythonProcess("-c", code, name="import", folder=folder, settings=COMPILED)
    await process.start()
    if await process.wait():
        sys.exit(process.log)
    return float(process.log)


async def measure_stall(results: Results, service: ServerProcess) -> None:
    """The longest answer time of /healthz while a trace of 10,000 spans is opened, beyond the
    median of an idle service."""
    results.add_title("requests beside a large trace")
    async with httpx.AsyncClient(timeout=30) as http:
        idle = await _ping_while(service, http, asyncio.sleep(1))
        busy = await _ping_while(service, http, ask(service, new_trace(_LARGE), deltas=10))
    stall = (max(busy) - median(idle)) * 1000
    note = f"idle {median(idle) * 1000:.1f}, max {max(idle) * 1000:.1f} ms"
    results.add("longest stall of /healthz", stall, "ms", most=_MOST_STALL_MS, note=note)


async def measure_history_stall(results: Results, service: ServerProcess) -> None:
    """The longest answer time of /healthz while a long conversation is read, page by page."""
    size = f"{_HISTORY_TURNS} answers of {_HISTORY_CHARACTERS:,} characters"
    results.add_title(f"requests beside a history of {size}")
    trace_id = new_trace(10)
    for _ in range(_HISTORY_TURNS):
        await ask(service, trace_id, deltas=1, text=_HISTORY_CHARACTERS)
    async with httpx.AsyncClient(timeout=120) as http:
        idle = await _ping_while(service, http, asyncio.sleep(1))
        for readers in _READERS:
            reads = [_read_history(service, http, trace_id) for _ in range(readers)]
            began = time.monotonic()
            busy = await _ping_while(service, http, asyncio.gather(*reads))
            took = time.monotonic() - began
            stall = (max(busy) - median(idle)) * 1000
            note = f"all pages in {took:.1f} s"
            results.add(f"{readers} readers", stall, "ms", most=_MOST_STALL_MS, note=note)


async def _read_history(service: ServerProcess, http: httpx.AsyncClient, trace_id: str) -> None:
    """Reads all pages; what the client did to parse them would count as the service's time."""
    url = f"{service.url}/trace-analyzer/session/{trace_id}"
    page = (await http.get(url)).raise_for_status().content
    while earlier := _EARLIER.search(page):
        response = await http.get(url, params={"before": int(earlier[1])})
        page = response.raise_for_status().content


async def _ping_while(
    service: ServerProcess, http: httpx.AsyncClient, work: Awaitable[object]
) -> list[float]:
    """Seconds of each request that was made meanwhile."""
    task = asyncio.ensure_future(work)
    times = []
    while not task.done():
        began = time.monotonic()
        await http.get(f"{service.url}/healthz")
        times.append(time.monotonic() - began)
        await asyncio.sleep(_PING_SECONDS)
    await task
    return times


async def measure_memory(results: Results, service: ServerProcess) -> None:
    """Resident memory of a fresh process after turns on traces of 100 spans each."""
    results.add_title(f"memory after {_TURNS} turns on as many traces of 100 spans")
    await service.stop()
    await service.start()
    for _ in range(_TURNS):
        await ask(service, new_trace(100), deltas=20, calls=1)
    results.add("memory", service.megabytes, "MB", most=_MOST_MEGABYTES)
