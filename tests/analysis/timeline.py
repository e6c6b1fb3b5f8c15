"""Spans drawn as text, one character a millisecond.

    root  |----------|
    child    |--|

A bar runs from its first `|` to its last; without a last one (`|---`) the span never ended. The
indent of a line says whose child it is (two blanks a level). `name*` marks a span that failed.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.opik.records import ErrorInfo, Span, Trace

ZERO = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def at(milliseconds: float) -> datetime:
    return ZERO + timedelta(milliseconds=milliseconds)


def span(span_id: str, start: float = 0, end: float | None = 1, /, **more: Any) -> Span:
    """A span whose name is its id where no other is given, times in milliseconds."""
    record = {
        "id": span_id,
        "name": span_id,
        "trace_id": "t",
        "start_time": at(start),
        "end_time": None if end is None else at(end),
    }
    return Span(**(record | more))


def trace(name: str = "t", start: float = 0, end: float | None = 10, **more: Any) -> Trace:
    times: dict[str, Any] = {"start_time": at(start), "end_time": None if end is None else at(end)}
    if end is not None:
        times["duration"] = end - start
    return Trace(**({"id": "t", "name": name} | times | more))


def draw(picture: str, **more: dict[str, Any]) -> list[Span]:
    """The spans of a picture; `more` holds further fields by span name."""
    lines = [line for line in picture.splitlines() if line.strip()]
    margin = min(len(line) - len(line.lstrip()) for line in lines)
    zero = min(line.index("|") for line in lines)
    parents: list[str] = []
    spans = []
    for line in lines:
        level = (len(line) - len(line.lstrip()) - margin) // 2
        label = line[: line.index("|")].strip()
        name = label.rstrip("*")
        bar = line[zero:].rstrip()
        start, last = bar.index("|"), bar.rindex("|")
        ended = bar.endswith("|") and bar.count("|") > 1
        fields: dict[str, Any] = {"parent_span_id": parents[level - 1] if level else None}
        if label.endswith("*"):
            fields["error_info"] = ErrorInfo(exception_type="ValueError", message=f"{name} broke")
        parents[level:] = [name]
        spans.append(span(name, start, last if ended else None, **(fields | more.get(name, {}))))
    return spans
