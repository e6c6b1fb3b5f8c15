"""The tool that shows the usual figures of a name in the project, and how this trace compares."""

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

_SAMPLE = 500  # traces read one by one, in a second or two; more are left to the statistics
_STRAY = 1.2  # more records than this for each fitting trace: the backend ignored the filters
_STATS_SECONDS = 10  # A tool call has 30 s, and the traces are read first, for at most 10


@dataclass(frozen=True, slots=True)
class _Measure:
    """A figure of a trace: its name, how it is read and how it is written."""

    name: str
    read: Callable[[Trace], float | None]
    write: Callable[[float], str]


_MEASURES = (
    _Measure("duration", lambda trace: trace.duration, format_milliseconds),
    _Measure("cost", lambda trace: trace.total_estimated_cost, format_usd),
    _Measure("tokens", lambda trace: trace.usage.get("total_tokens"), lambda n: f"{n:,.0f}"),
)


@tool(display=lambda *_, **__: "Reading what is usual in this project")
async def compare_with_project(
    context: TraceContext,
    name: Annotated[str | None, Field(description="Another trace name.")] = None,
    days: Annotated[int, Field(ge=1, le=90, description="Days back.")] = 7,
) -> str:
    """What is usual for traces of this name in the project, beyond the outline's baseline of times:
    percentiles of cost and tokens, errors, and how this one compares."""
    trace = context.trace
    wanted = name or trace.name
    if not wanted:
        raise ToolFailed("This trace has no name; give one in `name`.")
    window = context.project.make_window(days)
    sample = await context.project.list_named(wanted, window, enough=_SAMPLE)
    statistics: Baseline | None = None
    notes: list[str] = []
    if not sample.complete and sample.records > _STRAY * len(sample.traces):
        notes = ["This Opik cannot filter by name; its statistics would cover all traces."]
    elif not sample.complete:
        statistics, notes = await _read_statistics(context, wanted, window)
    sampled = compute_baseline(sample.traces, window)
    about = f"named {one_line(wanted, limit=80)} in this project, {window.text()}"
    if all(each.id == trace.id for each in sample.traces) and (
        statistics is None or statistics.count <= 1
    ):
        other = "no other trace" if wanted == trace.name else "no trace"
        return "\n".join([f"There is {other} {about}.", *notes])
    if not sample.complete:
        which = f"the newest {format_count(sampled.count, 'trace')} that could be read"
        based = "Cost, tokens and shares are" if statistics else "All of this is"
        notes.append(f"{based} based on {which}.")
    here = trace if wanted == trace.name else None
    head = _format_head(statistics or sampled, about, unfinished=_count_unfinished(sample.traces))
    return "\n".join([head, *_format_measures(statistics, sampled, sample.traces, here), *notes])


async def _read_statistics(
    context: TraceContext, name: str, window: BaselineWindow
) -> tuple[Baseline | None, list[str]]:
    """The backend's statistics, and notes on what is missing or mixed in."""
    answer = None
    lack = "Opik has no statistics for them."
    with anyio.move_on_after(_STATS_SECONDS) as scope:
        try:
            answer = await context.project.read_baseline(name, window)
        except OpikAssistError as error:
            lack = f"Opik's statistics could not be read: {error.message}"
    if answer is None:
        return None, [
            "Opik's statistics did not arrive in time." if scope.cancelled_caught else lack
        ]
    usual, programs_only = answer
    return usual, [] if programs_only else ["Runs of experiments and evaluators may be included."]


def _count_unfinished(sample: Sequence[Trace]) -> int:
    return sum(1 for each in sample if each.end_time is None)


def _format_head(usual: Baseline, about: str, *, unfinished: int) -> str:
    parts = [f"{format_count(usual.count, 'trace')} {about}"]
    if usual.failed is not None:
        parts.append(f"{usual.failed:,} failed ({format_percent(usual.failed, usual.count)})")
    if unfinished:
        parts.append(f"{unfinished:,} not finished")
    if usual.count < FEW_TRACES:
        parts.append("too few to conclude from")
    return "; ".join(parts)


def _format_measures(
    statistics: Baseline | None, sampled: Baseline, sample: Sequence[Trace], here: Trace | None
) -> list[str]:
    lines = []
    for measure in _MEASURES:
        by_opik: Quantiles | None = getattr(statistics, measure.name, None)
        values: Quantiles | None = by_opik or getattr(sampled, measure.name)
        if values is None:
            lines.append(f"{measure.name}: not recorded")
            continue
        line = f"{measure.name}: {format_quantiles(values, measure.write)}"
        known = sum(1 for each in sample if measure.read(each) is not None)
        if by_opik is None and known < len(sample):
            line += f" (of the {known:,} that have it)"
        lines.append(line + (_format_place(measure, here, sample) if here else ""))
    if here and here.has_error:
        lines.append("This trace failed.")
    return lines


def _format_place(measure: _Measure, here: Trace, sample: Sequence[Trace]) -> str:
    """This trace's value, and how many of the others it exceeds."""
    value = measure.read(here)
    if value is None:
        return "; not recorded of this trace"
    known = [measure.read(each) for each in sample if each.id != here.id]
    others = [each for each in known if each is not None]
    text = f"; this trace {measure.write(value)}"
    if not others:
        return text
    below = sum(1 for each in others if each < value)
    return f"{text}, more than {format_percent(below, len(others))} of the others"
