"""Where a trace spends its time, tokens and money.

Wrappers often repeat what their children report (an agent span with the sum of its model calls, an
integration around an integration). So a span owns only what exceeds the sum of the spans below it:
whatever the nesting, nothing is counted twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.analysis.critical_path import Segment, find_critical_path, sum_time_on_path
from app.analysis.tree import Node, Tree
from app.opik.records import Span, Trace

_LEAST_GAP_SHARE = 0.05  # share of the trace that an idle gap must take to matter
_GAPS_KEPT = 5  # gaps kept, the longest first; texts show two to five


@dataclass(frozen=True, slots=True)
class TokensAndCost:
    """Tokens and US dollars."""

    prompt: float = 0.0
    completion: float = 0.0
    tokens: float = 0.0
    cost: float = 0.0

    def __add__(self, other: "TokensAndCost") -> "TokensAndCost":
        return TokensAndCost(
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.tokens + other.tokens,
            self.cost + other.cost,
        )

    def beyond(self, other: "TokensAndCost") -> "TokensAndCost":
        """What of this exceeds the other, never below zero."""
        return TokensAndCost(
            max(0.0, self.prompt - other.prompt),
            max(0.0, self.completion - other.completion),
            max(0.0, self.tokens - other.tokens),
            max(0.0, self.cost - other.cost),
        )


NO_SPENDING = TokensAndCost()


@dataclass(frozen=True, slots=True)
class SpanGroup:
    """All spans of one name, or all calls of one model. Times in microseconds.

    `total` adds the durations up, also of parallel spans; `own` leaves out their children.
    """

    key: str
    count: int
    failed: int
    total: int
    own: int
    longest: int
    spend: TokensAndCost


@dataclass(frozen=True, slots=True)
class IdleGap:
    """A time without work between two children of `parent` (None: between roots), microseconds."""

    parent: Node | None
    before: Node
    after: Node
    duration: int


@dataclass(frozen=True, slots=True)
class Profile:
    """The measures of one trace. Times are microseconds; lists by node are in tree order.

    `parallelism` is how many spans did work of their own at a time, on average, while any did.
    `first_token` is the time to first token in milliseconds by span id, where it was recorded.
    `reported` is what the trace record itself says was spent; wrappers may count twice in it.
    """

    duration: int
    path: tuple[Segment, ...]
    on_path: Mapping[str, int]
    own_time: Sequence[int]
    busy: int
    parallelism: float
    gaps: tuple[IdleGap, ...]
    own_spend: Sequence[TokensAndCost]
    spend: TokensAndCost
    reported: TokensAndCost
    by_model: tuple[SpanGroup, ...]
    by_name: tuple[SpanGroup, ...]
    first_token: Mapping[str, float]


def build_profile(trace: Trace, tree: Tree) -> Profile:
    """The profile of a tree; works on an empty one, too."""
    path = find_critical_path(tree)
    own_time, gaps = _compute_own_times(tree)
    own_spend = _compute_own_spend(tree)
    busy = _covered_time([(node.start, node.end) for node in tree.roots])
    worked = sum(own_time)
    return Profile(
        duration=tree.end - tree.start,
        path=path,
        on_path=sum_time_on_path(path),
        own_time=own_time,
        busy=busy,
        parallelism=worked / busy if busy else 0.0,
        gaps=tuple(gaps),
        own_spend=own_spend,
        spend=sum(own_spend, NO_SPENDING),
        reported=sum_tokens_and_cost(trace),
        by_model=_group_spans(tree, own_time, own_spend, by_model=True),
        by_name=_group_spans(tree, own_time, own_spend, by_model=False),
        first_token={node.id: node.span.ttft for node in tree.nodes if node.span.ttft is not None},
    )


def sum_tokens_and_cost(record: Trace | Span) -> TokensAndCost:
    """What a record itself reports, under the field names of any SDK generation."""
    usage = record.usage
    prompt = usage.get("prompt_tokens", usage.get("input_tokens", 0.0))
    completion = usage.get("completion_tokens", usage.get("output_tokens", 0.0))
    tokens = usage.get("total_tokens", prompt + completion)
    return TokensAndCost(prompt, completion, tokens, record.total_estimated_cost or 0.0)


def _compute_own_spend(tree: Tree) -> list[TokensAndCost]:
    """What each span adds to the spans below it, bottom up."""
    below = [NO_SPENDING] * len(tree.nodes)
    own = [NO_SPENDING] * len(tree.nodes)
    for node in reversed(tree.nodes):
        span = node.span
        if span.usage or span.total_estimated_cost:
            own[node.index] = sum_tokens_and_cost(span).beyond(below[node.index])
        if node.parent is not None:
            index = node.parent.index
            below[index] = below[index] + below[node.index] + own[node.index]
    return own


def _compute_own_times(tree: Tree) -> tuple[list[int], list[IdleGap]]:
    """The time of each span that none of its children covers, and the longest idle gaps."""
    own = [0] * len(tree.nodes)
    least = max(1, round((tree.end - tree.start) * _LEAST_GAP_SHARE))
    gaps = _find_idle_gaps(None, tree.roots, least)
    for node in tree.nodes:
        inside = [
            (max(child.start, node.start), min(child.end, node.end)) for child in node.children
        ]
        own[node.index] = node.duration - _covered_time(inside)
        gaps.extend(_find_idle_gaps(node, node.children, least))
    gaps.sort(key=lambda gap: (-gap.duration, gap.before.index))
    return own, gaps[:_GAPS_KEPT]


def _covered_time(intervals: Sequence[tuple[int, int]]) -> int:
    """How much time the intervals cover together, given in the order of their starts."""
    covered, last = 0, -1
    for start, end in intervals:
        begin = max(start, last)
        if end > begin:
            covered += end - begin
            last = end
    return covered


def _find_idle_gaps(parent: Node | None, children: Sequence[Node], least: int) -> list[IdleGap]:
    gaps = []
    latest = None
    for child in children:
        if latest is not None and child.start - latest.end >= least:
            gaps.append(IdleGap(parent, latest, child, child.start - latest.end))
        if latest is None or child.end > latest.end:
            latest = child
    return gaps


def _group_spans(
    tree: Tree, own_time: Sequence[int], own_spend: Sequence[TokensAndCost], *, by_model: bool
) -> tuple[SpanGroup, ...]:
    """Groups by name, or by model of the spans that name one; the longest own time first."""
    members: dict[str, list[Node]] = {}
    for node in tree.nodes:
        key = node.span.model if by_model else node.name
        if key:
            members.setdefault(key, []).append(node)
    groups = [
        SpanGroup(
            key=key,
            count=len(nodes),
            failed=sum(1 for node in nodes if node.error is not None),
            total=sum(node.duration for node in nodes),
            own=sum(own_time[node.index] for node in nodes),
            longest=max(node.duration for node in nodes),
            spend=sum((own_spend[node.index] for node in nodes), NO_SPENDING),
        )
        for key, nodes in members.items()
    ]
    return tuple(sorted(groups, key=lambda group: (-group.own, -group.count, group.key)))
