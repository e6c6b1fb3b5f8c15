"""The tools that find other traces of the same name, and compare one of them with this trace."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field

from app.agent.toolbox import tool
from app.analysis.baseline import BaselineWindow, compute_quantiles
from app.analysis.text.one_line import format_count, one_line
from app.analysis.text.trace_diff import ComparedSide, format_difference
from app.errors import ToolFailed
from app.opik.client import Filter
from app.opik.records import Trace
from app.tools.excerpts import fit_lines_with_notes
from app.tools.trace.trace_context import TraceContext, to_plain_name
from app.tools.trace_facts import assign_trace_alias, format_start, format_trace_facts

Outcome = Literal["healthy", "failed", "slow"]

DAYS = 30  # before the trace, searched: rare failures need more than the week of averages
_SHOWN = 8  # traces, of which the model compares one or two
_CHOSEN_FROM = 60  # traces without an error that the most ordinary are of: enough for a median
_LOOKED_THROUGH = 500  # newest traces sorted here where the backend cannot; read in a second or two
_FAR = 2.0  # times the median from which on a duration or a cost is not ordinary
_FILTERS: Mapping[str, Filter] = {
    "healthy": {"field": "error_info", "operator": "is_empty", "value": ""},
    "failed": {"field": "error_info", "operator": "is_not_empty", "value": ""},
}
_FITS: Mapping[str, Callable[[Trace], bool]] = {
    "healthy": lambda trace: not trace.has_error and trace.end_time is not None,
    "failed": lambda trace: trace.has_error,
}
_ORDINARY_BY: tuple[Callable[[Trace], float | None], ...] = (
    lambda trace: trace.duration,
    lambda trace: trace.total_estimated_cost,
)
_HEADINGS: Mapping[str, str] = {
    "healthy": "Other traces without an error,",
    "failed": "Other failed traces",
    "slow": "Other traces",
}
_NOTHING_FOUND: Mapping[str, str] = {
    "healthy": "No other trace without an error,",
    "failed": "No other failed trace",
    "slow": "No other trace",
}


@tool(display=lambda _, outcome: f"Looking for {outcome} runs of the same name")
async def find_similar_traces(context: TraceContext, outcome: Outcome) -> str:
    """Other traces of this name that ended without an error (the most ordinary first), failed or
    took longest. They get short names (t1)."""
    trace, project = context.trace, context.project
    if not trace.name:
        raise ToolFailed("This trace has no name, so there are no others of its name.")
    window = project.make_window(DAYS)
    if outcome == "slow":
        found, order = await _list_slowest(context, trace.name, window)
    else:
        found, order = await _list_newest(context, trace.name, window, outcome=outcome)
    found = [each for each in found if each.id != trace.id]
    if outcome == "healthy":
        found = _sort_ordinary_first(found, apart_from=trace)
    about = f"named {one_line(trace.name, limit=60)} in this project, {window.text()}"
    if not found:
        cut = order.partition("; ")[2]  # that not all were looked through
        return f"{_NOTHING_FOUND[outcome]} {about}, was found{cut and f' ({cut})'}."
    lines = [f"{_HEADINGS[outcome]} {about} ({order}):"]
    aliases = context.aliases
    lines += [
        f"{assign_trace_alias(each, aliases)} {format_start(each)} {format_trace_facts(each)}"
        for each in found[:_SHOWN]
    ]
    lines.append(f'How one differs: compare_traces(trace="{lines[1].split()[0]}")')
    return "\n".join(lines)


async def _list_newest(
    context: TraceContext, name: str, window: BaselineWindow, *, outcome: Outcome
) -> tuple[list[Trace], str]:
    enough, order = _SHOWN + 1, "newest first"
    if outcome == "healthy":
        enough, order = _CHOSEN_FROM, "ordinary time and cost first"
    listed = await context.project.list_named(
        name, window, outcome=_FILTERS[outcome], fits=_FITS[outcome], enough=enough
    )
    if not listed.complete and len(listed.traces) < enough:
        order += f"; only the newest {format_count(listed.records, 'trace')} were looked through"
    return listed.traces, order


def _sort_ordinary_first(found: Sequence[Trace], *, apart_from: Trace) -> list[Trace]:
    """Traces of other threads with an ordinary time and cost first; each group newest first.

    A trace that took far longer is a poor model, and a fault in a thread often persists in its next
    turns.
    """
    usual = [compute_quantiles(map(read, found)) for read in _ORDINARY_BY]

    def place(each: Trace) -> tuple[bool, bool]:
        unusual = any(
            many is not None and (read(each) or 0) > _FAR * many.p50
            for read, many in zip(_ORDINARY_BY, usual, strict=True)
        )
        of_thread = apart_from.thread_id is not None and each.thread_id == apart_from.thread_id
        return unusual, of_thread

    return sorted(found, key=place)


async def _list_slowest(
    context: TraceContext, name: str, window: BaselineWindow
) -> tuple[list[Trace], str]:
    """The slowest as the backend sorts them; where it cannot, the slowest of the newest."""
    sorted_by_it = await context.project.list_longest(name, window, _SHOWN + 1)
    if sorted_by_it is not None:
        return _sort_slowest_first(sorted_by_it), "slowest first"
    listed = await context.project.list_named(name, window, enough=_LOOKED_THROUGH)
    among = "all" if listed.complete else f"the newest {format_count(len(listed.traces), 'trace')}"
    return _sort_slowest_first(listed.traces), f"slowest first of {among}, not sorted by Opik"


def _sort_slowest_first(traces: Sequence[Trace]) -> list[Trace]:
    return sorted(traces, key=lambda trace: -(trace.duration or 0.0))


def _display(context: TraceContext, trace: str) -> str:
    label = context.aliases.trace_label(context.aliases.trace_id(_clean_reference(trace)) or "")
    return f"Comparing with {to_plain_name(label)}" if label else "Comparing with another run"


def _clean_reference(reference: str) -> str:
    return reference.strip().strip("[]").lower()


@tool(display=_display)
async def compare_traces(
    context: TraceContext, trace: Annotated[str, Field(description="A short name (t1).")]
) -> str:
    """How this trace (B) differs from another one (A): first divergence, steps missing, added,
    failed or slower, models, sizes, output."""
    alias = _clean_reference(trace)
    trace_id = context.aliases.trace_id(alias)
    if trace_id is None:
        raise ToolFailed(
            "No trace has this short name; get_thread and find_similar_traces assign t1, t2, ..."
        )
    if trace_id == context.trace.id:
        raise ToolFailed("That is this trace itself; name another one.")
    other = await context.load_other(trace_id)
    known = context.analysis.tree.by_id

    def name(span_id: str) -> str:
        return context.aliases.name_span(span_id) if span_id in known else f"{alias}'s"

    sides = (
        ComparedSide(other.analysis, label=alias),
        ComparedSide(context.analysis, label="this trace"),
    )

    def write(tokens: int) -> str:
        return format_difference(*sides, alias=name, budget_tokens=tokens)

    notes = [f"[{alias}: {note}]" for note in other.notes]
    return await fit_lines_with_notes(write, context.limits.result_characters, notes)
