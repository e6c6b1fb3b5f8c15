"""The tool that compares two spans of the trace, each with all below it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated

import anyio
from pydantic import Field

from app.agent.toolbox import CallLine, tool
from app.analysis.recorded.body import is_cut_body
from app.analysis.text.trace_diff import ComparedSide, format_difference
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import build_tree
from app.errors import ToolFailed
from app.opik.client import BODIES
from app.opik.records import Span
from app.tools.excerpts import fit_lines_with_notes
from app.tools.trace.trace_context import TraceContext

_BELOW = 60  # spans of each side whose bodies are read: the comparison shows at most eight pairs
_WHOLE_BELOW = 8  # cut spans that are read whole, besides the two themselves: one request each

Reference = Annotated[str, Field(description="A span's short name (s3) or id.")]


def _display(context: TraceContext, a: str, b: str) -> CallLine | str:
    try:
        one, other = context.find(a).id, context.find(b).id
    except ToolFailed:
        return "Comparing two spans"
    names = context.name_for_reader(one), context.name_for_reader(other)
    return CallLine(f"Comparing {names[0]} with {names[1]}", (one, other))


@tool(display=_display)
async def compare(context: TraceContext, a: Reference, b: Reference) -> str:
    """How b differs from a, each with all spans below it: time, structure, errors, models, cost,
    and inputs, outputs and metadata down to changed paths and words."""
    one, other = context.find(a), context.find(b)
    if one.id == other.id:
        raise ToolFailed("These are the same span; name two different ones.")
    tree = context.analysis.tree
    near = [node.id for top in (one, other) for node in tree.below(tree.by_id[top.id])[:_BELOW]]
    bodies, notes = await _read_bodies(context, (one, other), near)
    analysis = await anyio.to_thread.run_sync(_with_bodies, context, bodies)
    sides = [ComparedSide(analysis, analysis.tree.by_id[top.id]) for top in (one, other)]

    def write(tokens: int) -> str:
        return format_difference(*sides, alias=context.aliases.name_span, budget_tokens=tokens)

    return await fit_lines_with_notes(write, context.limits.result_characters, notes)


async def _read_bodies(
    context: TraceContext, tops: Sequence[Span], near: Sequence[str]
) -> tuple[Mapping[str, Span], list[str]]:
    """Bodies by span id and notes on what could not be read: the two spans themselves whole, and a
    few of the others that the backend cut."""
    await context.read_bodies(near)
    bodies = {each: body for each in near if (body := context.get_body(each)) is not None}
    both = {top.id for top in tops}
    cut = [span for span in bodies.values() if _is_cut(span) and span.id not in both]
    notes = []
    for opened in await context.open_spans([*tops, *cut[:_WHOLE_BELOW]]):
        span = opened.span
        if opened.note:
            notes.append(f"[{context.aliases.name_span(span.id)}: {opened.note}]")
        if span.id in bodies or not opened.note:
            bodies[span.id] = span
    return bodies, notes


def _is_cut(span: Span) -> bool:
    return any(is_cut_body(getattr(span, name)) for name in BODIES)


def _with_bodies(context: TraceContext, bodies: Mapping[str, Span]) -> TraceAnalysis:
    """A copy of the analysis with these bodies in its tree; order and measures stay."""
    analysis = context.analysis
    tree = build_tree([bodies.get(node.id, node.span) for node in analysis.tree.nodes])
    return replace(analysis, tree=tree, bodies=analysis.bodies | bodies.keys())
