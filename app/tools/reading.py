"""Tools that read the trace at hand."""

import json
from typing import Annotated, Any

import anyio
from pydantic import Field

from app.agent.toolbox import Tool, tool
from app.errors import ToolFailed
from app.opik.schema import Span
from app.tools.workbench import Workbench

_FACTS = (
    "id",
    "name",
    "type",
    "parent_span_id",
    "start_time",
    "end_time",
    "duration",
    "ttft",
    "model",
    "provider",
    "usage",
    "total_estimated_cost",
    "tags",
    "error_info",
    "feedback_scores",
)


@tool(display=lambda _: "Reading the trace")
async def get_trace_data(bench: Workbench) -> str:
    """The outline of the trace: totals, errors and the tree of its spans with their short names,
    and the trace's own input, output and metadata. Inputs and outputs of spans come from
    get_span_details."""
    room = bench.limits.result_characters
    trace = bench.loaded.trace
    outline = await anyio.to_thread.run_sync(bench.outline)
    parts = [_bounded(outline, room // 2, "look at single spans with get_span_details")]
    bodies = {"input": trace.input, "output": trace.output, "metadata": trace.metadata}
    if trace.error_info is not None:
        bodies["error"] = trace.error_info.model_dump(exclude_none=True)
    parts += _bodies(bodies, room - len(parts[0]) - 100)
    return "\n\n".join(parts)


def _display_span(bench: Workbench, span_id: str, **_: Any) -> str:
    try:
        return f"Fetching span details for {{span:{bench.find(span_id).id}}}"
    except ToolFailed:
        return "Fetching span details"


@tool(display=_display_span)
async def get_span_details(
    bench: Workbench,
    span_id: Annotated[str, Field(description="The span's short name (s3) or its id.")],
    include_input: Annotated[bool, Field(description="Show the span's input.")] = False,
    include_output: Annotated[bool, Field(description="Show the span's output.")] = False,
    include_metadata: Annotated[bool, Field(description="Show the span's metadata.")] = False,
) -> str:
    """One span: times, model, usage, cost, tags, error with traceback, and on demand its input,
    output and metadata. Long values are cut; each cut says so."""
    span = await bench.full(bench.find(span_id))
    wanted = {"input": include_input, "output": include_output, "metadata": include_metadata}
    bodies = {name: getattr(span, name) for name, asked in wanted.items() if asked}
    facts = _facts(span)
    left_out = [name for name, asked in wanted.items() if not asked and getattr(span, name)]
    if left_out:
        facts += f"\nNot shown: {', '.join(left_out)}; ask with include_{left_out[0]}=true."
    room = bench.limits.result_characters
    facts = _bounded(facts, room // (2 if bodies else 1) - 100, "the rest is not shown")
    return "\n\n".join([facts, *_bodies(bodies, room - len(facts) - 100)])


READING: tuple[Tool, ...] = (get_trace_data, get_span_details)


def _facts(span: Span) -> str:
    """The span's own facts, one a line; durations in milliseconds, costs in USD."""
    values = span.model_dump(mode="json", include=set(_FACTS), exclude_none=True)
    return "\n".join(
        f"{name}: {_text(values[name])}"
        for name in _FACTS
        if values.get(name) not in (None, [], {})
    )


def _bodies(bodies: dict[str, Any], room: int) -> list[str]:
    """The bodies as text, sharing `room` characters: short ones leave theirs to the long."""
    texts = {name: _text(value) for name, value in bodies.items() if value is not None}
    parts = []
    for waiting, (name, text) in zip(
        range(len(texts), 0, -1), sorted(texts.items(), key=lambda each: len(each[1])), strict=True
    ):
        part = (
            f"{name}:\n{_bounded(text, room // waiting - len(name) - 4, 'the rest is not shown')}"
        )
        room -= len(part)
        parts.append(part)
    return parts


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _bounded(text: str, limit: int, hint: str) -> str:
    if len(text) <= limit:
        return text
    kept = max(0, limit - 100)
    return f"{text[:kept]}\n[cut: {kept:,} of {len(text):,} characters shown; {hint}]"
