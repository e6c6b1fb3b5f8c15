"""What an answer costs the service, and how late it is: `python -m bench.streams`.

Side by side in one run: reading and writing the same frames as JSON and nothing else; a bare relay
on the same stack; the service, which loads a trace, keeps a log, and streams. Its database is a
private MariaDB or MySQL server where there is one, else SQLite.
"""

import argparse
import asyncio
import json
import re
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from uuid import UUID

from bench.fast_backend import frames
from testkit import databases
from testkit.processes import SERVICE, UNLIMITED, ServerProcess

_DELTAS = 300
_NUMBER = re.compile(rb"(?<!\d)\d{17}(?!\d)")
_PER_SECOND = 20
_STARTS_A_SECOND = 25
_numbers = count(1)

# Measured at the service that the panel was first written for, with the same kind of streams.
_FIRST = {"JSON floor": 135, "relay": 10, "streams": 10}


@dataclass
class MeasuredProcesses:
    """The processes under test."""

    backend: ServerProcess
    relay: ServerProcess
    service: ServerProcess


async def ask(
    process: ServerProcess, deltas: int, every: int, lags: Callable[[int], None] | None = None
) -> None:
    """One answer, read to its end, about its own trace; returns the nanoseconds of each lag."""
    path = f"/trace-analyzer/session/{UUID(int=(7 << 76) + (next(_numbers) << 16))}"
    body = json.dumps({"message": f"deltas={deltas} every={every}"}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode() + body)
    whole, last = False, b""
    async for line in reader:
        last = line if line.startswith(b"data: ") else last
        whole = whole or b'"partial":false' in line or b"[DONE]" in line
        if lags and not whole:
            now = time.monotonic_ns()
            for number in _NUMBER.findall(line):
                lags(now - int(number))
    writer.close()
    if not whole:
        raise RuntimeError(f"an answer of {process.name} broke off: {last.decode()}")


def json_floor(turns: int) -> float:
    """CPU seconds of one turn's frames, read and written as JSON."""
    stream = [frames(_DELTAS) for _ in range(turns)]
    began = time.process_time()
    for turn in stream:
        for frame in turn[:-1]:
            b"data: %s\n\n" % json.dumps(json.loads(frame[6:])).encode()
    return (time.process_time() - began) / turns


async def cpu_per_turn(process: ServerProcess, turns: int, every: int) -> float:
    """CPU seconds of one turn with deltas `every` so many milliseconds."""
    for _ in range(3):
        await ask(process, _DELTAS, every)
    before = process.cpu_seconds
    for _ in range(turns):
        await ask(process, _DELTAS, every)
    return (process.cpu_seconds - before) / turns


async def side_by_side(seats: MeasuredProcesses, turns: int) -> None:
    floor = json_floor(turns * 5)
    print(f"\nCPU of a turn of {_DELTAS} deltas; JSON floor {floor * 1000:.2f} ms")
    print(f"{'deltas':>12} {'relay':>9} {'service':>9} {'of floor':>9} {'of relay':>9}")
    for every, name in ((0, "at once"), (1, "1 ms apart")):
        relay = await cpu_per_turn(seats.relay, turns, every)
        service = await cpu_per_turn(seats.service, turns, every)
        print(
            f"{name:>12} {relay * 1000:>6.1f} ms {service * 1000:>6.1f} ms"
            f" {service / floor:>8.1f}× {service / relay:>8.1f}×"
        )
    print(f"stated of the first service: {_FIRST['JSON floor']}× and {_FIRST['relay']}×")


async def at_once(process: ServerProcess, streams: int, seconds: float) -> None:
    """The lag of deltas of so many streams, from the model's send to the client's receipt.

    Also which share of the deltas came while all streams were to run, and how many answers failed.
    """
    lags: list[int] = []
    failed = 0
    every = 1000 // _PER_SECOND
    starting = streams / _STARTS_A_SECOND
    deltas = round((starting + 1 + seconds) * _PER_SECOND)

    async def client() -> None:
        nonlocal failed
        try:
            await ask(process, deltas, every, lags.append)
        except RuntimeError:
            failed += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(streams):
            group.create_task(client())
            await asyncio.sleep(1 / _STARTS_A_SECOND)
        await asyncio.sleep(1)
        lags.clear()
        cpu, began = process.cpu_seconds, time.monotonic()
        await asyncio.sleep(seconds)
        seen, wall = list(lags), time.monotonic() - began
        share = (process.cpu_seconds - cpu) / wall
    p99 = quantiles(seen, n=100)[98]
    came = len(seen) / (streams * _PER_SECOND * wall)
    print(
        f"{process.name:>9} {streams:>8} {median(seen) / 1e6:>8.1f} ms {p99 / 1e6:>8.1f} ms"
        f" {share:>7.0%} {came:>9.0%} {failed:>7}"
    )


async def turns_per_second(process: ServerProcess, seconds: float, clients: int = 16) -> float:
    """Short turns of ten deltas, one after the other by so many clients."""
    done = 0
    until = time.monotonic() + seconds

    async def client() -> None:
        nonlocal done
        while time.monotonic() < until:
            await ask(process, 10, 0)
            done += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client())
    return done / seconds


async def _start_process(stack: AsyncExitStack, process: ServerProcess) -> ServerProcess:
    await process.start()
    stack.push_async_callback(process.stop)
    return process


def _choose_storage(stack: AsyncExitStack, folder: Path) -> dict[str, str]:
    try:
        server = databases.start_private_server(folder / "server")
    except databases.NoDatabaseServer as reason:
        print(f"on SQLite, since there is no database server: {reason}")
        return {}
    stack.callback(server.stop)
    print(f"on {Path(server.binary).name}")
    return {"SESSION_SERVICE_URI": databases.create_database(server.uri("information_schema"))}


async def run(turns: int, seconds: float) -> None:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        backend = ServerProcess(
            "-m", "bench.fast_backend", name="backend", folder=folder, settings={}
        )
        await _start_process(stack, backend)
        where = {"AGENT_OPIK_URL": backend.url}
        storage = await asyncio.to_thread(_choose_storage, stack, folder)
        relay = await _start_process(
            stack, ServerProcess("-m", "bench.relay", name="relay", folder=folder, settings=where)
        )
        limits = {name.upper(): value for name, value in UNLIMITED.items()}
        service = ServerProcess(
            *SERVICE,
            name="service",
            folder=folder,
            settings={"LOG_FORMAT": "json", **where, **limits, **storage},
        )
        for what in ("first start, making its schema", "start"):
            began = time.monotonic()
            await service.start()
            print(f"{what:31} {time.monotonic() - began:.2f} s, CPU {service.cpu_seconds:.2f} s")
            if what != "start":
                await service.stop()
        stack.push_async_callback(service.stop)
        print(f"memory of the idle service      {service.megabytes:.1f} MB")
        await side_by_side(MeasuredProcesses(backend, relay, service), turns)
        print(f"\nstreams of {_PER_SECOND} deltas a second; lag from the model to the client")
        columns = f"{'median':>11} {'p99':>11} {'CPU':>7} {'came':>9} {'failed':>7}"
        print(f"{'':>9} {'at once':>8} {columns}")
        for streams in (1, 100, 250):
            for process in (relay, service):
                await at_once(process, streams, seconds)
        print(f"stated of the first service: full at {_FIRST['streams']} streams")
        rate = await turns_per_second(service, seconds)
        print(f"\nturns a second {rate:.0f}; {service.megabytes:.1f} MB after all this")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=20, help="turns for each figure of CPU")
    parser.add_argument("--seconds", type=float, default=8, help="for each figure of lag")
    arguments = parser.parse_args()
    asyncio.run(run(arguments.turns, arguments.seconds))


if __name__ == "__main__":
    main()
