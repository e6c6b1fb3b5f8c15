"""The outline of a trace: what the model reads first."""

from collections.abc import Iterator, Sequence

from app.analysis.baseline_findings import format_baseline
from app.analysis.profile import SpanGroup
from app.analysis.text.lines import PATH_MARK, format_finding, format_preview, format_spending
from app.analysis.text.one_line import (
    format_count,
    format_duration,
    format_percent,
    list_first,
    one_line,
)
from app.analysis.text.outline_tree import plan_rows
from app.analysis.text.token_budget import Alias, BudgetedText
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node, TreeWarning
from app.opik.records import FeedbackScore

DEFAULT_BUDGET = 6_000  # tokens: leaves room for questions and tools in a context of 32,000
_CLOSING = 60  # tokens kept for the last line, which counts what did not fit
_PATH_SHOWN = 8  # as many parts as are read at a glance; a call shows the rest
_GROUPS_SHOWN = 8  # names or models, as above
_TAGS_SHOWN = 12  # no call shows the rest, and few traces have more
_SCORES_SHOWN = 8  # as for tags


def build_outline(
    analysis: TraceAnalysis,
    *,
    alias: Alias,
    budget_tokens: int = DEFAULT_BUDGET,
    root: Node | None = None,
) -> str:
    """Header, findings, profile and tree within `budget_tokens` by `estimate_tokens`.

    With `root` only the tree below it is shown. What did not fit is counted, with the call that
    shows it. Equal input and equal aliases give equal text.
    """
    sheet = BudgetedText(max(0, budget_tokens - _CLOSING))
    if root is None:
        whole = sheet.left
        sheet.fill(_format_header(analysis), keep=whole * 6 // 10)
        _add_findings(sheet, analysis, alias, keep=whole * 35 // 100)
        sheet.fill(_format_profile(analysis, alias), keep=whole * 25 // 100)
    _add_tree(sheet, analysis, alias, root)
    closed = BudgetedText(budget_tokens)
    closed.fill(sheet.text().split("\n"))
    return closed.text()


def _format_header(analysis: TraceAnalysis) -> Iterator[str]:
    trace, tree, profile = analysis.trace, analysis.tree, analysis.profile
    failed = sum(1 for node in tree.nodes if node.error is not None)
    facts = [format_duration(analysis.wall_time), format_count(len(tree.nodes), "span")]
    facts.append(format_count(failed, "failed span"))
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
    for label, value in (("input", trace.input), ("output", trace.output)):
        if value is not None:
            yield f"{label}: {format_preview(value)}"
    yield from _format_limits(analysis)


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


def _format_limits(analysis: TraceAnalysis) -> Iterator[str]:
    """What is missing or irregular, so that the lack of a finding is not taken for health."""
    count = len(analysis.tree.nodes)
    if analysis.trace.span_count is not None and analysis.trace.span_count > count:
        yield f"only {count:,} of its {analysis.trace.span_count:,} spans were loaded"
    if len(analysis.bodies) < count:
        yield (
            f"inputs and outputs were read of {len(analysis.bodies):,} of {count:,} spans;"
            " the others were not examined"
        )
    by_warning = analysis.tree.ids_by_warning
    if by_warning:
        counts = [f"{warning.value}: {len(ids):,}" for warning, ids in by_warning.items()]
        yield f"irregular spans ({'; '.join(counts)})"
    if len(analysis.tree.roots) > 1 and TreeWarning.ORPHAN not in by_warning:
        yield f"{len(analysis.tree.roots):,} spans without a parent"
    reported, counted_here = analysis.profile.reported.tokens, analysis.profile.spend.tokens
    if reported > counted_here * 1.02 and counted_here:
        yield (
            f"Opik's total of {reported:,.0f} tokens counts wrapped calls more than once;"
            f" {counted_here:,.0f} were used"
        )


def _add_findings(sheet: BudgetedText, analysis: TraceAnalysis, alias: Alias, *, keep: int) -> None:
    sheet.add("")
    if not analysis.findings:
        sheet.add("Findings: none.")
        return
    sheet.add(f"Findings ({len(analysis.findings)}, most important first):", keep=keep)
    lines = (
        f"{place}. {format_finding(finding, alias=alias)}"
        for place, finding in enumerate(analysis.findings, 1)
    )
    shown = sheet.fill(lines, keep=keep)
    if shown < len(analysis.findings):
        left = len(analysis.findings) - shown
        sheet.add(f'{left} more; see get_trace_data(view="findings", offset={shown})')


def _format_profile(analysis: TraceAnalysis, alias: Alias) -> Iterator[str]:
    profile = analysis.profile
    if not analysis.tree.nodes:
        return
    yield ""
    yield f"Profile ({profile.parallelism:.1f} spans in parallel on average):"
    longest = sorted(profile.on_path.items(), key=lambda item: (-item[1], item[0]))
    parts = [
        f"{alias(span_id)} {one_line(analysis.tree.by_id[span_id].name, limit=40)}"
        f" {format_duration(time)} ({format_percent(time, profile.duration)})"
        for span_id, time in longest[:_PATH_SHOWN]
    ]
    more = len(longest) - len(parts)
    if more > 0:
        parts.append(f'{more:,} more in get_trace_data(view="critical_path")')
    yield f"- critical path, longest own parts: {', '.join(parts) or 'empty'}"
    yield f"- by name: {_format_groups(profile.by_name)}"
    if profile.by_model:
        yield f"- by model: {_format_groups(profile.by_model)}"
    for gap in profile.gaps[:2]:
        yield (
            f"- idle for {format_duration(gap.duration)}"
            f" ({format_percent(gap.duration, profile.duration)})"
            f" between {alias(gap.before.id)} and {alias(gap.after.id)}"
        )
    if profile.first_token:
        slowest = max(profile.first_token.items(), key=lambda item: (item[1], item[0]))
        yield f"- slowest first token: {format_duration(slowest[1] * 1_000)} in {alias(slowest[0])}"


def _format_groups(groups: Sequence[SpanGroup]) -> str:
    parts = []
    for group in groups[:_GROUPS_SHOWN]:
        text = f"{one_line(group.key, limit=48)} {group.count:,} × own {format_duration(group.own)}"
        extra = format_spending(group.spend)
        if group.failed:
            extra.append(f"{group.failed:,} failed")
        parts.append(text + (f" ({', '.join(extra)})" if extra else ""))
    more = len(groups) - len(parts)
    if more > 0:
        parts.append(f'{more:,} more in get_trace_data(view="profile")')
    return "; ".join(parts)


def _add_tree(
    sheet: BudgetedText, analysis: TraceAnalysis, alias: Alias, root: Node | None
) -> None:
    top = [root] if root is not None else list(analysis.tree.roots)
    if not top:
        sheet.add("")
        sheet.add("The trace has no spans.")
        return
    title = f"Tree ({PATH_MARK} on the critical path; shares are of the whole trace):"
    if not (sheet.add("") and sheet.add(title)):
        title = ""
    rows, hidden = plan_rows(analysis, top=top, budget_tokens=sheet.left - _CLOSING)
    shown = sheet.fill((row.text(analysis, alias=alias) for row in rows), keep=_CLOSING)
    hidden += sum(len(row.nodes) for row in rows[shown:] if row.kind != "rest")
    if hidden:
        sheet.add(
            f"{format_count(hidden, 'span')} not shown;"
            " open one with get_trace_data(root=its alias),"
            f' or list them with get_trace_data(sort="duration", offset=0)'
        )
