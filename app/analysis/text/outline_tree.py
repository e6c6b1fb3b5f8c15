"""The tree of an outline: what is worth a line comes first, the rest is counted.

Starting at the roots, the most important span is opened, as long as the lines of its
children fit: spans of findings, failed spans and the long parts of the critical path come before
others. Siblings stay in the order they started, each with a line of its own where all fit in half
of the room, but for those that did the same with other values (`alike_spans`), which always share
one that names each; then similar ones in a row share a line, and what still does not fit is
counted in its place. Room that is left lists similar spans that returned different things. Spans
with a single child each share one line; a span that stays closed says how much is below it.
"""

import heapq
from collections.abc import Iterable, Sequence
from itertools import groupby

from app.analysis.text.alike_spans import FOLD_FROM, group_alike, similarity
from app.analysis.text.outline_rows import OutlineRow, RowKind, SpanLines
from app.analysis.text.token_budget import LONGEST_ALIAS, count_line_tokens
from app.analysis.tree import Node

_GROUP_FROM = 3  # two similar siblings are as short alone as in a group
_CHAIN_FROM = 4  # A shorter chain is as short when each span has its line
_SINGLES = 24  # important siblings with a line of their own: a thousand failed ones stay readable
# Failed and unfinished spans (20) and spans of findings (up to 100) are above it, the longest
# part of the critical path (10) is below: see `_compute_weights`.
_IMPORTANT_WEIGHT = 15.0
_TOKENS_OF_MEMBER = 5  # of ` | s00000` before what a folded span was given
_STRETCH_TOKENS = 60  # of the row that counts siblings left out, as long as it usually is
_LEAST_ROW_TOKENS = 10  # of a span with a short name and no model
_SHORTEST_ROW_TOKENS = 8  # of one whose name and type cannot be shown: no row has fewer
_ROWS_OF_ONE_LEVEL = 400  # rows of one level that are measured: more than any budget can hold
_ENDS = 3  # siblings at either end of a level, where its input and result are
_WEIGHT_OF_ENDS = 1.0  # above a tenth of the critical path, below all that failed
_WEIGHT_OF_NOTES = 4.0  # as a step that takes 40 % of the time; such a step is not always odd
_LONGEST_SEQUENCE = 6  # steps of a framework's chain: prompt, model, parser, and a few more
_SPANS_OF_FINDING = 4  # the culprit, and enough others to see the pattern
_DROPPED_PART = 12  # one in so many rows is dropped at a time, where an estimate was too low


def plan_rows(
    lines: SpanLines, *, top: Sequence[Node], budget_tokens: int
) -> tuple[list[OutlineRow], int]:
    """Rows in reading order within the budget, and how many spans under `top` they do not show.

    Similar spans that share a row and those of a chain count as shown; spans below a closed row and
    those of a stretch do not. Aliases count as the longest ones.
    """
    planner = _RowPlanner(lines, budget_tokens)
    ordered = _in_order(planner.plan(top))
    shown = sum(len(row.nodes) for row in ordered if row.kind is not RowKind.STRETCH)
    return ordered, sum(node.size for node in top) - shown


def _in_order(rows: Sequence[OutlineRow]) -> list[OutlineRow]:
    ordered: list[OutlineRow] = []
    waiting = list(reversed(rows))
    while waiting:
        row = waiting.pop()
        if not row.members:
            ordered.append(row)
        waiting.extend(reversed(row.members or row.below))
    return ordered


class _RowPlanner:
    """Spends the budget on the most important rows."""

    def __init__(self, lines: SpanLines, budget_tokens: int) -> None:
        self._lines = lines
        self._analysis = analysis = lines.analysis
        self._left = budget_tokens
        self._named = {span_id for finding in analysis.findings for span_id in finding.spans[:2]}
        self._weights = self._compute_weights()
        self._waiting: list[tuple[float, int, OutlineRow]] = []

    def plan(self, top: Sequence[Node]) -> list[OutlineRow]:
        kept = self._take_affordable(top, depth=0)
        while self._waiting and self._left >= _SHORTEST_ROW_TOKENS:
            _, _, row = heapq.heappop(self._waiting)
            row.below = self._take_affordable(row.opens, depth=row.depth + 1)
        for row in sorted(_in_order(kept), key=lambda row: -self._row_weight(row)):
            if row.kind is RowKind.GROUP and self._differ(row.nodes):
                self._list_members(row)
        return kept

    def _list_members(self, group: OutlineRow) -> None:
        """Lists the spans of a group one by one, as far as there is room left."""
        rows = self._fold_alike(group.nodes, group.depth)
        room = self._left + group.tokens
        members, price = self._choose_rows(rows, group.nodes, room)
        if sum(len(row.nodes) for row in members) > _GROUP_FROM:
            members[0].before = group.before
            group.members = members
            self._left = room - price

    def _differ(self, nodes: Sequence[Node]) -> bool:
        """Whether similar spans returned different things, by the first, middle and last one."""
        samples = [nodes[0], nodes[len(nodes) // 2], nodes[-1]]
        if not all(map(self._analysis.was_read, samples)):
            return False
        shown = {self._lines.previews(node)[1].text() for node in samples}
        return len(shown) == len(samples) and "" not in shown

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
        for note in analysis.notes:
            for span_id in note.spans[:_SPANS_OF_FINDING]:
                weights[analysis.tree.by_id[span_id].index] += _WEIGHT_OF_NOTES
        for place, finding in enumerate(analysis.findings):
            for span_id in finding.spans[:_SPANS_OF_FINDING]:
                index = analysis.tree.by_id[span_id].index
                weights[index] = max(weights[index], 100.0 - place)
        for node in reversed(analysis.tree.nodes):
            weight = weights[node.index]
            if weight and (parent := node.parent) is not None and weight > weights[parent.index]:
                weights[parent.index] = weight
        return weights

    def _take_affordable(self, nodes: Sequence[Node], *, depth: int) -> list[OutlineRow]:
        """The rows of siblings that fit, in the order they started; half of what is left is kept
        for the levels below, if there are any and all rows do not fit into the other half."""
        deeper = any(node.children for node in nodes)
        limit = self._left // 2 if deeper else self._left
        rows, price = self._fit_level(nodes, depth, limit)
        if not rows:
            return []
        self._left -= price
        for row in rows:
            if row.opens:
                urgency = row.depth * 0.5 - self._row_weight(row)
                heapq.heappush(self._waiting, (urgency, row.nodes[-1].index, row))
        return rows

    def _fit_level(
        self, nodes: Sequence[Node], depth: int, limit: int
    ) -> tuple[list[OutlineRow], int]:
        """The rows of one level and their tokens: each span alone, else similar ones in a row
        together, else the most important ones and how many are between them."""
        if len(nodes) == 1:
            rows = [self._build_chain(nodes[0], depth)]
            price = self._row_tokens(rows[0])
            return (rows, price) if price <= self._left else ([], 0)
        if len(nodes) * _LEAST_ROW_TOKENS <= limit:
            single = self._fold_alike(nodes, depth)
            price = sum(map(self._row_tokens, single))
            if price <= limit // 2:
                return single, price
            grouped = self._group_similar(nodes, depth)
            if price <= limit and len(grouped) >= len(single):
                return single, price
        else:
            grouped = self._group_similar(nodes, depth)
        return self._choose_rows(grouped, nodes, limit)

    def _group_similar(self, nodes: Sequence[Node], depth: int) -> list[OutlineRow]:
        """Rows in the order of time: similar siblings in a row share one, important ones do not."""
        alone = self._important_ids(nodes) | self._find_examples(nodes)

        def kind(node: Node) -> tuple[str, str, str]:
            return (*similarity(node), node.id if node.id in alone else "")

        rows: list[OutlineRow] = []
        for _, members in groupby(nodes, key=kind):
            found = list(members)
            if len(found) >= _GROUP_FROM:
                rows.append(OutlineRow(found, RowKind.GROUP, depth))
            else:
                rows.extend(OutlineRow([node], depth=depth) for node in found)
        _set_siblings_before(rows, nodes)
        return rows

    def _fold_alike(self, nodes: Sequence[Node], depth: int) -> list[OutlineRow]:
        """A row for each span; those that did the same share one. Of those with spans below the
        first has a row of its own, which can be opened and shows what each of them does."""
        if len(nodes) < FOLD_FROM or not all(map(self._analysis.was_read, nodes)):
            groups = [[node] for node in nodes]
        else:
            groups = group_alike(nodes, self._is_important, self._lines)
        rows: list[OutlineRow] = []
        opened: set[tuple[str, str]] = set()
        for members in groups:
            kind = similarity(members[0])
            alone = len(members) == 1 or (bool(members[0].children) and kind not in opened)
            opened.add(kind)
            if alone:
                rows.append(OutlineRow(members[:1], depth=depth))
            if members[alone:]:
                rows.append(OutlineRow(members[alone:], RowKind.FOLD, depth))
        rows = self._join_prompts(rows) if len(nodes) <= _LONGEST_SEQUENCE else rows
        _set_siblings_before(rows, nodes)
        return rows

    def _join_prompts(self, rows: Sequence[OutlineRow]) -> list[OutlineRow]:
        """A step that only made the prompt of the model call after it shares its row."""
        joined: list[OutlineRow] = []
        for row in rows:
            before = joined[-1] if joined else None
            if before is not None and self._is_prompt(before.nodes, row.nodes[0]):
                row.nodes = [*row.nodes, *before.nodes]
                joined.pop()
            joined.append(row)
        return joined

    def _is_prompt(self, nodes: Sequence[Node], call: Node) -> bool:
        step = nodes[0]
        if len(nodes) > 1 or step.children or step.view.is_model_call or self._is_important(step):
            return False
        if not (call.view.is_model_call and all(map(self._analysis.was_read, (step, call)))):
            return False
        made, given = self._lines.previews(step)[1], self._lines.previews(call)[0]
        return bool(made.messages) and given.equals(made)

    def _is_important(self, node: Node) -> bool:
        return self._weights[node.index] >= _IMPORTANT_WEIGHT

    def _find_examples(self, nodes: Sequence[Node]) -> set[str]:
        """Of each long row of similar siblings with spans below, the longest whose bodies were
        read: it can be opened and shows what each of them does."""

        def worth(node: Node) -> tuple[bool, int, int]:
            return self._analysis.was_read(node), node.duration, -node.index

        runs = (list(members) for _, members in groupby(nodes, key=similarity))
        return {
            max(run, key=worth).id
            for run in runs
            if len(run) > _GROUP_FROM and all(node.children for node in run)
        }

    def _important_ids(self, nodes: Sequence[Node]) -> set[str]:
        important = [node for node in nodes if self._weights[node.index] >= _IMPORTANT_WEIGHT]
        important.sort(key=lambda node: (-self._weights[node.index], node.index))
        return {node.id for node in important[:_SINGLES]}

    def _build_chain(self, node: Node, depth: int) -> OutlineRow:
        chain = [node]
        while len(chain[-1].children) == 1:
            following = chain[-1].children[0]
            if following.id in self._named or not following.children:
                break
            chain.append(following)
        long = len(chain) >= _CHAIN_FROM and depth > 0 and node.id not in self._named
        return OutlineRow(chain if long else [node], RowKind.CHAIN if long else RowKind.SPAN, depth)

    def _choose_rows(
        self, rows: Sequence[OutlineRow], nodes: Sequence[Node], limit: int
    ) -> tuple[list[OutlineRow], int]:
        """The most important rows, with stretches of what is between them, within `limit`."""
        last = len(rows) - 1
        ends = {*range(_ENDS), *range(last - _ENDS + 1, last + 1)}

        def rank(place: int) -> tuple[float, int]:
            bonus = _WEIGHT_OF_ENDS if place in ends else 0.0
            return -self._row_weight(rows[place]) - bonus, place

        ranked = sorted(range(len(rows)), key=rank)[:_ROWS_OF_ONE_LEVEL]
        # Priced as they are taken: of hundreds few fit.
        prices = ((place, self._row_tokens(rows[place])) for place in ranked)
        taken = _take_places(prices, len(rows), limit)
        while taken:
            kept = _fill_stretches(rows, set(taken), nodes)
            price = sum(map(self._row_tokens, kept))
            if price <= limit:
                return kept, price
            taken = taken[: -max(1, len(taken) // _DROPPED_PART)]
        kept = _fill_stretches(rows, set(), nodes)
        price = sum(map(self._row_tokens, kept))
        return (kept, price) if price <= limit else ([], 0)

    def _row_weight(self, row: OutlineRow) -> float:
        return max(self._weights[node.index] for node in row.nodes)

    def _row_tokens(self, row: OutlineRow) -> int:
        if not row.tokens:
            row.tokens = count_line_tokens(row.text(self._lines, alias=_longest_alias))
            if row.kind is RowKind.FOLD:
                row.tokens += _TOKENS_OF_MEMBER * len(row.nodes)
        return row.tokens


def _longest_alias(_: str) -> str:
    return LONGEST_ALIAS


def _set_siblings_before(rows: Sequence[OutlineRow], nodes: Sequence[Node]) -> None:
    place = 0
    for row in rows:
        row.before = nodes[place - 1] if place else None
        place += len(row.nodes)


def _take_places(prices: Iterable[tuple[int, int]], count: int, limit: int) -> list[int]:
    """As many of the places, in their order, as fit together with the stretches between them."""
    taken: set[int] = set()
    spent = _STRETCH_TOKENS
    order: list[int] = []
    for place, price in prices:
        neighbours = (place == 0 or place - 1 in taken) + (place == count - 1 or place + 1 in taken)
        spent += price + _STRETCH_TOKENS * (1 - neighbours)
        if spent > limit:
            break
        taken.add(place)
        order.append(place)
    return order


def _fill_stretches(
    rows: Sequence[OutlineRow], taken: set[int], nodes: Sequence[Node]
) -> list[OutlineRow]:
    """The taken rows, and stretches of the others; one or two spans are as short alone."""
    kept: list[OutlineRow] = []
    for is_taken, places in groupby(range(len(rows)), key=taken.__contains__):
        found = [rows[place] for place in places]
        if is_taken or (len(found) < _GROUP_FROM and taken):
            kept.extend(found)
        else:
            inside = [node for row in found for node in row.nodes]
            kept.append(OutlineRow(inside, RowKind.STRETCH, found[0].depth))
    _set_siblings_before(kept, nodes)
    return kept
