"""The tool that follows a value through the inputs and outputs of all spans."""

from typing import Annotated, Any

import anyio
from pydantic import BeforeValidator, Field

from app.agent.toolbox import UnfinishedText, tool
from app.analysis.text.json_path import parse_path
from app.analysis.text.one_line import one_line
from app.analysis.text.token_budget import Line
from app.analysis.text.value_trail import (
    describe_path_trail,
    describe_value_trail,
    find_path,
    find_value,
    list_places,
)
from app.analysis.text.views import format_page, trace_start
from app.errors import ToolFailed
from app.tools.excerpts import as_text, fit_lines_with_notes
from app.tools.trace.recorded_views import read_views
from app.tools.trace.trace_context import TraceContext

_LONGEST_VALUE = 200  # characters: longer texts are found by a part of them
_MOST_SPANS = 10_000  # followed, in the order of time: more take too long to look into


def _to_text(value: Any) -> Any:
    """A number, or another value that a model sends where a text is asked for, as text."""
    return value if value is None or isinstance(value, str) else as_text(value)


def _display(_: TraceContext, value: str | None = None, path: str | None = None, **__: Any) -> str:
    shown = one_line((value or path or "").replace("{", "("), limit=60)
    return f"Following “{shown}” through the trace"


@tool(display=_display)
async def follow_value(
    context: TraceContext,
    value: Annotated[
        str | None, BeforeValidator(_to_text), Field(description="A text or number to follow.")
    ] = None,
    path: Annotated[
        str | None, Field(description="Or what stands under a key (customer_id) or output.x.y.")
    ] = None,
    offset: Annotated[int, Field(ge=0, description="Lines to skip.")] = 0,
) -> str:
    """Where a value first appears, changes, disappears over the inputs and outputs of all spans in
    the order of time, and where it is missing although similar spans have it."""
    if bool(value and value.strip()) == bool(path):
        raise ToolFailed("Give either a value or a path.")
    if value and len(value) > _LONGEST_VALUE:
        raise ToolFailed(f"A value has at most {_LONGEST_VALUE} characters; give a part of it.")
    steps = parse_path(path) if path else ()
    analysis, alias = context.analysis, context.aliases.name_span
    nodes = sorted(analysis.tree.nodes, key=lambda node: (node.start, node.index))[:_MOST_SPANS]
    views = await read_views(context, nodes)
    rows = [(node, views.by_id[node.id]) for node in nodes if node.id in views.by_id]

    def follow() -> tuple[str, list[Line]]:
        places = list_places(context.trace, rows, zero=trace_start(analysis), alias=alias)
        if steps:
            return describe_path_trail(places, find_path(places, steps), steps)
        return describe_value_trail(places, find_value(places, value or ""), value or "")

    title, lines = await anyio.to_thread.run_sync(follow)
    asked = f"path={as_text([path])[1:-1]}" if path else f"value={as_text([value])[1:-1]}"

    def write(tokens: int) -> str:
        return format_page(
            (line() for line in lines[offset:]),
            offset,
            tokens,
            what="line",
            call=asked,
            total=len(lines),
            title=title,
            tool="follow_value",
        )

    limit = context.limits.result_characters
    text = await fit_lines_with_notes(write, limit, views.notes(alias))
    return UnfinishedText(text) if views.unread else text
