"""Usual figures of the traces of one name, from the backend's statistics or from the traces."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.analysis.text.one_line import format_duration
from app.opik.records import Quantiles, Stats, Trace

FEW_TRACES = 20  # with fewer, percentiles mean little: no findings, and the texts say so


@dataclass(frozen=True, slots=True)
class BaselineWindow:
    """From when to when traces started, UTC."""

    since: datetime
    until: datetime

    def text(self) -> str:
        return f"{self.since:%Y-%m-%d} to {self.until:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Baseline:
    """Figures of the traces of one name in one window; None for what is not known.

    Durations are milliseconds, costs USD. `failed` counts traces with an error.
    """

    window: BaselineWindow
    count: int
    failed: int | None = None
    duration: Quantiles | None = None
    cost: Quantiles | None = None
    tokens: Quantiles | None = None
    mean_cost: float | None = None


def read_baseline(stats: Stats, window: BaselineWindow) -> Baseline | None:
    """Reads the backend's statistics; None where they have no count of traces."""
    count, failed = stats.number("trace_count"), stats.number("error_count")
    if count is None:
        return None
    return Baseline(
        window,
        int(count),
        None if failed is None else int(failed),
        duration=stats.quantiles("duration"),
        cost=stats.quantiles("total_estimated_cost"),
        tokens=stats.quantiles("usage.total_tokens"),
        mean_cost=stats.number("total_estimated_cost"),
    )


def compute_baseline(traces: Sequence[Trace], window: BaselineWindow) -> Baseline:
    """Computes the same from the traces themselves."""
    return Baseline(
        window,
        len(traces),
        sum(1 for each in traces if each.has_error),
        duration=compute_quantiles(each.duration for each in traces),
        cost=compute_quantiles(each.total_estimated_cost for each in traces),
        tokens=compute_quantiles(each.usage.get("total_tokens") for each in traces),
    )


def compute_quantiles(values: Iterable[float | None]) -> Quantiles | None:
    """Percentiles, interpolated as the backend does; None without any valid value."""
    known = sorted(value for value in values if value is not None and 0 <= value < math.inf)
    if not known:
        return None
    return Quantiles(
        p50=_interpolate(known, 0.5), p90=_interpolate(known, 0.9), p99=_interpolate(known, 0.99)
    )


def _interpolate(known: Sequence[float], share: float) -> float:
    place = share * (len(known) - 1)
    below = int(place)
    above = min(below + 1, len(known) - 1)
    between = known[below] + (known[above] - known[below]) * (place - below)
    return min(between, known[above])


def format_quantiles(values: Quantiles, write: Callable[[float], str]) -> str:
    """`p50 1.20 s, p90 2.10 s, p99 8.00 s`."""
    return f"p50 {write(values.p50)}, p90 {write(values.p90)}, p99 {write(values.p99)}"


def format_milliseconds(value: float) -> str:
    return format_duration(value * 1_000)
