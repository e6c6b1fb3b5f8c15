"""What an answer costs, how soon it begins, and what the service holds: `python -m bench`.

Side by side in one run, alternating: the service, a relay that parses and writes each frame of one
chat call, and the least assistant, which reads a trace and asks the model, without a database or an
analysis. Limits of users are off. Prints each figure with its aim; the exit status is 1 where one
is missed.
"""

import argparse
import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from bench.counts import measure_counts
from bench.footprint import (
    COMPILED,
    measure_history_stall,
    measure_memory,
    measure_stall,
    measure_start,
)
from bench.results import Results
from bench.streams import measure_streams
from bench.turns import Processes, measure_cpu, measure_first_text
from testkit.processes import SERVICE, UNLIMITED, ServerProcess, running_process

PARTS = ("start", "first-text", "cpu", "streams", "counts", "stall", "history", "memory")


async def run(parts: list[str], rounds: int, seconds: float) -> int:
    """The exit status: 1 where an aim was missed."""
    results = Results()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))

        async def start_process(
            name: str, *arguments: str, start: bool = True, **settings: str
        ) -> ServerProcess:
            process = ServerProcess(*arguments, name=name, folder=folder, settings=settings)
            return await stack.enter_async_context(running_process(process)) if start else process

        backend = await start_process("backend", "-m", "bench.backend")
        where = {"AGENT_OPIK_URL": backend.url}
        relay = await start_process("relay", "-m", "bench.relay", **where)
        least = await start_process("least assistant", "-m", "bench.least_assistant", **where)
        limits = {name.upper(): value for name, value in UNLIMITED.items()}
        settings = {"LOG_FORMAT": "json", **where, **limits, **COMPILED}
        service = await start_process("service", *SERVICE, **settings)
        processes = Processes(service, relay, least)
        if "start" in parts:
            await measure_start(results, service, folder)
        if "first-text" in parts:
            await measure_first_text(results, processes, rounds + 2)
        if "cpu" in parts:
            await measure_cpu(results, processes, rounds)
        if "streams" in parts:
            await measure_streams(results, processes, seconds)
        if "counts" in parts:
            await measure_counts(results)
        if "stall" in parts:
            await measure_stall(results, service)
        if "history" in parts:
            await measure_history_stall(results, service)
        if "memory" in parts:
            await measure_memory(results, service)
    for name in results.missed:
        print(f"missed: {name}")
    return int(bool(results.missed))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--rounds", type=int, default=3, help="of alternating turns")
    parser.add_argument("--seconds", type=float, default=8, help="for which streams are measured")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    parts = arguments.parts or list(PARTS)
    sys.exit(asyncio.run(run(parts, arguments.rounds, arguments.seconds)))


if __name__ == "__main__":
    main()
