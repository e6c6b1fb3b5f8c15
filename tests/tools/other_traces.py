"""Other runs of the trace that a harness has opened."""

from typing import Any
from uuid import UUID

from testkit.service import TRACE_ID
from tests.tools.trace_harness import TraceHarness, a_span, a_trace

ERROR = {"exception_type": "E", "message": "no"}


def run_id(number: int) -> str:
    return str(UUID(int=UUID(TRACE_ID).int + number * 65_536 * 65_536))


def a_run(number: int, *, day: int = 19, seconds: int = 1, **more: Any) -> dict[str, Any]:
    """The n-th other trace of the name, later than those before it."""
    minute = f"2026-11-{day:02d}T{number // 60:02d}:{number % 60:02d}"
    return a_trace(
        id=run_id(number),
        start_time=f"{minute}:00Z",
        end_time=f"{minute}:{seconds:02d}Z",
        **({"source": "sdk"} | more),
    )


def steps_of(run: int, *names: str, **more: Any) -> list[dict[str, Any]]:
    """Steps of a run below one root, one after another."""
    return [
        {
            **a_span(10_000 * run + n, 10_000 * run + 1 if n > 1 else None),
            "trace_id": run_id(run),
            "name": name,
            **more.get(name, {}),
        }
        for n, name in enumerate(names, 1)
    ]


def put(harness: TraceHarness, *runs: dict[str, Any], spans: Any = ()) -> None:
    harness.standin.records.put_traces(runs)
    if spans:
        harness.standin.records.put_spans(spans)


def timed_run(number: int, *, milliseconds: int = 100, **more: Any) -> dict[str, Any]:
    run = str(UUID(int=UUID(TRACE_ID).int - number * 65_536))
    end = f"2026-11-19T10:00:{milliseconds // 1000:02d}.{milliseconds % 1000:03d}Z"
    times = {"start_time": "2026-11-19T10:00:00Z", "end_time": end}
    return a_trace(**({"id": run, "source": "sdk"} | times | more))


def put_timed_runs(harness: TraceHarness, count: int, **more: Any) -> None:
    """Runs of 10, 20, 30 ... ms."""
    runs = [timed_run(n, milliseconds=10 * n, **more) for n in range(1, count + 1)]
    for start in range(0, count, 1_000):
        harness.standin.records.put_traces(runs[start : start + 1_000])
