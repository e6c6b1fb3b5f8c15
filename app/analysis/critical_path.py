"""The critical path: which spans the trace would have to shorten to end sooner.

The algorithm is that of the critical path in Jaeger's UI. It starts at the end of a span and goes
back in time: the child that finished last delayed the span, so the path goes through it; from the
start of that child it continues with the siblings that had finished by then. Time in which no
child is on the path is the span's part of it: more than its own time where children that are
not on the path ran meanwhile. A sibling that ends exactly where the next one starts
is on the path too. Every moment belongs to exactly one segment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.analysis.tree import CLOCK_TOLERANCE, Node, Tree


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the path, microseconds since 1970; `node` is None between several roots."""

    node: Node | None
    start: int
    end: int

    @property
    def duration(self) -> int:
        return self.end - self.start


@dataclass(slots=True)
class _Visit:
    """A span the walk is inside of: `cursor` moves from its `end` back to its `start`."""

    node: Node | None
    start: int
    end: int
    cursor: int
    children: list[Node]


def _start_visit(node: Node | None, start: int, end: int, *, children: Sequence[Node]) -> _Visit:
    """Children sorted so that `pop` gives the last finisher; the longer one where two tie.

    A child that runs on after the end was not waited for, where another that ended in time was
    still running or began after it.
    """
    waited_for = [child for child in children if child.end <= end + CLOCK_TOLERANCE]
    last = max((child.end for child in waited_for), default=start)
    ordered = [
        child for child in children if child.end <= end + CLOCK_TOLERANCE or child.start >= last
    ]
    ordered.sort(key=lambda child: (child.end, -child.start, child.id))
    return _Visit(node, start, end, end, ordered)


def find_critical_path(
    tree: Tree, root: Node | None = None, *, between: tuple[int, int] | None = None
) -> tuple[Segment, ...]:
    """The path below `root` in the order of time, segments without length left out.

    Without `root` it runs through the only root, or through all of them: from the first start to
    the last end. `between` (microseconds since 1970) makes it run through that interval only. The
    segments touch one another and add up to that duration exactly. What children do outside their
    parent's time is not counted.
    """
    if root is None and len(tree.roots) == 1:
        root = tree.roots[0]
    if root is not None:
        start, end = between or (root.start, root.end)
        visits = [_start_visit(root, start, end, children=root.children)]
    else:
        start, end = between or (tree.start, tree.end)
        visits = [_start_visit(None, start, end, children=tree.roots)]
    backwards: list[Segment] = []
    while visits:
        visit = visits[-1]
        child = _next_child(visit)
        if child is None:
            if visit.start < visit.cursor:
                backwards.append(Segment(visit.node, visit.start, visit.cursor))
            visits.pop()
            continue
        start, end = max(child.start, visit.start), min(child.end, visit.cursor)
        if end < visit.cursor:
            backwards.append(Segment(visit.node, end, visit.cursor))
        visit.cursor = start
        if child.children:
            visits.append(_start_visit(child, start, end, children=child.children))
        else:
            backwards.append(Segment(child, start, end))
    return tuple(reversed(backwards))


def sum_time_on_path(path: Iterable[Segment]) -> dict[str, int]:
    """Microseconds of the path that are each span's part, by span id, in the path's order."""
    times: dict[str, int] = {}
    for segment in path:
        if segment.node is not None:
            times[segment.node.id] = times.get(segment.node.id, 0) + segment.duration
    return times


def _next_child(visit: _Visit) -> Node | None:
    """The last finisher before the cursor that took any time inside the visited span.

    At the end of the span that includes a child that ran on after it.
    """
    while visit.children:
        child = visit.children.pop()
        if child.end > visit.cursor and visit.cursor < visit.end:
            continue
        if max(child.start, visit.start) < min(child.end, visit.cursor):
            return child
    return None
