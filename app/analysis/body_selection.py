"""Selects the spans whose bodies to read of a trace that is too large to read them all."""

import heapq
import math
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from statistics import median

from app.analysis.grouping import group_by
from app.analysis.profile import Profile
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node, Tree

READ_ALL = 300  # up to this many spans every body is read, in three pages of 100
_MOST_READ = 200  # bodies read of a larger trace: at 30 KB each some 6 MB, read in 3 s
_ERRORS = 30  # failed spans whose surroundings are read; more errors of a trace mostly repeat
_NAMES = 30  # names of which unusual spans are read, so that each still gets several of 200
_UNUSUAL_OF_EACH_NAME = 4  # each is read with what is before and in it, so a dozen spans
_ALONE = 40  # unusual spans that are read before the surroundings of the first ones fill the room
_IN_A_ROW = 8  # of each name: rules need four peers and three equal calls to compare
_BEFORE = 3  # siblings before an unusual span, and spans in each: results that it may have used
_BEFORE_ERRORS = 5  # the same of a failed span, which is more often explained by them
_INSIDE = 6  # an unusual span and the first spans below it, whose bodies show what it did
_LEVELS_UP = 6  # ancestors of a failed span whose earlier siblings are read; few programs nest more
_BELOW_SIBLING = 4  # an earlier sibling and the first spans below it, which returned its result
_ENDS = 5  # first and last roots, which hold the input and the result of the trace
_LAST_RESULTS = 10  # spans that ended last: the result may lie in any of them
_UNFINISHED = 10  # those above the deepest one only wait for it
_LEAST_SPREAD_OF_TOKENS = 0.02  # where all but one call have equal counts, three tokens more tell
_LEAST_SPREAD = 0.1  # of the logarithm: below 10 % of spread nothing of a name is unusual


def select_bodies(analysis: TraceAnalysis, *, most: int = _MOST_READ) -> tuple[str, ...]:
    """Ids of the spans whose bodies to read: all of them up to 300 spans, else at most `most`.

    In this order: failed spans with what ran just before them, unfinished ones, roots and last
    results, unusual ones of each name (by tokens, duration and spans below) with what ran just
    before them, the longest parts of the critical path, some of every name spread over the time,
    the end of the longest row of each name, and more of every name while there is room. Equal
    input gives an equal choice.
    """
    tree, profile = analysis.tree, analysis.profile
    if len(tree.nodes) <= READ_ALL:
        return tuple(node.id for node in tree.nodes)
    named = _group_by_name(tree)
    spread = _select_spread(named)
    chosen: dict[str, None] = {}
    sources = (
        islice(_select_near_errors(tree), most // 2),
        islice((node for node in tree.nodes if not node.finished), _UNFINISHED),
        _select_ends(tree),
        islice(_select_unusual(named), most * 2 // 5),
        islice(_select_on_path(tree, profile), most // 10),
        islice(spread, most // 4),
        _select_in_a_row(named),
        spread,
    )
    for node in chain.from_iterable(sources):
        chosen.setdefault(node.id)
        if len(chosen) >= most:
            break
    return tuple(chosen)


def _select_near_errors(tree: Tree) -> Iterator[Node]:
    """Failed spans, those first whose error reached farthest up; the deepest of each branch first,
    with earlier siblings on the way up."""
    failed = [node for node in tree.nodes if node.error is not None]
    inner = [node for node in failed if not any(child.error is not None for child in node.children)]
    inner.sort(key=lambda node: (_depth_reached(node), node.end, node.index))
    for node in inner[:_ERRORS]:
        for step in reversed(node.path()[-_LEVELS_UP:]):
            yield step
            for other in tree.finished_before(step, _BEFORE_ERRORS):
                yield from tree.below(other)[:_BELOW_SIBLING]


def _depth_reached(node: Node) -> int:
    """The depth of the highest span in a row that failed with this one; 0 is a root."""
    while node.parent is not None and node.parent.error is not None:
        node = node.parent
    return node.depth


def _select_ends(tree: Tree) -> Iterator[Node]:
    yield from tree.roots[:_ENDS]
    yield from tree.roots[-_ENDS:]
    yield from heapq.nlargest(_LAST_RESULTS, tree.nodes, key=lambda node: (node.end, -node.index))


def _select_on_path(tree: Tree, profile: Profile) -> Iterator[Node]:
    longest = sorted(profile.on_path.items(), key=lambda item: (-item[1], item[0]))
    return (tree.by_id[span_id] for span_id, _ in longest)


def _group_by_name(tree: Tree) -> list[list[Node]]:
    """Spans of each name, the rarest name first."""
    named = group_by(tree.nodes, lambda node: node.name)
    return sorted(named.values(), key=lambda nodes: (len(nodes), nodes[0].index))


def _select_unusual(named: Sequence[Sequence[Node]]) -> Iterator[Node]:
    """Of each name the spans farthest from its median, one per name and round; then each again with
    what ran in it and just before it."""
    rounds = [found for nodes in named if len(nodes) > 2 and (found := _rank_unusual(nodes))]
    rounds.sort(key=lambda found: -found[0][0])
    unusual = [
        found[number][1]
        for number in range(_UNUSUAL_OF_EACH_NAME)
        for found in rounds[:_NAMES]
        if number < len(found)
    ]
    yield from unusual[:_ALONE]
    for node in unusual:
        yield from [node, *node.children[:_INSIDE]]
        siblings = node.parent.children if node.parent else []
        place = siblings.index(node) if siblings else 0
        for other in reversed(siblings[max(0, place - _BEFORE) : place]):
            yield from [other, *other.children[:_BEFORE]]


def _rank_unusual(nodes: Sequence[Node]) -> list[tuple[float, Node]]:
    """The most unusual spans of one name with their score: the first of each measure, the highest
    score first, then the next ones, so that no measure that varies much hides the others."""
    places: dict[int, tuple[int, float, Node]] = {}
    for measure, least_spread in _MEASURES:
        values = [math.log1p(measure(node)) for node in nodes]
        if min(values) == max(values):
            continue
        middle = median(values)
        distances = [abs(value - middle) for value in values]
        spread = max(least_spread, median(distances))
        scores = [distance / spread for distance in distances]
        least = heapq.nlargest(_UNUSUAL_OF_EACH_NAME, scores)[-1]
        far = [pair for pair in zip(scores, nodes, strict=True) if pair[0] >= least and pair[0]]
        best = heapq.nsmallest(
            _UNUSUAL_OF_EACH_NAME, far, key=lambda pair: (-pair[0], pair[1].index)
        )
        for place, (score, node) in enumerate(best):
            found = (place, -score, node)
            places[node.index] = min(places.get(node.index, found), found, key=_place_and_score)
    ranked = sorted(places.values(), key=lambda found: (*_place_and_score(found), found[2].index))
    return [(-score, node) for _, score, node in ranked[:_UNUSUAL_OF_EACH_NAME]]


def _place_and_score(found: tuple[int, float, Node]) -> tuple[int, float]:
    return found[:2]


_MEASURES: tuple[tuple[Callable[[Node], float], float], ...] = (
    (lambda node: node.view.usage.completion or 0.0, _LEAST_SPREAD_OF_TOKENS),
    (lambda node: node.view.usage.prompt or 0.0, _LEAST_SPREAD_OF_TOKENS),
    (lambda node: float(node.duration), _LEAST_SPREAD),
    (lambda node: float(node.size), _LEAST_SPREAD),
)


def _select_in_a_row(named: Sequence[Sequence[Node]]) -> Iterator[Node]:
    """The last spans of the longest row of each name; one per name and round."""
    rows = [_find_longest_row(nodes) for nodes in named if len(nodes) > 2]
    for round_number in range(_IN_A_ROW):
        for nodes in rows[:_NAMES]:
            yield from nodes[-1 - round_number : len(nodes) - round_number]


def _find_longest_row(nodes: Sequence[Node]) -> Sequence[Node]:
    """Those of them with one parent, of the parent with most of them; all where each has another.
    An agent that goes round does so until it is stopped, so that the last ones show it."""
    by_parent = group_by(nodes, lambda node: node.parent.index if node.parent else -1)
    longest = max(by_parent.values(), key=len)
    return longest if len(longest) > 1 else nodes


def _select_spread(named: Sequence[Sequence[Node]]) -> Iterator[Node]:
    """Spans of every name, evenly over the time: calls of models and tools before steps of the
    program, rare names before common ones; one per name and round."""
    ordered = sorted(named, key=lambda nodes: not nodes[0].view.calls_outside)
    waiting = [_iterate_spread(nodes) for nodes in ordered]
    while waiting:
        found = [(nodes, next(nodes, None)) for nodes in waiting]
        yield from (node for _, node in found if node is not None)
        waiting = [nodes for nodes, node in found if node is not None]


def _iterate_spread(nodes: Sequence[Node]) -> Iterator[Node]:
    """All of them: the first, then those halfway between the ones before, over and over."""
    step = 1 << (len(nodes) - 1).bit_length()
    yield nodes[0]
    while step > 1:
        yield from nodes[step // 2 :: step]
        step //= 2
