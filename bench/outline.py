"""Size, time and memory of what a model first reads of a trace: `python -m bench.outline`.

Spans alone show in the columns, the loading does not. The ratios say how each grows when the trace
grows tenfold: 10 is linear, 1 does not grow.
"""

import argparse
import json
import random
import resource
import time
import tracemalloc
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from app.agent.prompt import SYSTEM_PROMPT, DataFence
from app.analysis.analyse_trace import add_bodies, measure_trace
from app.analysis.body_selection import select_bodies
from app.analysis.text.outline import build_outline
from app.backend_http import encode_json
from app.chat.native_tools import build_native_request
from app.messages import System, User
from app.opik.records import ErrorInfo, Span, Trace
from app.token_estimate import estimate_tokens
from app.tools import TOOLS

SIZES = (10, 100, 1_000, 10_000, 100_000)
_ZERO = datetime(2026, 1, 1, tzinfo=UTC)
_NAMES = ("agent", "plan", "search", "rerank", "chat_completion_create", "parse")


@dataclass(frozen=True)
class OutlineFigures:
    spans: int
    json_kilobytes: float
    outline_tokens: int
    first_request_kilobytes: float
    seconds: float
    megabytes: float


def make_spans(count: int) -> list[Span]:
    """A tree of `count` spans with model calls, one in a hundred of them failed."""
    rng = random.Random(1)
    spans = []
    for i in range(count):
        name = _NAMES[0] if i == 0 else rng.choice(_NAMES)
        start = _ZERO + timedelta(milliseconds=i * 7)
        call = name == "chat_completion_create"
        spans.append(
            Span(
                id=f"span-{i}",
                trace_id="trace",
                name=name,
                type="llm" if call else "general",
                parent_span_id=f"span-{rng.randint(max(0, i // 5 - 3), i // 5)}" if i else None,
                start_time=start,
                end_time=start + timedelta(milliseconds=rng.uniform(1, 60)),
                model="gpt-4.1" if call else None,
                usage={"prompt_tokens": 900, "completion_tokens": 80} if call else {},
                input={"question": "How slow is it? " * 12},
                output={"answer": f"As slow as {i} snails. " * 12},
                error_info=ErrorInfo(exception_type="OSError", message="gone")
                if i % 100 == 99
                else None,
            )
        )
    return spans


def measure(count: int) -> OutlineFigures:
    spans = make_spans(count)
    size = sum(len(json.dumps(span.model_dump(mode="json"))) for span in spans) / 1_024
    trace = Trace(id="trace", name="bench", span_count=count)
    known: dict[str, str] = {}
    started = time.process_time()
    text = _build_outline(trace, spans, known)
    seconds = time.process_time() - started
    tracemalloc.start()
    _build_outline(trace, spans, known)
    megabytes = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    kilobytes = len(_first_request(text)) / 1_024
    return OutlineFigures(count, size, estimate_tokens(text), kilobytes, seconds, megabytes)


def _first_request(outline: str) -> bytes:
    """What goes to the model first: instructions, outline, a question, the tools."""
    messages = [
        System(SYSTEM_PROMPT),
        DataFence("0" * 16).build_outline_message(outline),
        User("Why is it slow?"),
    ]
    return encode_json(build_native_request(messages, [tool.spec for tool in TOOLS]))


def _build_outline(trace: Trace, spans: list[Span], known: dict[str, str]) -> str:
    measured = measure_trace(trace, spans)
    read = set(select_bodies(measured))
    analysis = add_bodies(measured, (span for span in spans if span.id in read))
    return build_outline(
        analysis, alias=lambda span_id: known.setdefault(span_id, f"s{len(known) + 1}")
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=SIZES[-1], help="the largest trace")
    most = parser.parse_args().most
    print(f"{'spans':>8} {'JSON KB':>10} {'tokens':>7} {'request KB':>11} {'CPU s':>8} {'MB':>7}")
    rows: list[OutlineFigures] = []
    for size in (size for size in SIZES if size <= most):
        row = measure(size)
        rows.append(row)
        print(
            f"{row.spans:8,} {row.json_kilobytes:10,.0f} {row.outline_tokens:7,}"
            f" {row.first_request_kilobytes:11.1f} {row.seconds:8.3f} {row.megabytes:7.1f}"
        )
    for a, b in pairwise(rows):
        print(
            f"{a.spans:,} → {b.spans:,} spans: JSON ×{b.json_kilobytes / a.json_kilobytes:.1f},"
            f" outline ×{b.outline_tokens / a.outline_tokens:.1f},"
            f" request ×{b.first_request_kilobytes / a.first_request_kilobytes:.1f},"
            f" CPU ×{b.seconds / a.seconds:.1f}, memory ×{b.megabytes / a.megabytes:.1f}"
        )
    last = rows[-1]
    share = last.first_request_kilobytes / last.json_kilobytes
    print(f"at {last.spans:,} spans the first request is {share:.4%} of the spans' JSON")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_024
    print(f"most memory of the process: {peak} MB")


if __name__ == "__main__":
    main()
