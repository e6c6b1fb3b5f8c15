"""The tree of a trace's spans, whatever list of spans comes in.

Instrumented programs leave broken trees behind: parents that never arrived, cycles of
parents, several roots, clocks that disagree, spans that never ended. Each is marked with a
`TreeWarning` and none is fatal. Building the tree is linear but for sorting, and nothing recurses.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from weakref import ReferenceType, ref

from app.analysis.recorded.recorded_span import RecordedSpan, view_span
from app.analysis.text.one_line import one_line
from app.opik.records import ErrorInfo, Span

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
CLOCK_TOLERANCE = 1_000  # microseconds: SDKs take a parent's end time before they record a child
_TITLE_LENGTH = 60  # characters of a name in a sentence
_EARLIER_SIBLINGS = 200  # before a span, looked at on each level: a parent of 10,000 stays cheap


class TreeWarning(StrEnum):
    """What is wrong with a span's place or times."""

    ORPHAN = "parent missing"
    CYCLE = "parents form a cycle"
    UNTIMED = "no start time"
    UNFINISHED = "never ended"
    NEGATIVE = "ends before it starts"
    EARLY = "starts before its parent"
    LATE = "ends after its parent"
    DUPLICATE = "id sent more than once"


@dataclass(slots=True, eq=False, weakref_slot=True)
class Node:
    """A span with its place in the tree.

    `start` and `end` are microseconds since 1970 with `start <= end` always; `end` of an unfinished
    span is the last moment anything below it is known to have run. `index` is the place in
    `Tree.nodes`, and the nodes below this one are `nodes[index + 1 : index + size]`.
    """

    span: Span
    start: int
    end: int
    warnings: tuple[TreeWarning, ...] = ()
    # Weak, so that the memory of a tree that nobody uses any more is free at once.
    _parent: "ReferenceType[Node] | None" = field(default=None, init=False, repr=False)
    children: "list[Node]" = field(default_factory=list, repr=False)
    depth: int = 0
    index: int = 0
    size: int = 1
    id: str = field(init=False)
    name: str = field(init=False)
    view: RecordedSpan = field(init=False, repr=False)
    _function_name: str = field(default="", init=False, repr=False)

    def __post_init__(self) -> None:
        self.id = self.span.id
        self.name = self.span.name or "unnamed"
        self.view = view_span(self.span)

    @property
    def parent(self) -> "Node | None":
        """The span that this one ran in; None for a root."""
        return None if self._parent is None else self._parent()

    @parent.setter
    def parent(self, node: "Node | None") -> None:
        self._parent = None if node is None else ref(node)

    def drop_view(self) -> None:
        """Forgets what was computed of the record, which takes as much memory as the record; it is
        computed anew where it is needed."""
        self.view = view_span(self.span)

    def add_bodies(self, span: Span) -> None:
        """Takes the record with its bodies in place of the one without."""
        self.span = span
        self.view = view_span(span)
        self._function_name = ""

    @property
    def function_name(self) -> str:
        """The name of the tool that the span ran where it is recorded beside the span's, which is
        the same for all tools in some SDKs (`ai.toolCall`); else the span's.

        Kept beside the view: all spans are compared by it, also after their views were dropped.
        """
        if not self._function_name:
            self._function_name = self.view.tool_name or self.name
        return self._function_name

    @property
    def title(self) -> str:
        """The span's name as sentences have it."""
        return one_line(self.name, limit=_TITLE_LENGTH)

    @property
    def function_title(self) -> str:
        """The name of its function as sentences have it."""
        return one_line(self.function_name, limit=_TITLE_LENGTH)

    @property
    def error(self) -> ErrorInfo | None:
        """The error of the span, wherever it was recorded."""
        return self.view.error

    @property
    def finished(self) -> bool:
        return TreeWarning.UNFINISHED not in self.warnings

    @property
    def duration(self) -> int:
        """Microseconds, never negative."""
        return self.end - self.start

    def holds(self, other: "Node") -> bool:
        """Whether the other span lies somewhere below this one."""
        return self.index < other.index < self.index + self.size

    def path(self) -> "list[Node]":
        """The nodes from the root down to this one, both included."""
        way: list[Node] = []
        node: Node | None = self
        while node is not None:
            way.append(node)
            node = node.parent
        return way[::-1]


by_start = attrgetter("start", "index")
"""The order in which spans started, as a key to sort by; those that started at once as they stand
in the tree."""


def by_end(node: Node) -> tuple[int, int]:
    """The order in which spans ended; of those that ended at once the inner one comes first."""
    return node.end, -node.index


@dataclass(frozen=True, slots=True)
class Tree:
    """All spans in pre-order; siblings by start, then id, so the order of arrival is forgotten.

    `ids_by_warning` has the warnings that occur, with ids in tree order. `start` and `end` enclose
    every span (0 and 0 without any).
    """

    nodes: tuple[Node, ...]
    roots: tuple[Node, ...]
    by_id: Mapping[str, Node]
    ids_by_warning: Mapping[TreeWarning, tuple[str, ...]]
    start: int
    end: int

    def below(self, node: Node) -> Sequence[Node]:
        """The node and everything under it, in pre-order."""
        return self.nodes[node.index : node.index + node.size]

    def sibling_groups(self) -> Iterator[Sequence[Node]]:
        """The roots, then the children of each node that has any, in the order they started."""
        yield self.roots
        yield from (node.children for node in self.nodes if node.children)

    def siblings(self, node: Node) -> Sequence[Node]:
        """The children of its parent or the roots, the node among them, in the order they
        started."""
        return node.parent.children if node.parent else self.roots

    def finished_before(self, node: Node, most: int) -> list[Node]:
        """Siblings that had ended when `node` started, at most so many, the latest first."""
        siblings = self.siblings(node)
        before = (
            other
            for other in siblings
            if other is not node and other.end <= node.start + CLOCK_TOLERANCE
        )
        return heapq.nlargest(most, before, key=lambda other: (other.end, -other.index))

    def earlier(self, node: Node) -> Iterator[tuple[int, Node]]:
        """Spans that had finished when `node` started and whose results could have reached it:
        its earlier siblings with all below them (level 0), then those of each ancestor (1, 2, ...);
        on each level the latest first, at most 200."""
        for level, step in enumerate(reversed(node.path())):
            for other in self.finished_before(step, _EARLIER_SIBLINGS):
                yield from ((level, below) for below in self.below(other))


def to_microseconds(moment: datetime) -> int:
    """Microseconds since 1970; a time without a zone is UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MICROSECOND


def build_tree(spans: Iterable[Span]) -> Tree:
    """Puts spans in their places. Takes any list, also an empty one; raises nothing."""
    records = list(spans)
    nodes = {span_id: _build_node(span) for span_id, span in newest_by_id(records).items()}
    if len(nodes) < len(records):
        for span_id, count in Counter(span.id for span in records).items():
            if count > 1:
                nodes[span_id].warnings += (TreeWarning.DUPLICATE,)
    _link_parents(nodes)
    _break_cycles(nodes)
    roots = sorted((node for node in nodes.values() if node.parent is None), key=_start_order)
    ordered = tuple(_iterate_preorder(roots))
    _close_unfinished(ordered)
    _warn_outside_parent(ordered)
    return Tree(
        nodes=ordered,
        roots=tuple(roots),
        by_id={node.id: node for node in ordered},
        ids_by_warning=_ids_by_warning(ordered),
        start=min((node.start for node in ordered), default=0),
        end=max((node.end for node in ordered), default=0),
    )


def newest_by_id(spans: Iterable[Span]) -> dict[str, Span]:
    """The newest record of each id, since a backend may send a span more than once."""
    chosen: dict[str, Span] = {}
    for span in spans:
        known = chosen.setdefault(span.id, span)
        if known is not span and _freshness_key(span) > _freshness_key(known):
            chosen[span.id] = span
    return chosen


def _freshness_key(span: Span) -> tuple[bool, int]:
    updated = to_microseconds(span.last_updated_at) if span.last_updated_at else 0
    return span.end_time is not None, updated


def _build_node(span: Span) -> Node:
    if span.start_time is None:
        moment = to_microseconds(span.end_time) if span.end_time else 0
        return Node(span, moment, moment, (TreeWarning.UNTIMED,))
    start = to_microseconds(span.start_time)
    if span.end_time is not None:
        end = to_microseconds(span.end_time)
    elif span.duration is not None:
        end = start + round(span.duration * 1_000)
    else:
        return Node(span, start, start, (TreeWarning.UNFINISHED,))
    if end < start:
        return Node(span, start, start, (TreeWarning.NEGATIVE,))
    return Node(span, start, end)


def _link_parents(nodes: Mapping[str, Node]) -> None:
    for node in nodes.values():
        parent_id = node.span.parent_span_id
        if not parent_id:
            continue
        parent = nodes.get(parent_id)
        if parent is None:
            node.warnings += (TreeWarning.ORPHAN,)
        else:
            node.parent = parent


_start_order = attrgetter("start", "id")


def _break_cycles(nodes: Mapping[str, Node]) -> None:
    """Makes the earliest span of each cycle of parents a root, then fills in the children."""
    settled: set[str] = set()
    for span_id, first in nodes.items():
        above = first.parent
        if above is None or above.id in settled:
            settled.add(span_id)
            continue
        way: dict[str, Node] = {}
        node: Node | None = first
        while node is not None and node.id not in settled:
            if node.id in way:
                ids = list(way)
                cycle = [way[each] for each in ids[ids.index(node.id) :]]
                top = min(cycle, key=_start_order)
                top.parent = None
                top.warnings += (TreeWarning.CYCLE,)
                break
            way[node.id] = node
            node = node.parent
        settled.update(way)
    for node in nodes.values():
        above = node.parent
        if above is not None:
            above.children.append(node)


def _iterate_preorder(roots: Sequence[Node]) -> Iterator[Node]:
    waiting = list(reversed(roots))
    index = 0
    while waiting:
        node = waiting.pop()
        node.index = index
        index += 1
        yield node
        children = node.children
        if children:
            if len(children) > 1:
                children.sort(key=_start_order)
            depth = node.depth + 1
            for child in children:
                child.depth = depth
            waiting.extend(reversed(children))


def _close_unfinished(ordered: Sequence[Node]) -> None:
    """Sizes of subtrees, and the ends of unfinished spans from what ran below them."""
    last = [node.end for node in ordered]
    for node in reversed(ordered):
        ended = last[node.index]
        if node.warnings and not node.finished:
            node.end = max(node.end, ended)
        parent = node.parent
        if parent is not None:
            parent.size += node.size
            last[parent.index] = max(last[parent.index], ended, node.end)


def _warn_outside_parent(ordered: Sequence[Node]) -> None:
    for node in ordered:
        parent = node.parent
        if parent is None:
            continue
        early = node.start < parent.start - CLOCK_TOLERANCE
        late = node.end > parent.end + CLOCK_TOLERANCE
        if not (early or late) or TreeWarning.UNTIMED in (*node.warnings, *parent.warnings):
            continue
        if early:
            node.warnings += (TreeWarning.EARLY,)
        if late:
            node.warnings += (TreeWarning.LATE,)


def _ids_by_warning(ordered: Sequence[Node]) -> dict[TreeWarning, tuple[str, ...]]:
    found: dict[TreeWarning, list[str]] = {}
    for node in ordered:
        for warning in node.warnings:
            found.setdefault(warning, []).append(node.id)
    return {warning: tuple(found[warning]) for warning in TreeWarning if warning in found}
