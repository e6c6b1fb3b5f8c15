"""Detailed views of an analysed trace, as bounded texts."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from app.analysis.critical_path import find_critical_path
from app.analysis.profile import Profile, SpanGroup
from app.analysis.text.coverage import list_unrecorded
from app.analysis.text.lines import (
    format_finding,
    format_gap,
    format_note,
    format_span,
    format_spending,
)
from app.analysis.text.one_line import format_count, format_duration, format_percent, one_line
from app.analysis.text.token_budget import Alias, BudgetedText
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node, Tree, TreeWarning, to_microseconds

DEFAULT_BUDGET = 2_000  # tokens of a page: a third of an outline, so that a few pages fit beside it
_CACHEABLE = 1_024  # tokens: providers cache no shorter prompts
_CLOSING = 50  # tokens kept for the last line, with the call for the next page

Status = Literal["ok", "error", "unfinished"]
Sort = Literal["start", "duration", "own_time", "cost", "tokens"]


def format_findings(
    analysis: TraceAnalysis, *, alias: Alias, offset: int = 0, budget_tokens: int = DEFAULT_BUDGET
) -> str:
    """The findings and then the notes from `offset` on, one a line."""
    first_note = len(analysis.findings)
    total = first_note + len(analysis.notes)
    title = ""
    if not analysis.findings:
        read = (
            f"inputs and outputs of {len(analysis.bodies):,} of {len(analysis.tree.nodes):,} spans"
        )
        gaps = "".join(f"; {gap}" for gap in list_unrecorded(analysis, alias))
        title = f"No findings. Looked at: all spans' structure, {read}{gaps}."

    def write_line(place: int) -> str:
        if place < first_note:
            return f"{place + 1}. {format_finding(analysis.findings[place], alias=alias)}"
        note = format_note(analysis.notes[place - first_note], alias=alias)
        return f"{place + 1}. note (unusual but harmless): {note}"

    lines = (write_line(place) for place in range(offset, total))
    call = 'view="findings"'
    return format_page(
        lines, offset, budget_tokens, what="line", call=call, title=title, total=total
    )


# Segments below a share of the path are left out where they are a small share together: of a path
# that is made of small ones all are shown.
_SMALL = 0.01
_SMALL_TOGETHER = 0.05


def format_critical_path(
    analysis: TraceAnalysis,
    *,
    alias: Alias,
    root: Node | None = None,
    offset: int = 0,
    budget_tokens: int = DEFAULT_BUDGET,
) -> str:
    """The segments of the path through the trace, or below `root`, in the order of time."""
    segments = find_critical_path(analysis.tree, root)
    if not segments:
        return "The critical path is empty: nothing took any time."
    zero, whole = segments[0].start, segments[-1].end - segments[0].start
    count = format_count(len(segments), "segment")
    title = f"Critical path, {count}, {format_duration(whole)} in total:"
    small = [each for each in segments if each.duration < _SMALL * whole]
    together = sum(each.duration for each in small)
    if len(small) > 1 and together <= _SMALL_TOGETHER * whole:
        segments = tuple(each for each in segments if each.duration >= _SMALL * whole)
        share = format_percent(together, whole)
        title = f"{title[:-1]}, without {len(small):,} of less than {_SMALL:.0%} each ({share}):"
    lines = (
        f"at {format_duration(segment.start - zero)}: {_format_node(segment.node, alias)}"
        f" {format_duration(segment.duration)} ({format_percent(segment.duration, whole)})"
        for segment in segments[offset:]
    )
    where = f', root="{alias(root.id)}"' if root else ""
    call = f'view="critical_path"{where}'
    total = len(segments)
    return format_page(
        lines, offset, budget_tokens, what="segment", call=call, title=title, total=total
    )


def _format_node(node: Node | None, alias: Alias) -> str:
    return f"{alias(node.id)} {one_line(node.name)}" if node else "between the roots"


def format_profile(
    analysis: TraceAnalysis, *, alias: Alias, offset: int = 0, budget_tokens: int = DEFAULT_BUDGET
) -> str:
    """Time, tokens and cost by name and model, idle gaps, times to first token."""
    profile = analysis.profile
    lines = [
        f"wall time {format_duration(profile.duration)},"
        f" {profile.parallelism:.2f} spans in parallel on average"
        f" while any ran ({format_duration(profile.busy)})",
        f"spent: {', '.join(format_spending(profile.spend)) or 'no tokens or cost recorded'}",
    ]
    lines += [f"model {_format_group_line(group)}" for group in profile.by_model]
    lines += [format_gap(gap, profile.duration, alias=alias) for gap in profile.gaps]
    slowest = sorted(profile.first_token.items(), key=lambda item: (-item[1], item[0]))
    lines += [
        f"first token after {format_duration(time * 1_000)} in {alias(span_id)}"
        for span_id, time in slowest[:5]
    ]
    lines += [f"name {_format_group_line(group)}" for group in profile.by_name]
    total, call = len(lines), 'view="profile"'
    return format_page(lines[offset:], offset, budget_tokens, what="line", call=call, total=total)


def _format_group_line(group: SpanGroup) -> str:
    parts = [
        f"{one_line(group.key)}: {group.count:,} ×",
        f"own time {format_duration(group.own)}",
        f"durations add up to {format_duration(group.total)}",
        f"longest {format_duration(group.longest)}",
        *format_spending(group.spend),
    ]
    if group.failed:
        parts.append(f"{group.failed:,} failed")
    return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class SpanFilter:
    """Which spans of a trace: those below `root` (itself included) that pass every filter.

    `name` matches any part of a name, whatever its case.
    """

    root: Node | None = None
    name: str | None = None
    type: str | None = None
    status: Status | None = None
    min_duration_ms: float | None = None

    def select(self, tree: Tree) -> list[Node]:
        """The spans in tree order."""
        nodes = tree.below(self.root) if self.root is not None else tree.nodes
        wanted = (self.name or "").casefold()
        return [node for node in nodes if wanted in node.name.casefold() and self._passes(node)]

    def _passes(self, node: Node) -> bool:
        return (
            (self.type is None or (node.span.type or "general") == self.type)
            and (self.status is None or _node_status(node) == self.status)
            and (self.min_duration_ms is None or node.duration >= self.min_duration_ms * 1_000)
        )

    def format_call(self, alias: Alias, **more: str | None) -> str:
        """The arguments of the call that asks for these spans, and more of them."""
        given = {
            "root": alias(self.root.id) if self.root else None,
            "name": one_line(self.name, limit=60) if self.name else None,
            "type": one_line(self.type, limit=20) if self.type else None,
            "status": self.status,
            "min_duration_ms": self.min_duration_ms,
            **more,
        }
        return ", ".join(
            f"{key}={json.dumps(value, ensure_ascii=False)}"
            for key, value in given.items()
            if value is not None
        )


def list_spans(
    analysis: TraceAnalysis,
    wanted: SpanFilter,
    *,
    alias: Alias,
    sort: Sort = "start",
    offset: int = 0,
    budget_tokens: int = DEFAULT_BUDGET,
) -> str:
    """The spans of a filter, one a line, each with its start from that of the trace. Sorts put the
    greatest first, `start` the earliest. What does not fit is counted, with the call for it."""
    found = wanted.select(analysis.tree)
    order, measure = _SORTS[sort]
    found.sort(key=lambda node: (-measure(node, analysis.profile), node.index))
    title = f"{format_count(len(found), 'span')}, {order}:"
    zero = trace_start(analysis)
    lines = (
        f"{format_span(node, analysis, name=alias(node.id))}{_format_extras(node, zero)}"
        for node in found[offset:]
    )
    call = wanted.format_call(alias, sort=sort)
    return format_page(
        lines, offset, budget_tokens, what="span", call=call, title=title, total=len(found)
    )


def trace_start(analysis: TraceAnalysis) -> int:
    """When the trace began, microseconds since 1970."""
    began = analysis.trace.start_time
    return to_microseconds(began) if began else analysis.tree.start


def _format_extras(node: Node, zero: int) -> str:
    """When it began, and cached tokens: also that there are none where a prompt is long enough."""
    parts = []
    if TreeWarning.UNTIMED not in node.warnings:
        parts.append(f"began at {format_duration(node.start - zero)}")
    usage = node.view.usage
    if usage.cached or (usage.cached is not None and (usage.prompt or 0) >= _CACHEABLE):
        parts.append(f"{usage.cached:,.0f} cached tokens")
    return "".join(f", {part}" for part in parts)


# How the list is described, and the measure of which the greatest comes first.
_SORTS: dict[Sort, tuple[str, Callable[[Node, Profile], float]]] = {
    "start": ("in the order of time", lambda node, profile: -node.start),
    "duration": ("longest first", lambda node, profile: node.duration),
    "own_time": ("most own time first", lambda node, profile: profile.own_time[node.index]),
    "cost": ("most expensive first", lambda node, _: node.span.total_estimated_cost or 0.0),
    "tokens": ("most tokens first", lambda node, profile: profile.own_spend[node.index].tokens),
}


def _node_status(node: Node) -> Status:
    if node.error is not None:
        return "error"
    return "ok" if node.finished else "unfinished"


def format_page(
    lines: Iterable[str],
    offset: int,
    budget_tokens: int,
    *,
    what: str,
    call: str,
    total: int,
    title: str = "",
    tool: str = "get_trace_data",
) -> str:
    """The title and the lines that fit, and how to get the rest. `lines` begin at `offset`."""
    sheet = BudgetedText(budget_tokens)
    if title:
        sheet.add(title, keep=_CLOSING)
    shown = sheet.fill(lines, keep=_CLOSING)
    left = total - offset - shown
    if left > 0:
        more = format_count(left, f"more {what}")
        sheet.add(f"{more}; see {tool}({call}, offset={offset + shown})")
    return sheet.text()
