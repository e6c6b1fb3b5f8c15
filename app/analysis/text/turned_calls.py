"""Calls in branches that ran beside one another, which stand in another order than they began.

A tree lists one branch after the other. Of two calls for the same thing, such as two writes of one
record, the one that stands below may have begun first.
"""

from collections.abc import Callable, Iterator, Sequence, Set
from itertools import combinations, pairwise

from app.analysis.grouping import group_by
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import CLOCK_TOLERANCE, Node

_MOST_SPANS = 400  # of a trace: in larger ones few calls have a line of their own
_MOST_ALIKE = 4  # calls of one name for one thing: more have a word or a setting in common
_LEAST_TARGET = 3  # characters: shorter texts are languages, units and the like
_NOTABLE = 0.01  # share of the trace by which a start differs, as for spans side by side

Pieces = Sequence[tuple[str, str]]


def find_turned(analysis: TraceAnalysis, pieces_of: Callable[[Node], Pieces]) -> Set[str]:
    """The ids of calls without spans below that have the same name, and one text of the input in
    common, as calls of a branch beside theirs, and stand in another order than they began."""
    if len(analysis.tree.nodes) > _MOST_SPANS or analysis.profile.parallelism <= 1:
        return frozenset()
    leaves = [
        node
        for node in analysis.tree.nodes
        if node.parent is not None
        and not (node.children or node.view.is_model_call)
        and analysis.was_read(node)
    ]
    least = max(CLOCK_TOLERANCE, _NOTABLE * analysis.profile.duration)
    turned: set[str] = set()
    for named in group_by(leaves, lambda node: node.name).values():
        starts = [node.start for node in named]
        if all(later >= start - least for start, later in pairwise(starts)):
            continue
        for alike in group_by(_iterate_targets(named, pieces_of), lambda pair: pair[0]).values():
            nodes = [node for _, node in alike[: _MOST_ALIKE + 1]]
            for above, below in combinations(nodes if len(nodes) <= _MOST_ALIKE else (), 2):
                if below.start < above.start - least and _ran_beside(above, below):
                    turned |= {above.id, below.id}
    return turned


def _iterate_targets(
    nodes: Sequence[Node], pieces_of: Callable[[Node], Pieces]
) -> Iterator[tuple[tuple[str, str], Node]]:
    """What each call may be about: its texts that are no numbers, with their keys."""
    for node in nodes:
        for label, text in pieces_of(node):
            if len(text) >= _LEAST_TARGET and not text.replace(".", "").lstrip("-").isdecimal():
                yield (label, text), node


def _ran_beside(one: Node, other: Node) -> bool:
    """Whether the branches overlap in which two spans are, of the one span above both."""
    while one.parent is not other.parent:
        deeper, rest = (one, other) if one.depth >= other.depth else (other, one)
        if deeper.parent is None:
            return False
        one, other = deeper.parent, rest
    first, later = (one, other) if one.start <= other.start else (other, one)
    return later.start < first.end - CLOCK_TOLERANCE
