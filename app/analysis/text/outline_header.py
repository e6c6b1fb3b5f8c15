"""The head of an outline: what a trace is, how it ended, and what is not known of it."""

from collections.abc import Iterator

from app.analysis.baseline_findings import format_baseline
from app.analysis.error_origins import find_reported_origins
from app.analysis.text.coverage import list_unread, list_unrecorded
from app.analysis.text.lines import format_spending
from app.analysis.text.one_line import format_count, format_duration, list_first, one_line
from app.analysis.text.previews import TASK_END, format_preview_with_end
from app.analysis.text.token_budget import Alias
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import TreeWarning
from app.opik.records import FeedbackScore

_TAGS_SHOWN = 12  # no call shows the rest, and few traces have more
_SCORES_SHOWN = 8  # as for tags


def format_header(analysis: TraceAnalysis, alias: Alias) -> Iterator[str]:
    """Lines about the trace as a whole: size, state, verdicts, input, output, what is missing."""
    trace, tree, profile = analysis.trace, analysis.tree, analysis.profile
    failed = sum([node.error is not None for node in tree.nodes])
    facts = [format_duration(analysis.wall_time), format_count(len(tree.nodes), "span")]
    facts.append(format_count(failed, "failed span"))
    reported = sum([node.view.has_failed for node in tree.nodes]) - failed
    if reported := reported - len(analysis.once(find_reported_origins)):
        facts.append(f"{reported:,} whose output reports a failure")
    facts.extend(format_spending(profile.spend))
    yield f"Trace {one_line(trace.name or 'unnamed')}: {', '.join(facts)}"
    started = trace.start_time.isoformat(timespec="seconds") if trace.start_time else "unknown"
    state = "finished" if trace.end_time else "not finished: still running or interrupted"
    about = [f"started {started}", state]
    if trace.thread_id:
        about.append(f"thread {one_line(trace.thread_id, limit=60)}")
    if trace.environment:
        about.append(f"environment {one_line(trace.environment, limit=40)}")
    yield "; ".join(about)
    if trace.tags:
        shown = [one_line(tag, limit=40) for tag in trace.tags[:_TAGS_SHOWN]]
        yield f"tags: {list_first(shown, len(trace.tags))}"
    usual = format_baseline(analysis)
    if usual is not None:
        yield usual
    yield from _format_verdicts(analysis)
    if trace.input is not None:
        yield f"input: {format_preview_with_end(trace.input, end=TASK_END)}"
    if trace.output is not None:
        yield f"output: {format_preview_with_end(trace.output)}"
    elif trace.input is not None and trace.end_time is not None:
        yield "output: none recorded"
    yield from list_unread(analysis)
    yield from list_unrecorded(analysis, alias)
    yield from _format_irregularities(analysis)


def _format_verdicts(analysis: TraceAnalysis) -> Iterator[str]:
    scores = analysis.trace.feedback_scores
    for score in scores[:_SCORES_SHOWN]:
        yield f"feedback: {_format_score(score)}"
    if len(scores) > _SCORES_SHOWN:
        yield f"feedback: {len(scores) - _SCORES_SHOWN} more scores not shown"
    checks = [check for item in analysis.trace.guardrails_validations for check in item.checks]
    if checks:
        shown = [
            one_line(f"{check.name or 'unnamed'} {check.result or '?'}", limit=60)
            for check in checks[:_SCORES_SHOWN]
        ]
        yield f"guardrails: {list_first(shown, len(checks))}"


def _format_score(score: FeedbackScore) -> str:
    value = "no value" if score.value is None else f"{score.value:g}"
    category = f" {one_line(score.category_name, limit=40)}" if score.category_name else ""
    reason = f" because {one_line(score.reason, limit=160)}" if score.reason else ""
    return f"{one_line(score.name, limit=60)} {value}{category}{reason}"


def _format_irregularities(analysis: TraceAnalysis) -> Iterator[str]:
    by_warning = analysis.tree.ids_by_warning
    if by_warning:
        counts = [f"{warning.value}: {len(ids):,}" for warning, ids in by_warning.items()]
        yield f"irregular spans ({'; '.join(counts)})"
    if len(analysis.tree.roots) > 1 and TreeWarning.ORPHAN not in by_warning:
        count = f"{len(analysis.tree.roots):,} spans without a parent"
        yield f"{count}: no fault, nothing was recorded around these steps"
    reported, counted_here = analysis.profile.reported.tokens, analysis.profile.spend.tokens
    if reported > counted_here * 1.02 and counted_here:
        yield (
            f"Opik's total of {reported:,.0f} tokens counts wrapped calls more than once;"
            f" {counted_here:,.0f} were used"
        )
