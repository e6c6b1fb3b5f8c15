"""The facts of a span or a trace as lines of text, without audit fields."""

from app.analysis.error_origins import message_of
from app.analysis.text.one_line import counted, dollars, one_line, span_of_time
from app.analysis.tree import Node, Oddity, microseconds
from app.opik.records import Span, Trace
from app.tools.trace.trace_context import Workbench

MESSAGE_SHOWN = 300
"""Characters of an error's message that stand among the facts."""

_CHILDREN_SHOWN = 8


def facts_of(bench: Workbench, span: Span, node: Node) -> list[str]:
    """The span's own facts, one a line; durations in milliseconds, costs in USD."""
    alias = bench.aliases.name
    kind = one_line(span.type or "general", limit=20)
    lines = [f"{alias(span.id)} {one_line(node.name, limit=120)} [{kind}]", f"id: {span.id}"]
    if node.parent is not None:
        lines.append(f"parent: {alias(node.parent.id)} {one_line(node.parent.name)}")
    elif span.parent_span_id:
        lines.append(f"parent: {Oddity.ORPHAN.value}")
    if node.children:
        names = [alias(child.id) for child in node.children[:_CHILDREN_SHOWN]]
        more = len(node.children) - len(names)
        listed = ", ".join(names) + (f" and {more:,} more" if more > 0 else "")
        lines.append(f"children: {listed}; {counted(node.size - 1, 'span')} below in all")
    lines += _times(bench, span, node)
    if span.model:
        provider = f" by {one_line(span.provider, limit=40)}" if span.provider else ""
        lines.append(f"model: {one_line(span.model)}{provider}")
    return [*lines, *recorded(span), *failure(span)]


def _times(bench: Workbench, span: Span, node: Node) -> list[str]:
    """When it ran, from the start of the trace and absolutely, and how long."""
    lines = []
    began = bench.loaded.trace.start_time
    zero = microseconds(began) if began else bench.loaded.seen.tree.start
    if span.start_time is not None:
        after = f"{(node.start - zero) / 1_000:+,.1f} ms from the trace's start"
        lines.append(f"start: {span.start_time.isoformat(timespec='milliseconds')} ({after})")
    if not node.finished:
        lines.append("end: it never ended")
    elif span.start_time is not None:
        own = bench.loaded.seen.profile.own_time[node.index]
        parts = f"; {own / 1_000:,.1f} ms without its children" if node.children else ""
        lines.append(f"duration: {node.duration / 1_000:,.1f} ms{parts}")
    odd = [each.value for each in node.oddities if each is not Oddity.UNFINISHED]
    if odd:
        lines.append(f"odd: {', '.join(odd)}")
    if span.ttft is not None:
        lines.append(f"time to first token: {span.ttft:,.1f} ms")
    return lines


def recorded(record: Span | Trace) -> list[str]:
    """Duration of a trace, usage, cost in USD, tags, environment and scores, where there are."""
    lines = []
    if isinstance(record, Trace) and record.duration is not None:
        lines.append(f"duration: {span_of_time(record.duration * 1_000)}")
    if record.usage:
        counts = [f"{one_line(key, limit=60)} {n:,.0f}" for key, n in record.usage.items()]
        lines.append(f"usage: {', '.join(counts[:20])}")
    if record.total_estimated_cost is not None:
        lines.append(f"cost: {dollars(record.total_estimated_cost)}")
    if record.tags:
        lines.append(f"tags: {one_line(', '.join(record.tags), limit=200)}")
    if record.environment:
        lines.append(f"environment: {one_line(record.environment)}")
    for score in record.feedback_scores[:8]:
        value = "no value" if score.value is None else f"{score.value:g}"
        reason = f" because {one_line(score.reason, limit=200)}" if score.reason else ""
        lines.append(f"feedback: {one_line(score.name, limit=60)} {value}{reason}")
    return lines


def failure(record: Span | Trace) -> list[str]:
    """The error on one line; its whole message and traceback are values, not facts."""
    error = record.error_info
    if error is None or not (error.exception_type or error.message or error.traceback):
        return []
    return [f"error: {one_line(message_of(error), limit=MESSAGE_SHOWN)}"]
