"""Which spans' bodies to read of a trace that has too many spans to read them all."""

import heapq
import math
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from statistics import median

from app.analysis.profile import Profile, sum_tokens_and_cost
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node, Tree

READ_ALL = 300
"""Up to so many spans, every body is read."""

_ERRORS = 30
_NAMES = 30
_ODD_OF_EACH_NAME = 4
_IN_A_ROW = 8
_BEFORE = 3
_BEFORE_ERRORS = 5
_INSIDE = 6


def select_bodies(analysis: TraceAnalysis, *, most: int = 200) -> tuple[str, ...]:
    """Ids of the spans whose bodies tell the most; all of them up to 300 spans, else `most`.

    In turn: failed spans with what ran just before them, unfinished ones, the roots and the last
    results, the odd ones of each name (by tokens, duration and number of children) with what ran
    just before them, the longest parts of the critical path, and a few of each name in a row.
    """
    tree, profile = analysis.tree, analysis.profile
    if len(tree.nodes) <= READ_ALL:
        return tuple(node.id for node in tree.nodes)
    named = _by_name(tree)
    chosen: dict[str, None] = {}
    sources = (
        islice(_near_errors(tree), most // 2),
        islice((node for node in tree.nodes if not node.finished), 10),
        _endings(tree),
        islice(_odd_ones(named), most * 2 // 5),
        islice(_on_path(tree, profile), most // 10),
        _in_a_row(named),
    )
    for node in chain.from_iterable(sources):
        chosen.setdefault(node.id)
        if len(chosen) >= most:
            break
    return tuple(chosen)


def _near_errors(tree: Tree) -> Iterator[Node]:
    """Failed spans, the deepest of each branch first, with earlier siblings on the way up."""
    failed = [node for node in tree.nodes if node.span.has_error]
    inner = [node for node in failed if not any(child.span.has_error for child in node.children)]
    inner.sort(key=lambda node: (node.end, node.index))
    for node in inner[:_ERRORS]:
        for step in reversed(node.path()[-6:]):
            yield step
            for other in _before(step, tree):
                yield from tree.below(other)[:4]


def _before(node: Node, tree: Tree) -> list[Node]:
    """The siblings that ended last before this span started."""
    siblings = node.parent.children if node.parent else tree.roots
    done = (other for other in siblings if other.end <= node.start + 1_000 and other is not node)
    return heapq.nlargest(_BEFORE_ERRORS, done, key=lambda other: (other.end, -other.index))


def _endings(tree: Tree) -> Iterator[Node]:
    yield from tree.roots[:5]
    yield from tree.roots[-5:]
    yield from heapq.nlargest(10, tree.nodes, key=lambda node: (node.end, -node.index))


def _on_path(tree: Tree, profile: Profile) -> Iterator[Node]:
    longest = sorted(profile.on_path.items(), key=lambda item: (-item[1], item[0]))
    return (tree.by_id[span_id] for span_id, _ in longest)


def _by_name(tree: Tree) -> list[list[Node]]:
    """Spans of each name, the rarest name first; names that hardly repeat tell little here."""
    named: dict[str, list[Node]] = {}
    for node in tree.nodes:
        named.setdefault(node.name, []).append(node)
    return sorted(named.values(), key=lambda nodes: (len(nodes), nodes[0].index))


def _odd_ones(named: Sequence[Sequence[Node]]) -> Iterator[Node]:
    """Of each name those farthest from its middle, and what ran before each; turn by turn."""
    rounds = [_farthest(nodes) for nodes in named if len(nodes) > 2]
    rounds.sort(key=lambda found: -found[0][0])
    for turn in range(_ODD_OF_EACH_NAME):
        for found in rounds[:_NAMES]:
            for _, node in found[turn : turn + 1]:
                yield from [node, *node.children[:_INSIDE]]
                siblings = node.parent.children if node.parent else []
                place = siblings.index(node) if siblings else 0
                for other in reversed(siblings[max(0, place - _BEFORE) : place]):
                    yield from [other, *other.children[:_BEFORE]]


def _farthest(nodes: Sequence[Node]) -> list[tuple[float, Node]]:
    """The oddest spans of one name with how odd they are, the oddest first."""
    scores = [0.0] * len(nodes)
    for measure in _MEASURES:
        values = [math.log1p(measure(node)) for node in nodes]
        middle = median(values)
        spread = max(0.1, median(abs(value - middle) for value in values))
        scores = [
            max(score, abs(value - middle) / spread)
            for score, value in zip(scores, values, strict=True)
        ]
    ranked = sorted(zip(scores, nodes, strict=True), key=lambda pair: (-pair[0], pair[1].index))
    return ranked[:_ODD_OF_EACH_NAME]


_MEASURES: tuple[Callable[[Node], float], ...] = (
    lambda node: sum_tokens_and_cost(node.span).completion,
    lambda node: sum_tokens_and_cost(node.span).prompt,
    lambda node: float(node.duration),
    lambda node: float(node.size),
)


def _in_a_row(named: Sequence[Sequence[Node]]) -> Iterator[Node]:
    """The first spans of each name, which are most often children of one parent; turn by turn."""
    rounds = [nodes for nodes in named if len(nodes) > 2]
    for turn in range(_IN_A_ROW):
        for nodes in rounds[:_NAMES]:
            yield from nodes[turn : turn + 1]
