"""Where a trace spends its time, tokens and money.

Wrappers often repeat what their children report (an agent span with the sum of its model calls, an
integration around an integration). So a span owns only what exceeds the sum of the spans below it:
whatever the nesting, nothing is counted twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from app.analysis.critical_path import Segment, find_critical_path, sum_time_on_path
from app.analysis.recorded.computed_once import computed_once
from app.analysis.spending import (
    NO_SPENDING,
    TokensAndCost,
    read_reported,
    read_spending,
    sum_spending,
)
from app.analysis.tree import Node, Tree, to_microseconds
from app.opik.records import Trace

_LEAST_GAP_SHARE = 0.05  # share of the trace that an idle gap must take to matter
_GAPS_KEPT = 5  # gaps kept, the longest first; texts show two to five
_GAPS_CHECKED = 50  # against the branches beside them, the longest first: each may have thousands


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
    """A time without work between two children of `parent` (None: between roots), microseconds.

    `is_shared` says that spans of other branches ran in it: then only `parent` waited."""

    parent: Node | None
    before: Node
    after: Node
    start: int
    duration: int
    is_shared: bool = False


@dataclass(frozen=True)
class Profile:
    """The measures of one trace. Times are microseconds; lists by node are in tree order.

    `start` and `end` are those of the root, or of the trace where it has several: what lies outside
    them, such as a span of a machine whose clock is off, lengthens nothing. `parallelism` is how
    many spans did work of their own at a time, on average, while any did.

    The times are measured once. What spans report in their metadata, tokens and errors, is summed
    up when it is first asked for: `dataclasses.replace` makes a profile that sums up anew.
    """

    trace: Trace
    tree: Tree
    start: int
    end: int
    path: tuple[Segment, ...]
    on_path: Mapping[str, int]
    own_time: Sequence[int]
    busy: int
    parallelism: float
    gaps: tuple[IdleGap, ...]

    @property
    def duration(self) -> int:
        return self.end - self.start

    @computed_once
    def own_spend(self) -> Sequence[TokensAndCost]:
        """What each span adds to the spans below it."""
        return _compute_own_spend(self.tree)

    @computed_once
    def spend(self) -> TokensAndCost:
        return sum_spending(self.own_spend)

    @computed_once
    def reported(self) -> TokensAndCost:
        """What the trace record itself says was spent; wrappers may count twice in it."""
        return read_reported(self.trace)

    @computed_once
    def by_model(self) -> tuple[SpanGroup, ...]:
        return _group_spans(self, by_model=True)

    @computed_once
    def by_name(self) -> tuple[SpanGroup, ...]:
        return _group_spans(self, by_model=False)

    @computed_once
    def first_token(self) -> Mapping[str, float]:
        """The time to first token in milliseconds by span id, where it was recorded."""
        nodes = self.tree.nodes
        # Where a span has neither, nothing was recorded of it.
        able = [node for node in nodes if node.span.ttft is not None or node.span.metadata]
        times = [(node.id, node.view.first_token) for node in able]
        return {span_id: time for span_id, time in times if time is not None}


def build_profile(trace: Trace, tree: Tree) -> Profile:
    """The profile of a tree; works on an empty one, too."""
    start, end = _find_interval(trace, tree)
    path = find_critical_path(tree, between=(start, end))
    own_time = _compute_own_times(tree)
    busy = _covered_time(tree.roots, start, end)
    worked = sum(own_time)
    return Profile(
        trace,
        tree,
        start,
        end,
        path=path,
        on_path=sum_time_on_path(path),
        own_time=own_time,
        busy=busy,
        parallelism=worked / busy if busy else 0.0,
        gaps=_find_longest_gaps(tree, start, end, path),
    )


def _find_interval(trace: Trace, tree: Tree) -> tuple[int, int]:
    """When the trace began and ended: its only root; else the trace record, which a root of
    another clock does not lengthen, where any root lies in it; else all roots."""
    roots = tree.roots
    if not roots:
        return 0, 0
    if len(roots) == 1 and roots[0].finished:
        return roots[0].start, roots[0].end
    start, end = min(node.start for node in roots), max(node.end for node in roots)
    if trace.start_time is not None and trace.end_time is not None:
        began, ended = to_microseconds(trace.start_time), to_microseconds(trace.end_time)
        if any(node.start < ended and node.end > began for node in roots):
            return max(start, began), min(end, ended)
    return start, end


def _compute_own_spend(tree: Tree) -> list[TokensAndCost]:
    """What each span adds to the spans below it, bottom up."""
    below = [NO_SPENDING] * len(tree.nodes)
    own = [NO_SPENDING] * len(tree.nodes)
    for node in reversed(tree.nodes):
        inner = below[node.index]
        spent = read_spending(node)
        if spent is NO_SPENDING and inner is NO_SPENDING:
            continue
        if spent is not NO_SPENDING:
            own[node.index] = spent.beyond(inner)
        added = sum_spending((inner, own[node.index]))
        if added is not NO_SPENDING and (parent := node.parent) is not None:
            below[parent.index] = sum_spending((below[parent.index], added))
    return own


def _compute_own_times(tree: Tree) -> list[int]:
    """The time of each span that none of its children covers."""
    return [
        node.duration - _covered_time(node.children, node.start, node.end) for node in tree.nodes
    ]


def _covered_time(nodes: Sequence[Node], start: int, end: int) -> int:
    """How much of an interval the spans cover together, given in the order of their starts."""
    covered, last = 0, start
    for node in nodes:
        begin, until = max(node.start, last), min(node.end, end)
        if until > begin:
            covered += until - begin
            last = until
    return covered


def _find_longest_gaps(
    tree: Tree, start: int, end: int, path: Sequence[Segment]
) -> tuple[IdleGap, ...]:
    """Gaps in which no span ran beside those that were open, and those in which the critical path
    waited. Others cost no time."""
    least = max(1, round((end - start) * _LEAST_GAP_SHARE))
    gaps = list(_find_idle_gaps(None, tree.roots, least, start, end))
    for node in tree.nodes:
        if len(node.children) > 1:
            gaps.extend(_find_idle_gaps(node, node.children, least, node.start, node.end))
    gaps.sort(key=lambda gap: (-gap.duration, gap.before.index))
    kept: list[IdleGap] = []
    for gap in gaps[:_GAPS_CHECKED]:
        if not _is_shared(gap, tree):
            kept.append(gap)
        elif any(each.node is gap.parent and each.start <= gap.start < each.end for each in path):
            kept.append(replace(gap, is_shared=True))
    return tuple(kept[:_GAPS_KEPT])


def _is_shared(gap: IdleGap, tree: Tree) -> bool:
    """Whether a span that does not hold the gap ran during it."""
    until = gap.start + gap.duration
    node = gap.parent
    while node is not None:
        beside = tree.roots if node.parent is None else node.parent.children
        for other in beside:
            if other.start >= until:
                break
            if other is not node and other.end > gap.start and other.duration:
                return True
        node = node.parent
    return False


def _find_idle_gaps(
    parent: Node | None, children: Sequence[Node], least: int, start: int, end: int
) -> Iterator[IdleGap]:
    """Gaps between children, inside the interval in which their parent ran."""
    latest = None
    for child in children:
        if latest is not None:
            begin = max(latest.end, start)
            gap = min(child.start, end) - begin
            if gap >= least and latest.end > start and child.start < end:
                yield IdleGap(parent, latest, child, begin, gap)
        if latest is None or child.end > latest.end:
            latest = child


def _group_spans(profile: Profile, *, by_model: bool) -> tuple[SpanGroup, ...]:
    """Groups by name, or by model of the spans that name one; the longest own time first."""
    members: dict[str, list[Node]] = {}
    for node in profile.tree.nodes:
        key = node.span.model if by_model else node.name
        if key:
            members.setdefault(key, []).append(node)
    own_time, own_spend = profile.own_time, profile.own_spend
    groups = [
        SpanGroup(
            key=key,
            count=len(nodes),
            failed=sum([node.error is not None for node in nodes]),
            total=sum([node.duration for node in nodes]),
            own=sum([own_time[node.index] for node in nodes]),
            longest=max([node.duration for node in nodes]),
            spend=sum_spending([own_spend[node.index] for node in nodes]),
        )
        for key, nodes in members.items()
    ]
    return tuple(sorted(groups, key=lambda group: (-group.own, -group.count, group.key)))
