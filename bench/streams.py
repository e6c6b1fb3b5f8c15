"""How many streams of 20 deltas a second one core carries, and how late the deltas come."""

import asyncio
import time
from dataclasses import dataclass
from statistics import median, quantiles

from bench.client import ask, new_trace
from bench.results import Results
from bench.turns import Processes
from testkit.processes import ServerProcess

_PER_SECOND = 20
_STARTS_A_SECOND = 10
_STREAMS = 40
_LEAST_SHARE = 70  # percent of the relay's
_MOST_LAG_MS = 100


@dataclass(frozen=True, slots=True)
class Carried:
    """What a process did for many streams: streams for one core, and the lag in milliseconds."""

    streams: float
    median_lag: float
    p99_lag: float


async def measure_streams(results: Results, processes: Processes, seconds: float) -> None:
    """Streams per core is by the CPU of a delta while 40 streams run; the added lag is that of the
    service over that of the relay."""
    results.add_title(f"{_STREAMS} streams of {_PER_SECOND} deltas a second")
    relay = await _carry_streams(processes.relay, seconds)
    service = await _carry_streams(processes.service, seconds)
    for name, each in (("relay", relay), ("service", service)):
        note = f"lag {each.median_lag:.1f} ms, p99 {each.p99_lag:.1f} ms"
        results.add(f"{name}, streams per core", each.streams, note=note)
    results.add(
        "share of the relay's", service.streams / relay.streams * 100, "%", least=_LEAST_SHARE
    )
    results.add("added lag, p99", service.p99_lag - relay.p99_lag, "ms", most=_MOST_LAG_MS)


async def _carry_streams(process: ServerProcess, seconds: float) -> Carried:
    lags: list[int] = []
    deltas = round((_STREAMS / _STARTS_A_SECOND + 3 + seconds) * _PER_SECOND)
    async with asyncio.TaskGroup() as group:
        for _ in range(_STREAMS):
            group.create_task(
                ask(
                    process,
                    new_trace(10),
                    deltas=deltas,
                    every=1000 // _PER_SECOND,
                    on_lag=lags.append,
                )
            )
            await asyncio.sleep(1 / _STARTS_A_SECOND)
        await asyncio.sleep(2)
        lags.clear()
        cpu, began = process.cpu_seconds, time.monotonic()
        await asyncio.sleep(seconds)
        seen, used, wall = list(lags), process.cpu_seconds - cpu, time.monotonic() - began
    came = len(seen) / wall
    streams_per_core = came / used * wall / _PER_SECOND
    return Carried(streams_per_core, median(seen) / 1e6, quantiles(seen, n=100)[98] / 1e6)
