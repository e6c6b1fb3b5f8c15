"""Steps that were to keep the best of a list and kept the worst: a sort in the wrong direction.

A step ranks or cuts a list whose items have scores. Where it returns those with the lowest ones,
the lowest first, and leaves the better ones out, whatever follows reads the least fitting.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from math import perm
from typing import Any, NamedTuple

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.recorded.body import Body
from app.analysis.recorded.kind import SpanKind
from app.analysis.recorded.leaves import Leaf, innermost_key, walk_leaves
from app.analysis.recorded.spellings import plain_key
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_read_steps
from app.analysis.tree import Node, by_end

_BETTER_IF_HIGH = ("relevance", "relevancescore", "similarity", "rerankscore", "rankingscore")
_SCORES = ("score", "scores", "confidence", "probability", *_BETTER_IF_HIGH)
"""Ends of keys, as `plain_key` spells them. Some libraries call a distance a score."""
_LESS_IS_BETTER = (
    "distance",
    "risk",
    "error",
    "loss",
    "cost",
    "price",
    "penalty",
    "fraud",
    "toxic",
)
_FEWEST = 2  # items that are kept: the order of a single one says nothing
_MOST_ITEMS = 200  # of a list that is read: what is ranked at one time has fewer
_ITEM_LEAVES = 30  # of one item: its id and score stand near its top
_LEVELS_READ = 6  # above a list of results
_LISTS_READ = 8  # of one body
_LISTS_KEPT = 40  # lists with scores that are remembered, the newest ones
_LEAST_ORDERS = 100  # ways to pick and order as many: with fewer the order may be chance
_LATER_READ = 50  # spans in which the kept ones are looked for
_PASSAGE = 40  # characters of a text that is read, unlike a name or an id
_SHORTEST_TEXT = 8  # characters by which an item is known again

# Confidences.
_SURE = 0.9
_UNCLEAR = 0.6  # a score may be a distance, and of grades the lowest may be asked for

_Pair = tuple[str, str | int]


class _Ranked(NamedTuple):
    """A list of objects that all have a score under one key, with what stands in one of them only
    and the place of that one."""

    node: Node
    key: str
    scores: Sequence[float]
    places: dict[_Pair, int]


class _Lists:
    """The lists of two and more objects or texts of a body; their scores are read where a shorter
    list follows, which may hold what was kept of them."""

    def __init__(self, node: Node, body: Body) -> None:
        self._node = node
        self._body = body
        self.has_scores = any(key.endswith(_SCORES) for key in body.keys)

    @cached_property
    def lists(self) -> list[list[Any]]:
        found: list[list[Any]] = []
        if self._body.opened_survey.is_whole:
            _add_lists(self._body.opened, 0, found)
        return found

    @cached_property
    def longest(self) -> int:
        return max(map(len, self.lists), default=0)

    @cached_property
    def ranked(self) -> list[_Ranked]:
        found = (_read_scores(self._node, _walk_items(items)) for items in self.lists)
        return [each for each in found if each is not None]


def find_kept_worst(analysis: TraceAnalysis) -> Iterator[Finding]:
    """A finding for each list with scores of which a later step kept the lowest only."""
    earlier: list[_Lists] = []
    reported: set[tuple[str, ...]] = set()
    for node in sorted(analysis.once(list_read_steps), key=by_end):
        given, returned = _Lists(node, node.view.input), _Lists(node, node.view.output)
        if given.has_scores:
            earlier.append(given)
        if not (earlier or returned.has_scores):
            continue
        if len(returned.lists) > 1:
            yield from _find_beside(node, returned.ranked, analysis)
        for items in returned.lists:
            longer = [each for each in earlier if each.longest > len(items)]
            known = [ranked for each in longer for ranked in each.ranked][-_LISTS_KEPT:]
            rows = _walk_items(items) if known else []
            source, kept = _find_source(rows, known) or (None, ())
            if source is None or not _is_lowest_first(source, kept, rows):
                continue
            scores = [source.scores[place] for place in kept]
            seen = (source.node.id, source.key, str(scores))  # the step around returns them as well
            if seen not in reported:
                reported.add(seen)
                yield _build(node, source, scores, is_sure=_is_best_high(source, rows, known))
        if returned.has_scores:
            earlier.append(returned)
        earlier = earlier[-_LISTS_KEPT:]


def _add_lists(value: Any, level: int, found: list[list[Any]]) -> None:
    if isinstance(value, list):
        is_read = len(found) < _LISTS_READ and _FEWEST <= len(value) <= _MOST_ITEMS
        if is_read and (_has_only(dict, value) or _has_only(str, value)):
            found.append(value)
    elif isinstance(value, dict) and level < _LEVELS_READ:
        for inner in value.values():
            _add_lists(inner, level + 1, found)


def _walk_items(items: list[Any]) -> list[list[Leaf]]:
    return [walk_leaves(each, most=_ITEM_LEAVES) for each in items]


def _has_only(kind: type, values: list[Any]) -> bool:
    return all(isinstance(each, kind) for each in values)


def _read_scores(node: Node, rows: list[list[Leaf]]) -> _Ranked | None:
    scores = [_score_of(row) for row in rows]
    first = scores[0]
    if first is None or len(rows) <= _FEWEST:
        return None
    numbers = [each[1] for each in scores if each is not None and each[0] == first[0]]
    if len(numbers) < len(rows) or len(set(numbers)) < _FEWEST:
        return None
    pairs = [dict.fromkeys(_pairs_of(row)) for row in rows]
    times = Counter(pair for each in pairs for pair in each)
    places = {pair: at for at, each in enumerate(pairs) for pair in each if times[pair] == 1}
    return _Ranked(node, first[0], numbers, places)


def _score_of(row: Sequence[Leaf]) -> tuple[str, float] | None:
    for leaf in row:
        if type(leaf.value) in (int, float) and leaf.key.endswith(_SCORES):
            is_less = any(word in leaf.key for word in _LESS_IS_BETTER)
            return None if is_less else (innermost_key(leaf.path), leaf.value)
    return None


def _pairs_of(row: Sequence[Leaf]) -> Iterator[_Pair]:
    """What an item may be known by: its texts, under whatever key, and its whole numbers."""
    for leaf in row:
        if type(leaf.value) is str and leaf.value:
            yield "", leaf.value
        elif type(leaf.value) is int and not leaf.key.endswith(_SCORES):
            yield leaf.key, leaf.value


def _find_source(
    rows: list[list[Leaf]], known: Sequence[_Ranked]
) -> tuple[_Ranked, Sequence[int]] | None:
    """The newest list of which all of these are items, and their places in it."""
    longer = [source for source in reversed(known) if len(source.scores) > len(rows)]
    named = [list(_pairs_of(row)) for row in rows] if longer else []
    for source in longer:
        places: dict[int, None] = {}
        for pairs in named:
            found = {source.places[pair] for pair in pairs if pair in source.places}
            if len(found) != 1:
                break
            places[found.pop()] = None
        if len(places) == len(rows):
            return source, tuple(places)
    return None


def _is_lowest_first(source: _Ranked, kept: Sequence[int], rows: list[list[Leaf]]) -> bool:
    """Whether all that were left out have higher scores, and the lowest one comes first, by the
    scores that the kept ones have themselves where they do."""
    scores = [source.scores[place] for place in kept]
    left = [score for place, score in enumerate(source.scores) if place not in set(kept)]
    if max(scores) >= min(left) or not _rises(scores) or _rises(source.scores):
        return False
    own = [found[1] for row in rows if (found := _score_of(row)) is not None]
    if len(own) == len(rows):
        return _rises(own)
    return perm(len(source.scores), len(kept)) >= _LEAST_ORDERS


def _falls(scores: Sequence[float]) -> bool:
    return scores[0] > scores[-1] and all(first >= second for first, second in pairwise(scores))


def _rises(scores: Sequence[float]) -> bool:
    return _falls(scores[::-1])


def _find_beside(
    node: Node, ranked: Sequence[_Ranked], analysis: TraceAnalysis
) -> Iterator[Finding]:
    """A step that returns what it kept and what it dropped: the kept ones go on to later steps."""
    for low in ranked:
        for high in ranked:
            is_pair = low.key == high.key and max(low.scores) < min(high.scores)
            if is_pair and _rises(low.scores) and _go_on(low, high, node, analysis):
                both = low._replace(scores=[*low.scores, *high.scores])
                yield _build(node, both, low.scores, is_sure=_is_best_high(low, [], []))
                return


def _go_on(low: _Ranked, high: _Ranked, node: Node, analysis: TraceAnalysis) -> bool:
    texts = [[str(value).casefold() for _, value in each.places] for each in (low, high)]
    low_texts, high_texts = ([t for t in each if len(t) >= _SHORTEST_TEXT] for each in texts)
    later = [each for each in analysis.tree.nodes if each.start >= node.end]
    bodies = [each.view.input.canonical for each in later[:_LATER_READ] if analysis.was_read(each)]
    return any(text in body for body in bodies for text in low_texts) and not any(
        text in body for body in bodies for text in high_texts
    )


def _is_best_high(
    source: _Ranked, rows: Sequence[Sequence[Leaf]], known: Sequence[_Ranked]
) -> bool:
    """Whether the best are those with the high scores: by the key, or as the highest come first in
    a list of passages or of what a search found."""
    if plain_key(source.key).endswith(_BETTER_IF_HIGH):
        return True
    pairs = {pair for row in rows for pair in _pairs_of(row)}
    has_passages = any(len(str(text)) >= _PASSAGE for _, text in (*pairs, *source.places))
    searches = (each for each in known if each.node.view.kind is SpanKind.RETRIEVAL)
    was_found = has_passages or any(not pairs.isdisjoint(each.places) for each in searches)
    return _falls(source.scores) and was_found


def _build(node: Node, source: _Ranked, kept: Sequence[float], *, is_sure: bool) -> Finding:
    dropped = sorted(source.scores)[len(kept) :]
    came = "" if source.node is node else f" of {source.node.title}"
    sentence = (
        f"{node.title} kept the {len(kept)} lowest of {len(source.scores)} items{came} by their"
        f" {one_line(source.key, limit=40)}, {min(kept):g} to {max(kept):g}, the lowest first, and"
        f" dropped those with {dropped[0]:g} to {dropped[-1]:g}."
    )
    confidence = _SURE if is_sure else _UNCLEAR
    standing = Standing.FINDING if is_sure else Standing.WEAK
    nodes = [node, source.node]
    return build_finding(Category.LOST_VALUE, confidence, sentence, nodes, standing=standing)
