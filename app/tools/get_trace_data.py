"""The tool that reads the trace as a whole: outline, findings, profile, path, list of spans."""

from typing import Annotated, Any, Literal

import anyio
from pydantic import Field

from app.agent.toolbox import tool
from app.analysis.text.outline import build_outline
from app.analysis.text.views import (
    Sort,
    Status,
    format_critical_path,
    format_findings,
    format_profile,
    list_spans,
)
from app.analysis.tree import Node
from app.errors import ToolFailed
from app.tools.excerpts import fit_lines, render_excerpt
from app.tools.get_span_details import trace_values
from app.tools.trace.trace_context import TraceContext

View = Literal["outline", "findings", "profile", "critical_path", "spans"]

_DISPLAY: dict[View, str] = {
    "outline": "Reading the trace",
    "findings": "Reading the findings",
    "profile": "Reading where time and tokens went",
    "critical_path": "Following the critical path",
    "spans": "Listing spans",
}


def _display(_: TraceContext, view: View = "outline", **asked: Any) -> str:
    return _DISPLAY[_view(view, asked)]


def _view(view: View, asked: dict[str, Any]) -> View:
    """The view that is meant: filters, an order or an offset in an outline mean the list."""
    filters = ("name", "type", "status", "min_duration_ms", "sort")
    if any(asked.get(each) is not None for each in filters):
        return "spans"
    return "spans" if view == "outline" and asked.get("offset") else view


@tool(display=_display)
async def get_trace_data(
    context: TraceContext,
    view: Annotated[
        View, Field(description="outline also shows the trace's own input, output and metadata")
    ] = "outline",
    root: Annotated[str | None, Field(description="Only this span (s3) and all below it.")] = None,
    name: Annotated[str | None, Field(description="Part of the span's name.")] = None,
    type: Annotated[str | None, Field(description="general, llm, tool or guardrail")] = None,
    status: Status | None = None,
    min_duration_ms: float | None = None,
    sort: Annotated[Sort | None, Field(description="Greatest first, start: tree order.")] = None,
    offset: Annotated[int, Field(ge=0, description="Lines of the list to skip.")] = 0,
) -> str:
    """The trace as a whole, or a list of its spans: name, type, status, min_duration_ms and sort
    filter and order the list (view=spans)."""
    filters: dict[str, Any] = {"name": name, "type": type, "status": status}
    filters["min_duration_ms"] = min_duration_ms
    meant = _view(view, {**filters, "sort": sort, "offset": offset})
    top = context.analysis.tree.by_id[context.find(root).id] if root else None
    if top is not None and meant in ("findings", "profile"):
        raise ToolFailed(f'view="{meant}" is about the whole trace; leave root out.')
    if meant == "outline":
        return await anyio.to_thread.run_sync(_outline, context, top)
    analysis, alias = context.analysis, context.aliases.name_span

    def write(tokens: int) -> str:
        page: dict[str, Any] = {"alias": alias, "offset": offset, "budget_tokens": tokens}
        if meant == "findings":
            return format_findings(analysis, **page)
        if meant == "profile":
            return format_profile(analysis, **page)
        if meant == "critical_path":
            return format_critical_path(analysis, root=top, **page)
        return list_spans(analysis, root=top, sort=sort or "start", **filters, **page)

    return await anyio.to_thread.run_sync(fit_lines, write, context.limits.result_characters)


def _outline(context: TraceContext, top: Node | None) -> str:
    """The outline in half of the characters and the trace's own bodies in the other half; with
    `top` only the outline below that span."""
    limit = context.limits.result_characters
    analysis, alias = context.analysis, context.aliases.name_span

    def write(tokens: int) -> str:
        return build_outline(analysis, alias=alias, budget_tokens=tokens, root=top)

    if top is not None:
        return fit_lines(write, limit)
    parts = [fit_lines(write, limit // 2), *context.notes]
    left = limit - sum(len(part) + 2 for part in parts)
    return "\n\n".join([*parts, *render_excerpt(trace_values(context), left)])
