"""CPU of a turn and time to its first text, of all processes alternating in one run.

CPU is that of the process by its own clock. The floor is the parsing and writing of the same frames
and nothing else.
"""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from bench.backend import build_frames
from bench.client import ask, new_trace, open_panel
from bench.results import Results
from testkit.processes import ServerProcess

DELTAS = 200
STATUS_DELTAS = 5
_WARM_UP = 3
_PANEL_OPEN_SECONDS = 2.0
"""From the opening of the panel to the question: a person chooses a suggestion or types one."""


@dataclass(frozen=True, slots=True)
class Processes:
    """The processes under test."""

    service: ServerProcess
    relay: ServerProcess
    least: ServerProcess

    @property
    def all(self) -> tuple[ServerProcess, ...]:
        return self.service, self.relay, self.least


@dataclass(frozen=True, slots=True)
class Regime:
    """Turns of one kind: on traces of `spans` spans, new ones or one that is kept."""

    name: str
    spans: int
    turns: int
    every: int = 0
    kept: bool = False


REGIMES = (
    Regime("new trace of 10 spans", 10, turns=10),
    Regime("new trace of 100 spans", 100, turns=10),
    Regime("new trace of 1,000 spans", 1_000, turns=3),
    Regime("new trace of 10,000 spans", 10_000, turns=1),
    Regime("kept trace of 100 spans", 100, turns=10, kept=True),
    Regime("kept trace, deltas 1 ms apart", 100, turns=5, every=1, kept=True),
    Regime("kept trace, deltas 50 ms apart", 100, turns=2, every=50, kept=True),
)
_MOST_FLOORS = {"new trace of 100 spans": 60, "kept trace of 100 spans": 20}
_MOST_RELAYS = {"kept trace, deltas 50 ms apart": 2}

FIRST_TEXT = ((10, 2.0), (100, 2.0), (1_000, 1.5), (10_000, 1.5))
"""Spans of a new trace, and how many times the time of the least assistant are the aim."""


def measure_floor() -> float:
    """CPU seconds of parsing and writing the frames of a turn as JSON."""
    turns = [build_frames(DELTAS + STATUS_DELTAS) for _ in range(20)]
    began = time.process_time()
    for frames in turns:
        for frame in frames[:-1]:
            b"data: %s\n\n" % json.dumps(json.loads(frame[6:])).encode()
    return (time.process_time() - began) / len(turns)


async def measure_cpu(results: Results, processes: Processes, rounds: int) -> None:
    """Turns of 205 deltas in two model calls with a tool call between, as a user's mostly are; the
    relay and the least assistant make one call."""
    for process in processes.all:
        for _ in range(_WARM_UP):
            await _ask_turn(process, new_trace(100))
    for regime in REGIMES:
        results.add_title(f"CPU of a turn: {regime.name}")
        found: dict[str, list[float]] = {each.name: [] for each in processes.all}
        floors = []
        kept = new_trace(regime.spans)
        await _ask_turn(processes.service, kept)
        for _ in range(rounds):
            floors.append(measure_floor())
            for process in processes.all:
                trace = (lambda: kept) if regime.kept else (lambda: new_trace(regime.spans))  # noqa: B023
                found[process.name].append(await _measure_turns(process, regime, trace))
        floor = median(floors)
        costs = {name: median(all_rounds) for name, all_rounds in found.items()}
        relays = costs["service"] / costs["relay"]
        for name, seconds in costs.items():
            most = _MOST_FLOORS.get(regime.name) if name == "service" else None
            note = f"{seconds * 1000:.1f} ms"
            results.add(f"{name} ({regime.name})", seconds / floor, "floors", most=most, note=note)
        most_relays = _MOST_RELAYS.get(regime.name)
        results.add(f"service over relay ({regime.name})", relays, "relays", most=most_relays)


async def _ask_turn(process: ServerProcess, trace_id: str, *, every: int = 0) -> None:
    """A turn of one model call, and in the service of one more that calls a tool."""
    await ask(process, trace_id, deltas=DELTAS, every=every, calls=int(process.name == "service"))


async def _measure_turns(process: ServerProcess, regime: Regime, trace: Callable[[], str]) -> float:
    """CPU seconds of one turn."""
    before = process.cpu_seconds
    for _ in range(regime.turns):
        await _ask_turn(process, trace(), every=regime.every)
    return (process.cpu_seconds - before) / regime.turns


async def measure_first_text(results: Results, processes: Processes, rounds: int) -> None:
    """Wall time from the question to the first text, on traces that no process has seen: asked in
    the panel, which reads the history when it is opened and sends a question later, and at once."""
    for title, seconds in (("with the panel open", _PANEL_OPEN_SECONDS), ("asked at once", None)):
        results.add_title(f"time to the first text of a new trace, {title}, over the least one's")
        for spans, most in FIRST_TEXT:
            times: dict[str, list[float]] = {"service": [], "least assistant": []}
            for _ in range(rounds):
                for process in (processes.service, processes.least):
                    trace = new_trace(spans)
                    if seconds is not None and process is processes.service:
                        await open_panel(process, trace)
                        await asyncio.sleep(seconds)
                    asked = await ask(process, trace, deltas=10)
                    times[process.name].append(asked.first_text)
            ours, least = (min(each) for each in times.values())
            note = f"{ours * 1000:.0f} ms, least {least * 1000:.0f} ms"
            results.add(f"{spans:,} spans, {title}", ours / least, "times", most=most, note=note)
