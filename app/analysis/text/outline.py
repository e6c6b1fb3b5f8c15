"""The outline of a trace: what the model reads first."""

from collections.abc import Iterator, Sequence

from app.analysis.baseline_findings import format_baseline
from app.analysis.profile import SpanGroup
from app.analysis.text.coverage import list_unread, list_unrecorded
from app.analysis.text.lines import (
    PATH_MARK,
    format_finding,
    format_gap,
    format_note,
    format_spending,
)
from app.analysis.text.one_line import (
    format_count,
    format_duration,
    format_percent,
    one_line,
)
from app.analysis.text.outline_header import format_header
from app.analysis.text.outline_previews import plan_previews
from app.analysis.text.outline_rows import RowKind, SpanLines
from app.analysis.text.outline_tree import plan_rows
from app.analysis.text.token_budget import (
    Alias,
    BudgetedText,
    SteadyAlias,
)
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

DEFAULT_BUDGET = 6_000  # tokens: leaves room for questions and tools in a context of 32,000
# Percent of the budget that the rows of the tree may take; more where bodies were not read, which
# have no previews. Fixed shares, so that the rows stay the same when findings or notes are added;
# previews of inputs and outputs get what is left.
_SHARE_OF_ROWS = 50
_SHARE_OF_ROWS_WITHOUT_BODIES = 65
_CLOSING = 60  # tokens kept for the last line, which counts what did not fit
_PATH_SHOWN = 8  # as many parts as are read at a glance; a call shows the rest
_GROUPS_SHOWN = 8  # names or models, as above
_NOTES_SHOWN = 6  # notes are read in passing; a call shows the rest


def build_outline(
    analysis: TraceAnalysis,
    *,
    alias: Alias,
    budget_tokens: int = DEFAULT_BUDGET,
    root: Node | None = None,
) -> str:
    """Header, findings, notes, profile and tree within `budget_tokens` by `estimate_tokens`.

    With `root` only the tree below it is shown. What did not fit is counted, with the call that
    shows it. Equal input and equal aliases give equal text.
    """
    alias = SteadyAlias(alias)
    sheet = BudgetedText(max(0, budget_tokens - _CLOSING), alias=alias)
    whole = sheet.left
    if root is None:
        for culprit in [span for each in analysis.findings[:1] for span in each.spans[:1]]:
            alias(culprit)  # s1, whatever the header names
        sheet.fill(format_header(analysis, alias), keep=whole * 75 // 100)
        _add_findings(sheet, analysis, alias, keep=whole * 60 // 100)
        _add_notes(sheet, analysis, alias, keep=whole * 57 // 100)
        sheet.fill(_format_profile(analysis, alias), keep=whole * 52 // 100)
    all_read = len(analysis.bodies) >= len(analysis.tree.nodes)
    share = _SHARE_OF_ROWS if all_read else _SHARE_OF_ROWS_WITHOUT_BODIES
    _add_tree(sheet, analysis, alias, root, row_tokens=whole * share // 100)
    if sheet.tokens <= budget_tokens:
        return sheet.text()
    closed = BudgetedText(budget_tokens)  # aliases were longer than the longest usual one
    closed.fill(sheet.text().split("\n"))
    return closed.text()


def _add_findings(sheet: BudgetedText, analysis: TraceAnalysis, alias: Alias, *, keep: int) -> None:
    sheet.add("")
    if not analysis.findings:
        gaps = any(list_unread(analysis)) or any(list_unrecorded(analysis, str))
        where = " in what was recorded and read; see above what was not" if gaps else ""
        sheet.add(f"Findings: none{where}.")
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


def _add_notes(sheet: BudgetedText, analysis: TraceAnalysis, alias: Alias, *, keep: int) -> None:
    if not (analysis.notes and sheet.add("", keep=keep)):
        return
    sheet.add("Notes (unusual but harmless):", keep=keep)
    lines = (f"- {format_note(note, alias=alias)}" for note in analysis.notes[:_NOTES_SHOWN])
    shown = sheet.fill(lines, keep=keep)
    if shown < len(analysis.notes):
        place = len(analysis.findings) + shown
        left = len(analysis.notes) - shown
        sheet.add(f'{left} more; see get_trace_data(view="findings", offset={place})')


def _format_profile(analysis: TraceAnalysis, alias: Alias) -> Iterator[str]:
    profile = analysis.profile
    if not analysis.tree.nodes:
        return
    yield ""
    yield f"Profile ({profile.parallelism:.1f} spans in parallel on average):"
    longest = sorted(profile.on_path.items(), key=lambda item: (-item[1], item[0]))
    shown = longest[:_PATH_SHOWN]
    parts = [
        f"{alias(span_id)} {one_line(analysis.tree.by_id[span_id].name, limit=40)}"
        for span_id, _ in shown
    ]
    times = [
        f"{format_duration(time)} ({format_percent(time, profile.duration)})" for _, time in shown
    ]
    if len(times) > _PATH_SHOWN // 2 and len(set(times)) == 1:
        parts[-1] += f", {times[0]} each"
    else:
        parts = [f"{part} {time}" for part, time in zip(parts, times, strict=True)]
    more = len(longest) - len(parts)
    if more > 0:
        parts.append(f'{more:,} more in get_trace_data(view="critical_path")')
    yield f"- critical path, most of its time in: {', '.join(parts) or 'empty'}"
    yield f"- by name: {_format_groups(profile.by_name)}"
    if profile.by_model:
        yield f"- by model: {_format_groups(profile.by_model)}"
    for gap in profile.gaps[:2]:
        yield f"- {format_gap(gap, profile.duration, alias=alias)}"
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
    sheet: BudgetedText,
    analysis: TraceAnalysis,
    alias: Alias,
    root: Node | None,
    *,
    row_tokens: int,
) -> None:
    """The tree with `row_tokens` for its rows; previews get the rest of the sheet."""
    top = [root] if root is not None else list(analysis.tree.roots)
    if not top:
        sheet.add("")
        sheet.add("The trace has no spans.")
        return
    title = (
        f"Tree ({PATH_MARK} on the critical path; shares are of the whole trace;"
        " of spans that share a line … stands for what differs):"
    )
    if not (sheet.add("") and sheet.add(title)):
        title = ""
    span_lines = SpanLines(analysis)
    rows, hidden = plan_rows(
        span_lines, top=top, budget_tokens=min(row_tokens, sheet.left - _CLOSING)
    )
    left = sheet.left - sum(row.tokens for row in rows) - _CLOSING
    header = [] if root else [analysis.trace.input, analysis.trace.output]
    previews = plan_previews(rows, span_lines, known=header, budget_tokens=left)
    lines = (row.text(span_lines, alias=alias) + previews.text(row, alias) for row in rows)
    shown = sheet.fill(lines, keep=_CLOSING)
    hidden += sum(len(row.nodes) for row in rows[shown:] if row.kind is not RowKind.STRETCH)
    if hidden:
        closed = [row.nodes[-1] for row in rows[:shown] if row.opens and not row.below]
        largest = max(closed, key=lambda node: node.size, default=None)
        opened = (
            f" open those below {alias(largest.id)}"
            f' with get_trace_data(root="{alias(largest.id)}"), or'
            if largest
            else ""
        )
        sheet.add(
            f"{format_count(hidden, 'span')} not shown;{opened}"
            ' list all spans with get_trace_data(sort="duration", offset=0)'
        )


def describe_late_findings(analysis: TraceAnalysis, known: TraceAnalysis, *, alias: Alias) -> str:
    """The baseline and the findings that `known`, an earlier analysis of the trace, had not: for a
    reader of the outline of `known`."""
    lines = []
    if known.baseline is None and (baseline := format_baseline(analysis)):
        lines.append(baseline)
    lines += [
        f"finding: {format_finding(each, alias=alias)}"
        for each in analysis.findings
        if each not in known.findings
    ]
    return "\n".join(["[known since the outline was written]", *lines]) if lines else ""
