"""The tool that reads the trace as a whole: outline, findings, profile, path, lists of spans."""

from typing import Annotated, Any, Literal

import anyio
from pydantic import Field

from app.agent.toolbox import UnfinishedText, tool
from app.analysis.text.columns import Row, describe_column, describe_table
from app.analysis.text.json_path import parse_path
from app.analysis.text.outline import build_outline
from app.analysis.text.token_budget import Line
from app.analysis.text.views import (
    Sort,
    SpanFilter,
    Status,
    format_critical_path,
    format_findings,
    format_page,
    format_profile,
    list_spans,
    trace_start,
)
from app.analysis.tree import Node
from app.errors import ToolFailed
from app.tools.excerpts import fit_lines, fit_lines_with_notes, render_excerpt
from app.tools.get_span_details import trace_values
from app.tools.trace.recorded_views import read_views
from app.tools.trace.trace_context import TraceContext

View = Literal["outline", "findings", "profile", "critical_path", "spans", "column", "table"]

_DISPLAY: dict[View, str] = {
    "outline": "Reading the trace",
    "findings": "Reading the findings",
    "profile": "Reading where time and tokens went",
    "critical_path": "Following the critical path",
    "spans": "Listing spans",
    "column": "Comparing one value of many spans",
    "table": "Comparing spans side by side",
}
_OUTLINE_PERCENT = 70  # of the characters; the rest is for the trace's own input and output
_CUT_NOTE = 150  # characters of the line that counts what is left out
_MOST_ROWS = 5_000  # spans of one column: more take too long to look into


def _display(_: TraceContext, view: View = "outline", **asked: Any) -> str:
    return _DISPLAY[_view(view, asked)]


def _view(view: View, asked: dict[str, Any]) -> View:
    """The view that is meant: a path in an outline or list means a column; filters, an order or an
    offset in an outline mean the list."""
    if view in ("outline", "spans") and (path := asked.get("path")):
        return "table" if "," in path else "column"
    filters = ("name", "type", "status", "min_duration_ms", "sort")
    if view not in ("column", "table") and any(asked.get(each) is not None for each in filters):
        return "spans"
    return "spans" if view == "outline" and asked.get("offset") else view


@tool(display=_display)
async def get_trace_data(
    context: TraceContext,
    view: Annotated[
        View,
        Field(
            description="outline: also the trace's own input, output and metadata; column: one"
            " value of many spans, with counts and outliers; table: siblings side by side, what"
            " differs and the odd one out (root: the children of that span)"
        ),
    ] = "outline",
    root: Annotated[str | None, Field(description="Only this span (s3) and all below it.")] = None,
    name: Annotated[str | None, Field(description="Part of the span's name.")] = None,
    type: Annotated[str | None, Field(description="general, llm, tool or guardrail")] = None,
    status: Status | None = None,
    min_duration_ms: float | None = None,
    sort: Annotated[
        Sort | None, Field(description="Greatest first; start: in order of time.")
    ] = None,
    path: Annotated[
        str | None,
        Field(
            description="The column: output.status, a key, model, finish, cached_tokens, ...;"
            " in a table several with commas"
        ),
    ] = None,
    not_equal: Annotated[str | None, Field(description="Column: only other values.")] = None,
    offset: Annotated[int, Field(ge=0, description="Lines of the list to skip.")] = 0,
) -> str:
    """The trace as a whole, or lists of its spans: name, type, status, min_duration_ms and sort
    filter and order them (view=spans, column, table)."""
    top = context.analysis.tree.by_id[context.find(root).id] if root else None
    wanted = SpanFilter(top, name, type, status, min_duration_ms)
    asked = {"name": name, "type": type, "status": status, "min_duration_ms": min_duration_ms}
    meant = _view(view, {**asked, "sort": sort, "offset": offset, "path": path})
    if top is not None and meant in ("findings", "profile"):
        raise ToolFailed(f'view="{meant}" is about the whole trace; leave root out.')
    if meant == "outline":
        return await anyio.to_thread.run_sync(_outline, context, top)
    if meant in ("column", "table"):
        return await _compare_values(context, wanted, meant, path, not_equal, offset)
    analysis, alias = context.analysis, context.aliases.name_span

    def write(tokens: int) -> str:
        page: dict[str, Any] = {"alias": alias, "offset": offset, "budget_tokens": tokens}
        if meant == "findings":
            return format_findings(analysis, **page)
        if meant == "profile":
            return format_profile(analysis, **page)
        if meant == "critical_path":
            return format_critical_path(analysis, root=top, **page)
        return list_spans(analysis, wanted, sort=sort or "start", **page)

    return await fit_lines_with_notes(write, context.limits.result_characters)


async def _compare_values(
    context: TraceContext,
    wanted: SpanFilter,
    view: View,
    path: str | None,
    not_equal: str | None,
    offset: int,
) -> str:
    """A column or a table of the spans of a filter; a root alone in a table means its children."""
    if view == "column" and not path:
        raise ToolFailed("A column needs a path, such as output.status, or a key.")
    paths = [parse_path(path)] if path and view == "column" else []
    if path and view == "table":
        paths = [parse_path(each) for each in path.split(",") if each.strip()]
    tree = context.analysis.tree
    nodes = wanted.select(tree)
    if view == "table" and wanted == SpanFilter(wanted.root):
        top = wanted.root or (tree.roots[0] if len(tree.roots) == 1 else None)
        nodes = list(top.children if top else tree.roots)
    if not nodes:
        raise ToolFailed("No span fits; name a part of a span's name, or a root with children.")
    nodes = sorted(nodes, key=lambda node: (node.start, node.index))[:_MOST_ROWS]
    views = await read_views(context, nodes)
    rows: list[Row] = [(node, views.by_id[node.id]) for node in nodes if node.id in views.by_id]
    alias = context.aliases.name_span
    call = wanted.format_call(alias, view=view, path=path, not_equal=not_equal)

    def write(tokens: int) -> str:
        shown = (line() for line in lines[offset:])
        return format_page(
            shown, offset, tokens, what="line", call=call, total=len(lines), title=title
        )

    def describe() -> tuple[str, list[Line]]:
        if view == "column":
            return describe_column(rows, paths[0], alias=alias, not_equal=not_equal)
        return describe_table(rows, paths, zero=trace_start(context.analysis), alias=alias)

    title, lines = await anyio.to_thread.run_sync(describe)
    limit = context.limits.result_characters
    text = await fit_lines_with_notes(write, limit, views.notes(alias))
    return UnfinishedText(text) if views.unread else text


def _outline(context: TraceContext, top: Node | None) -> str:
    """The outline that the conversation began with, and the trace's own bodies; with `top` only
    the outline below that span.

    Where there is no room for all of its lines the others are counted: an outline for this room
    would show less of each part than the one that the model has read already.
    """
    limit = context.limits.result_characters
    analysis, alias = context.analysis, context.aliases.name_span
    if top is not None:
        return fit_lines(
            lambda tokens: build_outline(analysis, alias=alias, budget_tokens=tokens, root=top),
            limit,
        )
    text = _cut_outline(context.outline, limit * _OUTLINE_PERCENT // 100)
    return "\n\n".join([text, *render_excerpt(trace_values(context), limit - len(text) - 2)])


def _cut_outline(text: str, limit: int) -> str:
    """The first lines of an outline, and how many more it has."""
    if len(text) <= limit:
        return text
    lines = text.split("\n")
    left, shown = limit - _CUT_NOTE, 0
    while len(lines[shown]) < left:
        left -= len(lines[shown]) + 1
        shown += 1
    return "\n".join(
        [
            *lines[:shown],
            f"[{len(lines) - shown:,} more lines of the outline that began this conversation;"
            ' list the spans with get_trace_data(sort="start", offset=0)]',
        ]
    )
