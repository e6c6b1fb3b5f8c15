"""Asks a process under test, and reads what it streams."""

import asyncio
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from bench.backend import make_question, make_trace_id
from testkit.processes import ServerProcess

_NUMBER = re.compile(rb"(?<!\d)\d{17}(?!\d)")
_trace_numbers = count(1)


def new_trace(spans: int) -> str:
    """The id of a trace that no process has seen."""
    return make_trace_id(spans, next(_trace_numbers))


@dataclass(frozen=True, slots=True)
class Asked:
    """Seconds from the request to the first text and to the end."""

    first_text: float
    whole: float


async def open_panel(process: ServerProcess, trace_id: str) -> None:
    """What Opik's panel asks for when it is opened on a trace: its history."""
    reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
    head = f"GET /trace-analyzer/session/{trace_id} HTTP/1.1\r\nHost: bench\r\n"
    writer.write(f"{head}Connection: close\r\n\r\n".encode())
    await reader.read()
    writer.close()


async def ask(
    process: ServerProcess,
    trace_id: str,
    *,
    deltas: int,
    every: int = 0,
    calls: int = 0,
    text: int = 0,
    on_lag: Callable[[int], None] | None = None,
) -> Asked:
    """One question, its answer read to the end; `on_lag` gets the nanoseconds from the model's
    sending of each delta to its receipt. Raises RuntimeError where the answer does not end well."""
    body = json.dumps(
        {"message": make_question(deltas, every=every, calls=calls, text=text)}
    ).encode()
    head = (
        f"POST /trace-analyzer/session/{trace_id} HTTP/1.1\r\nHost: bench\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
    began = time.monotonic()
    writer.write(head.encode() + body)
    first, texts, last = 0.0, 0, b""
    async for line in reader:
        last = line if line.startswith(b"data: ") else last
        is_delta = b'"partial":false' not in line
        numbers = _NUMBER.findall(line) if is_delta else []
        if numbers and not texts:
            first = time.monotonic() - began
        texts += len(numbers)
        if on_lag:
            now = time.monotonic_ns()
            for number in numbers:
                on_lag(now - int(number))
    writer.close()
    if texts < deltas:
        raise RuntimeError(f"{process.name} gave {texts} deltas of {deltas}: {last.decode()}")
    return Asked(first, time.monotonic() - began)
