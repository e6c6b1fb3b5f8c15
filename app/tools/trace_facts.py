"""The line about any trace: its short name, its start, and what is known of it."""

from app.agent.citations import Aliases
from app.analysis.error_origins import error_message
from app.analysis.text.one_line import format_count, format_duration, format_usd, one_line
from app.opik.records import Trace
from app.tools.trace.project import with_timezone

_SCORES_SHOWN = 3  # of one trace, whose facts share a line


def format_start(trace: Trace) -> str:
    """The start time in UTC, to the second."""
    if trace.start_time is None:
        return "at an unknown time"
    return f"{with_timezone(trace.start_time):%Y-%m-%d %H:%M:%S}"


def assign_trace_alias(trace: Trace, aliases: Aliases) -> str:
    """The short name of another trace; people read its name and start time instead."""
    label = f"{one_line(trace.name or 'unnamed', limit=40)} {format_start(trace)}"
    return aliases.name_trace(trace.id, label)


def format_trace_facts(trace: Trace) -> str:
    """Duration, spans, tokens, cost, error and scores, as far as they are known."""
    parts = []
    if trace.duration is not None:
        parts.append(format_duration(trace.duration * 1_000))
    if trace.end_time is None:
        parts.append("not finished")
    if trace.span_count is not None:
        parts.append(format_count(trace.span_count, "span"))
    if tokens := trace.usage.get("total_tokens"):
        parts.append(f"{tokens:,.0f} tokens")
    if trace.total_estimated_cost:
        parts.append(format_usd(trace.total_estimated_cost))
    if trace.has_error and trace.error_info:
        parts.append(f"ERROR {one_line(error_message(trace.error_info), limit=120)}")
    for score in trace.feedback_scores[:_SCORES_SHOWN]:
        if score.value is not None:
            reason = f" because {one_line(score.reason, limit=80)}" if score.reason else ""
            parts.append(f"feedback {one_line(score.name, limit=40)} {score.value:g}{reason}")
    return ", ".join(parts)
