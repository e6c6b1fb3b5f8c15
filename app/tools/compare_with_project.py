"""The tool that tells what is usual for a name in the project, and how this trace compares."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import anyio
from pydantic import Field

from app.agent.toolbox import tool
from app.analysis.baseline import (
    FEW_TRACES,
    Baseline,
    BaselineWindow,
    compute_baseline,
    format_milliseconds,
    format_quantiles,
)
from app.analysis.text.one_line import format_count, format_percent, format_usd, one_line
from app.errors import OpikAssistError, ToolFailed
from app.opik.records import Quantiles, Trace
from app.tools.trace.trace_context import TraceContext

_SAMPLE = 500
"""Traces that are read one by one; where there are more, the backend's statistics are asked."""
_STRAY = 1.2
"""Records for each trace that fits, from which on the backend did not choose them itself."""
_STATS_SECONDS = 10


@dataclass(frozen=True, slots=True)
class _Measure:
    """Something that every trace has: its name, its value, and how it is written."""

    name: str
    of: Callable[[Trace], float | None]
    write: Callable[[float], str]


_MEASURES = (
    _Measure("duration", lambda trace: trace.duration, format_milliseconds),
    _Measure("cost", lambda trace: trace.total_estimated_cost, format_usd),
    _Measure("tokens", lambda trace: trace.usage.get("total_tokens"), lambda n: f"{n:,.0f}"),
)


@tool(display=lambda *_, **__: "Reading what is usual in this project")
async def compare_with_project(
    context: TraceContext,
    name: Annotated[str | None, Field(description="Another name.")] = None,
    days: Annotated[int, Field(ge=1, le=90, description="Days back.")] = 7,
) -> str:
    """What is usual for traces of this name in the project (percentiles of time, cost, tokens;
    errors), and how this one compares."""
    trace = context.trace
    wanted = name or trace.name
    if not wanted:
        raise ToolFailed("This trace has no name; say which name to look for.")
    window = context.project.window(days)
    sample = await context.project.named(wanted, window, enough=_SAMPLE)
    told: Baseline | None = None
    notes: list[str] = []
    if not sample.whole and sample.looked_at > _STRAY * len(sample.traces):
        notes = ["This Opik does not choose by name, so its statistics would be of all traces."]
    elif not sample.whole:
        told, notes = await _statistics(context, wanted, window)
    mine = compute_baseline(sample.traces, window)
    about = f"named {one_line(wanted, limit=80)} in this project, {window.text()}"
    if all(each.id == trace.id for each in sample.traces) and (told is None or told.count <= 1):
        other = "no other trace" if wanted == trace.name else "no trace"
        return "\n".join([f"There is {other} {about}.", *notes])
    if not sample.whole:
        which = f"the newest {format_count(mine.count, 'trace')} that could be read"
        notes.append(f"Of {which}: {'cost, tokens and shares' if told else 'all of this'}.")
    here = trace if wanted == trace.name else None
    head = _head(told or mine, about, unfinished=_unfinished(sample.traces))
    return "\n".join([head, *_lines(told, mine, sample.traces, here), *notes])


async def _statistics(
    context: TraceContext, name: str, window: BaselineWindow
) -> tuple[Baseline | None, list[str]]:
    """The backend's statistics, and what they lack in words."""
    answer = None
    lack = "No statistics of Opik's could be had for them."
    with anyio.move_on_after(_STATS_SECONDS) as scope:
        try:
            answer = await context.project.usual(name, window)
        except OpikAssistError as error:
            lack = f"Opik's statistics could not be read: {error.message}"
    if answer is None:
        return None, ["Opik's statistics did not come in time." if scope.cancelled_caught else lack]
    usual, programs_only = answer
    return usual, [] if programs_only else ["Runs of experiments and evaluators may be counted in."]


def _unfinished(sample: Sequence[Trace]) -> int:
    return sum(1 for each in sample if each.end_time is None)


def _head(usual: Baseline, about: str, *, unfinished: int) -> str:
    parts = [f"{format_count(usual.count, 'trace')} {about}"]
    if usual.failed is not None:
        parts.append(f"{usual.failed:,} failed ({format_percent(usual.failed, usual.count)})")
    if unfinished:
        parts.append(f"{unfinished:,} not finished")
    if usual.count < FEW_TRACES:
        parts.append("so few say little")
    return "; ".join(parts)


def _lines(
    told: Baseline | None, mine: Baseline, sample: Sequence[Trace], here: Trace | None
) -> list[str]:
    lines = []
    for measure in _MEASURES:
        by_opik: Quantiles | None = getattr(told, measure.name, None)
        values: Quantiles | None = by_opik or getattr(mine, measure.name)
        if values is None:
            lines.append(f"{measure.name}: not recorded")
            continue
        line = f"{measure.name}: {format_quantiles(values, measure.write)}"
        known = sum(1 for each in sample if measure.of(each) is not None)
        if by_opik is None and known < len(sample):
            line += f" (of the {known:,} that have it)"
        lines.append(line + (_place(measure, here, sample) if here else ""))
    if here and here.has_error:
        lines.append("This trace failed.")
    return lines


def _place(measure: _Measure, here: Trace, sample: Sequence[Trace]) -> str:
    """This trace's value, and how many of the others it exceeds."""
    value = measure.of(here)
    if value is None:
        return "; not recorded of this trace"
    known = [measure.of(each) for each in sample if each.id != here.id]
    others = [each for each in known if each is not None]
    text = f"; this trace {measure.write(value)}"
    if not others:
        return text
    below = sum(1 for each in others if each < value)
    return f"{text}, more than {format_percent(below, len(others))} of the others"
