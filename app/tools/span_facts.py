"""The facts about a span or a trace, one a line: times, model, usage, cost, tags, scores, error."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from app.analysis.error_origins import error_message
from app.analysis.recorded.error import effective_error
from app.analysis.recorded.usage import name_of_count
from app.analysis.text.one_line import (
    cut_line,
    format_count,
    format_duration,
    format_usd,
    list_first,
    one_line,
)
from app.analysis.tree import Node, TreeWarning, to_microseconds
from app.opik.records import Span, Trace
from app.tools.trace.trace_context import TraceContext

MESSAGE_SHOWN = 300  # characters of an error's message among the facts; longer ones are values

_COUNTS_SHOWN = 20  # of one usage; providers record fewer that are neither zero nor the same
_ORIGINAL = "original_usage."  # before what the provider reported, in Opik's SDKs
_CUT_NOTE = 100  # characters for the names of facts that do not fit
_LEAST_LINE = 40  # characters of a line that is cut; less says nothing
_CHILDREN_SHOWN = 8  # of one span, as short names; get_trace_data lists the others


class LikeError(NamedTuple):
    """The span whose error another record repeats, by its short name; unless `is_same`, numbers
    in the message differ."""

    name: str
    is_same: bool


def format_facts(
    context: TraceContext, span: Span, node: Node, like: LikeError | None = None
) -> list[str]:
    """The span's own facts, one a line; durations in milliseconds, costs in USD."""
    alias = context.aliases.name_span
    kind = one_line(span.type or "general", limit=20)
    lines = [f"{alias(span.id)} {one_line(node.name, limit=120)} [{kind}]", f"id: {span.id}"]
    if node.parent is not None:
        lines.append(f"parent: {alias(node.parent.id)} {one_line(node.parent.name)}")
    elif span.parent_span_id:
        lines.append(f"parent: {TreeWarning.ORPHAN.value}")
    if node.children:
        names = [alias(child.id) for child in node.children[:_CHILDREN_SHOWN]]
        listed = list_first(names, len(node.children))
        lines.append(f"children: {listed}; {format_count(node.size - 1, 'span')} below in all")
    lines += _format_times(context, span, node)
    if span.model:
        provider = f" by {one_line(span.provider, limit=40)}" if span.provider else ""
        lines.append(f"model: {one_line(span.model)}{provider}")
    return [*lines, *format_recorded(span), *format_error(span, like)]


def _format_times(context: TraceContext, span: Span, node: Node) -> list[str]:
    """When it ran, from the start of the trace and absolutely, and how long."""
    lines = []
    began = context.trace.start_time
    zero = to_microseconds(began) if began else context.analysis.tree.start
    if span.start_time is not None:
        after = f"{(node.start - zero) / 1_000:+,.1f} ms from the trace's start"
        lines.append(f"start: {span.start_time.isoformat(timespec='milliseconds')} ({after})")
    if not node.finished:
        lines.append("end: never ended")
    elif span.start_time is not None:
        lines.append(f"end: {(node.end - zero) / 1_000:+,.1f} ms from the trace's start")
        own = context.analysis.profile.own_time[node.index]
        parts = f"; {own / 1_000:,.1f} ms without its children" if node.children else ""
        lines.append(f"duration: {node.duration / 1_000:,.1f} ms{parts}")
    warnings = [each.value for each in node.warnings if each is not TreeWarning.UNFINISHED]
    if warnings:
        lines.append(f"warning: {', '.join(warnings)}")
    if node.view.first_token is not None:
        lines.append(f"time to first token: {node.view.first_token:,.1f} ms")
    return lines


def format_recorded(record: Span | Trace) -> list[str]:
    """Duration of a trace, usage, cost in USD, tags, environment and scores, where there are."""
    lines = []
    if isinstance(record, Trace) and record.duration is not None:
        lines.append(f"duration: {format_duration(record.duration * 1_000)}")
    if counts := _list_counts(record.usage):
        lines.append(f"usage: {', '.join(counts[:_COUNTS_SHOWN])}")
    if record.total_estimated_cost is not None:
        lines.append(f"cost: {format_usd(record.total_estimated_cost)}")
    if record.tags:
        lines.append(f"tags: {one_line(', '.join(record.tags), limit=200)}")
    if record.environment:
        lines.append(f"environment: {one_line(record.environment)}")
    for score in record.feedback_scores[:8]:
        value = "no value" if score.value is None else f"{score.value:g}"
        reason = f" because {one_line(score.reason, limit=200)}" if score.reason else ""
        lines.append(f"feedback: {one_line(score.name, limit=60)} {value}{reason}")
    return lines


def _list_counts(usage: Mapping[str, float]) -> list[str]:
    """The counts of a record without the provider's details that are zero or repeat another
    count, which Opik's SDKs record as `original_usage.prompt_tokens_details.audio_tokens`."""
    counts: dict[str, float] = {}
    seen: set[tuple[str, float]] = set()
    for key, number in sorted(usage.items(), key=lambda item: "." in item[0]):
        inner = key.rpartition(".")[2]
        count = (name_of_count(key) or name_of_count(inner) or inner, number)
        if inner == key or (number and count not in seen):
            counts[key.removeprefix(_ORIGINAL)] = number
        seen.add(count)
    return [f"{one_line(key, limit=60)} {number:,.0f}" for key, number in counts.items()]


def format_error(record: Span | Trace, like: LikeError | None = None) -> list[str]:
    """The error on one line; its whole message and traceback are values, not facts."""
    error = effective_error(record)
    if error is None:
        return []
    if like is not None and like.is_same:
        return [f"error: same error as {like.name}"]
    note = f" (raised where {like.name}'s was)" if like is not None else ""
    return [f"error: {one_line(error_message(error), limit=MESSAGE_SHOWN)}{note}"]


def cut_facts(lines: Sequence[str], limit: int) -> str:
    """The lines that fit in `limit` characters, and the names of those that do not."""
    text = "\n".join(lines)
    if len(text) <= limit:
        return text
    room, shown, cut = limit - _CUT_NOTE, list[str](), list[str]()
    for line in lines:
        part = line if len(line) <= room else cut_line(line, limit=max(room // 2, 1))
        if len(part) > _LEAST_LINE or part == line:
            shown.append(part)
            room -= len(part) + 1
        if part != line:
            cut.append(line.partition(":")[0])
    note = f"cut: {', '.join(cut)}; ask for fewer spans at once"
    return "\n".join([*shown, f"[{cut_line(note, limit=_CUT_NOTE - 3)}]"])
