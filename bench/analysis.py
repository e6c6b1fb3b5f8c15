"""What the rules cost on bodies of many shapes: `python -m bench.analysis`.

The first figure is the CPU of all rules as a multiple of `json.loads` over the bodies that they
read: what reading the bodies costs anyhow. The longest hold is the CPU that this process used
while another thread that wants to run every millisecond could not. Bounds stand beside the figures.
"""

import json
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from app.analysis.analyse_trace import analyse_trace
from app.opik.records import Span, Trace
from bench.backend import make_text

MOST_TIMES_LOADS = 3.0
MOST_SIBLINGS_SECONDS = 1.0
MOST_HOLD_MS = 50.0
MOST_LARGE_SECONDS = 5.0
_ZERO = datetime(2026, 1, 1, tzinfo=UTC)
_TICK = 0.001  # seconds between two runs of the other thread


def make_chat(rng: random.Random, i: int) -> tuple[Any, Any]:
    """A model call with a history and an answer."""
    history = [
        {"role": "user" if n % 2 else "assistant", "content": make_text(rng, 60)} for n in range(8)
    ]
    message = {"role": "assistant", "content": make_text(rng, 120)}
    return {"messages": history}, {"choices": [{"message": message, "finish_reason": "stop"}]}


def make_hits(rng: random.Random, i: int) -> tuple[Any, Any]:
    """A search with records."""
    hits = [
        {"id": n, "title": make_text(rng, 5), "text": make_text(rng, 80), "score": rng.random()}
        for n in range(12)
    ]
    return {"query": make_text(rng, 8), "k": 12}, {"hits": hits, "took_ms": 12}


def make_encoded(rng: random.Random, i: int) -> tuple[Any, Any]:
    """A tool whose result is JSON as text."""
    rows = [{"row": n, "name": make_text(rng, 3), "total": rng.random()} for n in range(60)]
    return {"sql": make_text(rng, 20)}, {"result": json.dumps({"rows": rows})}


def make_document(rng: random.Random, i: int) -> tuple[Any, Any]:
    """A page of text."""
    return {"url": f"https://example.com/{i}"}, {"output": make_text(rng, 2_000)}


SHAPES: tuple[tuple[str, str, Callable[[random.Random, int], tuple[Any, Any]]], ...] = (
    ("chat", "llm", make_chat),
    ("search", "tool", make_hits),
    ("query", "tool", make_encoded),
    ("fetch_page", "tool", make_document),
)


def build_trace(bodies: list[tuple[str, str, Any, Any]]) -> tuple[Trace, list[Span]]:
    """A root with one child for each name, type, input and output, one after another."""
    root = Span(id="root", trace_id="t", name="agent", type="general", start_time=_ZERO)
    spans = [root.model_copy(update={"end_time": _ZERO + timedelta(seconds=len(bodies) + 1)})]
    for i, (name, kind, given, output) in enumerate(bodies):
        start = _ZERO + timedelta(seconds=i)
        spans.append(
            Span(
                id=f"s{i:06}",
                trace_id="t",
                parent_span_id="root",
                name=name,
                type=kind,
                start_time=start,
                end_time=start + timedelta(milliseconds=900),
                input=given,
                output=output,
            )
        )
    return Trace(id="t", name="bench", start_time=_ZERO), spans


def measure_ratio(count: int = 100) -> tuple[float, float]:
    """CPU of the rules over that of `json.loads` of the bodies, and the bodies' size in MB."""
    rng = random.Random(1)
    bodies = []
    for i in range(count):
        name, kind, make = SHAPES[i % len(SHAPES)]
        bodies.append((name, kind, *make(rng, i)))
    texts = [json.dumps([given, output]) for _, _, given, output in bodies]
    trace, spans = build_trace(bodies)
    analyse_trace(trace, spans)  # patterns and tables are made at first use
    loads = min(_cpu_seconds(lambda: [json.loads(text) for text in texts]) for _ in range(3))
    rules = min(_cpu_seconds(lambda: analyse_trace(trace, spans)) for _ in range(3))
    return rules / loads, sum(map(len, texts)) / 1e6


def measure_siblings(count: int = 140) -> float:
    """CPU seconds of the rules on calls of one name with 10 KB of input and output each."""
    rng = random.Random(2)
    bodies = [
        (
            "fetch_page",
            "tool",
            {"page": i, "context": make_text(rng, 1_600)},
            {"parts": [make_text(rng, 40) for _ in range(40)]},
        )
        for i in range(count)
    ]
    trace, spans = build_trace(bodies)
    return _cpu_seconds(lambda: analyse_trace(trace, spans))


def large_shapes() -> Iterator[tuple[str, list[tuple[str, str, Any, Any]]]]:
    """Bodies that take long where something is done for each of their items."""
    yield "one text of 5 MB", [("read", "tool", {"q": 1}, {"text": "lorem ipsum " * 420_000})]
    yield "3,000,000 numbers", [("embed", "tool", {"q": 1}, {"vector": [0.25] * 3_000_000})]
    numbers = [n / 7 for n in range(3_000)]
    yield (
        "100 × 3,000 numbers",
        [("embed", "tool", {"i": i}, {"vector": numbers}) for i in range(100)],
    )
    small = [{"id": n, "ok": True, "name": f"item {n}"} for n in range(900)]
    yield "100 × 900 objects", [("list", "tool", {"i": i}, {"rows": small}) for i in range(100)]


@contextmanager
def watch_holds() -> Iterator[list[float]]:
    """Collects the longest time, in seconds of CPU, for which another thread could not run. The
    CPU of this process counts, so that other programs on the machine do not."""
    longest = [0.0]
    ended = threading.Event()

    def tick() -> None:
        last = time.process_time()
        while not ended.is_set():
            time.sleep(_TICK)
            now = time.process_time()
            longest[0] = max(longest[0], now - last)
            last = now

    watcher = threading.Thread(target=tick, daemon=True)
    watcher.start()
    yield longest
    ended.set()
    watcher.join()


def _cpu_seconds(run: Callable[[], object]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def main() -> None:
    sys.setswitchinterval(0.005)
    ratio, megabytes = measure_ratio()
    print(
        f"rules: {ratio:.1f} times json.loads of {megabytes:.1f} MB of bodies"
        f" (bound {MOST_TIMES_LOADS:.0f})"
    )
    print(
        f"140 siblings with 10 KB: {measure_siblings():.2f} s of CPU"
        f" (bound {MOST_SIBLINGS_SECONDS:.0f} s)"
    )
    for name, bodies in large_shapes():
        trace, spans = build_trace(bodies)
        with watch_holds() as longest:
            seconds = _cpu_seconds(lambda: analyse_trace(trace, spans))  # noqa: B023
        print(
            f"{name}: {seconds:.2f} s of CPU (bound {MOST_LARGE_SECONDS:.0f} s), longest hold"
            f" {longest[0] * 1_000:.0f} ms (bound {MOST_HOLD_MS:.0f} ms)"
        )


if __name__ == "__main__":
    main()
