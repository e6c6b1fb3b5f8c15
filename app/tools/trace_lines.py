"""Other traces on one line each, and their names in the conversation."""

from app.agent.citations import Aliases
from app.analysis.baseline import has_error
from app.analysis.error_origins import message_of
from app.analysis.text.one_line import counted, dollars, one_line, span_of_time
from app.opik.records import Trace
from app.tools.trace.project import aware

_SCORES_SHOWN = 3


def started(trace: Trace) -> str:
    """When it began, UTC, to the second."""
    if trace.start_time is None:
        return "at an unknown time"
    return f"{aware(trace.start_time):%Y-%m-%d %H:%M:%S}"


def alias_of(trace: Trace, aliases: Aliases) -> str:
    """The short name of another trace; a person reads its name and when it began."""
    label = f"{one_line(trace.name or 'unnamed', limit=40)} {started(trace)}"
    return aliases.name_trace(trace.id, label)


def facts_line(trace: Trace) -> str:
    """Duration, size, spending, error and scores, as far as they are known."""
    parts = []
    if trace.duration is not None:
        parts.append(span_of_time(trace.duration * 1_000))
    if trace.end_time is None:
        parts.append("not finished")
    if trace.span_count is not None:
        parts.append(counted(trace.span_count, "span"))
    if tokens := trace.usage.get("total_tokens"):
        parts.append(f"{tokens:,.0f} tokens")
    if trace.total_estimated_cost:
        parts.append(dollars(trace.total_estimated_cost))
    if has_error(trace) and trace.error_info:
        parts.append(f"ERROR {one_line(message_of(trace.error_info), limit=120)}")
    for score in trace.feedback_scores[:_SCORES_SHOWN]:
        if score.value is not None:
            reason = f" because {one_line(score.reason, limit=80)}" if score.reason else ""
            parts.append(f"feedback {one_line(score.name, limit=40)} {score.value:g}{reason}")
    return ", ".join(parts)
