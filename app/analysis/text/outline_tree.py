"""The tree of an outline: what is worth a line comes first, the rest is counted.

Starting at the roots, the most important span is opened, as long as the lines of its
children fit: spans of findings, failed spans and the long parts of the critical path come before
others. Similar siblings share a line; spans with a single child each share one, too; a span that
stays closed says how much is below it.
"""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.analysis.json_values import without_numbers
from app.analysis.text.lines import format_group, format_span
from app.analysis.text.one_line import format_count, one_line
from app.analysis.text.token_budget import Alias, count_line_tokens
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_PLACEHOLDER = "s00000"
_GROUP_FROM = 3  # two similar siblings are as short alone as in a group
_CHAIN_FROM = 4  # A shorter chain is as short when each span has its line
_SINGLES = 24  # siblings with a line of their own: a thousand failed children stay readable
_DEEPEST_INDENT = 16  # deeper levels are not indented further: spaces cost tokens too
# Failed and unfinished spans (20) and spans of findings (up to 100) are above it, the longest
# part of the critical path (10) is below: see `_compute_weights`.
_IMPORTANT_WEIGHT = 15.0
_MARGIN = 2  # tokens added to each row, since the real alias may be longer than the placeholder
_REST = 40  # tokens kept for the row that counts the siblings left out
_ROWS_OF_ONE_LEVEL = 400  # rows of one level that are measured: more than any budget can hold


@dataclass(slots=True)
class OutlineRow:
    """One line of the tree. A group row has several `nodes`, a chain row the ends of a chain."""

    nodes: Sequence[Node]
    kind: str = "span"
    depth: int = 0
    below: "list[OutlineRow]" = field(default_factory=list)
    left_out: int = 0

    def spans(self) -> Sequence[Node]:
        """The spans at the top of the row; those of a chain lie below one another."""
        return self.nodes[:1] if self.kind == "chain" else self.nodes

    def text(self, analysis: TraceAnalysis, *, alias: Alias) -> str:
        indent = "  " * min(self.depth, _DEEPEST_INDENT)
        first = self.nodes[0]
        if self.kind == "group":
            longest = max(self.nodes, key=lambda node: (node.duration, -node.index))
            return indent + format_group(self.nodes, analysis, longest=alias(longest.id))
        if self.kind == "chain":
            names = f"{one_line(first.name, limit=40)} … {one_line(self.nodes[-1].name, limit=40)}"
            return f"{indent}{len(self.nodes):,} spans, each the only child of the last: {names}"
        if self.kind == "rest":
            parent = first.parent
            root = f'root="{alias(parent.id)}", ' if parent else ""
            more = format_count(self.left_out, "more span")
            return f'{indent}{more} here; see get_trace_data({root}sort="start", offset=0)'
        line = indent + format_span(first, analysis, name=alias(first.id))
        hidden = first.size - 1
        return f"{line} (+{hidden:,} below)" if hidden and not self.below else line


def plan_rows(
    analysis: TraceAnalysis, *, top: Sequence[Node], budget_tokens: int
) -> tuple[list[OutlineRow], int]:
    """Rows in reading order within the budget, and how many spans under `top` they do not show.

    Spans that share a row count as shown; spans below a closed row do not.
    """
    planner = _RowPlanner(analysis, budget_tokens)
    ordered = _in_order(planner.plan(top))
    shown = sum(len(row.nodes) for row in ordered if row.kind != "rest")
    return ordered, sum(node.size for node in top) - shown


def _in_order(rows: Sequence[OutlineRow]) -> list[OutlineRow]:
    ordered: list[OutlineRow] = []
    waiting = list(reversed(rows))
    while waiting:
        row = waiting.pop()
        ordered.append(row)
        waiting.extend(reversed(row.below))
    return ordered


class _RowPlanner:
    """Spends the budget on the most important rows."""

    def __init__(self, analysis: TraceAnalysis, budget_tokens: int) -> None:
        self._analysis = analysis
        self._left = budget_tokens
        self._named = {span_id for finding in analysis.findings for span_id in finding.spans[:2]}
        self._weights = self._compute_weights()
        self._waiting: list[tuple[float, int, OutlineRow]] = []

    def plan(self, top: Sequence[Node]) -> list[OutlineRow]:
        kept = self._take_affordable(self._build_rows(top, depth=0))
        while self._waiting:
            _, _, row = heapq.heappop(self._waiting)
            row.below = self._take_affordable(
                self._build_rows(row.nodes[-1].children, depth=row.depth + 1)
            )
        return kept

    def _compute_weights(self) -> list[float]:
        """How important the most important span at or below each span is, by place in the tree."""
        analysis = self._analysis
        weights = [0.0] * len(analysis.tree.nodes)
        wall = analysis.profile.duration or 1
        for span_id, time in analysis.profile.on_path.items():
            weights[analysis.tree.by_id[span_id].index] = 10.0 * time / wall
        for node in analysis.tree.nodes:
            if node.error is not None or not node.finished:
                weights[node.index] += 20.0
        for place, finding in enumerate(analysis.findings):
            for span_id in finding.spans[:4]:
                index = analysis.tree.by_id[span_id].index
                weights[index] = max(weights[index], 100.0 - place)
        for node in reversed(analysis.tree.nodes):
            if node.parent is not None:
                above = node.parent.index
                weights[above] = max(weights[above], weights[node.index])
        return weights

    def _build_rows(self, nodes: Sequence[Node], *, depth: int) -> list[OutlineRow]:
        """Siblings in the order they started: important ones alone, similar ones together."""
        if len(nodes) == 1:
            return [self._build_chain(nodes[0], depth)]
        alone = {node.id for node in self._important_nodes(nodes)}
        similar: dict[tuple[str, str], list[Node]] = {}
        for node in nodes:
            if node.id not in alone:
                similar.setdefault((without_numbers(node.name), node.span.type or ""), []).append(
                    node
                )
        rows = [OutlineRow([node], depth=depth) for node in nodes if node.id in alone]
        for group in similar.values():
            if len(group) >= _GROUP_FROM:
                rows.append(OutlineRow(group, "group", depth))
            else:
                rows.extend(OutlineRow([node], depth=depth) for node in group)
        return sorted(rows, key=lambda row: row.nodes[0].index)

    def _important_nodes(self, nodes: Sequence[Node]) -> list[Node]:
        important = [node for node in nodes if self._weights[node.index] >= _IMPORTANT_WEIGHT]
        important.sort(key=lambda node: (-self._weights[node.index], node.index))
        return important[:_SINGLES]

    def _build_chain(self, node: Node, depth: int) -> OutlineRow:
        chain = [node]
        while len(chain[-1].children) == 1:
            following = chain[-1].children[0]
            if following.id in self._named or not following.children:
                break
            chain.append(following)
        long = len(chain) >= _CHAIN_FROM and depth > 0 and node.id not in self._named
        return OutlineRow(chain, "chain", depth) if long else OutlineRow([node], depth=depth)

    def _take_affordable(self, rows: Sequence[OutlineRow]) -> list[OutlineRow]:
        """The rows of one level that fit, in order, and one that counts the others.

        The most important rows are taken first, and half of what is left is kept for the levels
        below, if there are any.
        """
        ranked = sorted(range(len(rows)), key=lambda at: (-self._row_weight(rows[at]), at))
        prices = {at: self._row_tokens(rows[at]) + _MARGIN for at in ranked[:_ROWS_OF_ONE_LEVEL]}
        whole = sum(prices.values()) if len(prices) == len(rows) else math.inf
        deeper = any(row.kind != "group" and row.nodes[-1].children for row in rows)
        limit = self._left // 2 if deeper and whole > self._left // 2 else self._left
        taken: set[int] = set()
        spent = _REST if whole > limit else 0
        for place, price in prices.items():
            if spent + price > limit:
                break
            spent += price
            taken.add(place)
        kept = [rows[place] for place in sorted(taken)]
        left_out = [row for place, row in enumerate(rows) if place not in taken]
        if kept and left_out:
            hidden = sum(node.size for row in left_out for node in row.spans())
            kept.append(OutlineRow(left_out[0].nodes, "rest", rows[0].depth, left_out=hidden))
        self._left -= spent if kept else 0
        for row in kept:
            if row.kind in ("span", "chain") and row.nodes[-1].children:
                urgency = row.depth * 0.5 - self._row_weight(row)
                heapq.heappush(self._waiting, (urgency, row.nodes[-1].index, row))
        return kept

    def _row_weight(self, row: OutlineRow) -> float:
        return max(self._weights[node.index] for node in row.nodes)

    def _row_tokens(self, row: OutlineRow) -> int:
        return count_line_tokens(row.text(self._analysis, alias=lambda _: _PLACEHOLDER))
