"""Siblings that did the same with other values: they share one line of an outline.

They have the same name, kind and spans below, and were given and returned the same fields. What a
reader takes for a state (flags, zeros, nothing) is equal in nearly all of them, so that the one
that is unlike the others keeps a line of its own; what differs among many is data.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from itertools import groupby
from typing import Any

from app.analysis.text.one_line import without_numbers
from app.analysis.text.outline_rows import SpanLines
from app.analysis.text.previews import EMPTY_TEXT, Preview
from app.analysis.tree import Node

FOLD_FROM = 4  # spans: three are as quickly read one by one
_BRANCHES_FROM = 8  # with spans below, which are then not listed: a few are read one by one
# Rows that branches take from which they share one in a tree of more than so many spans, in which
# not every line has room for what was given and returned.
_ROWS_SAVED = 14
_ROOMY_TREE = 40
_LEAST_STRETCH = 4  # branches in a row: of three one may be open, and two are quickly read
_USUAL = 4  # a state that all but one in so many share is usual, and the others are unlike
_LARGEST_FOLDED = 12  # spans at and below one: in more there is too much that may differ
_MOST_COMPARED = 400  # spans of one level with those below: more than an outline has rows for
_STATES = frozenset(["null", "true", "false", "[]", "{}", "(empty)", EMPTY_TEXT])
_STATES_OF_RESULTS = _STATES | {"0"}  # a zero that was given is mostly the first number of a count
_LONGEST_WORD = 16  # letters of a word such as `ok` or `partial` that states how a step ended
_UNUSUAL_TIME = 3  # times the shortest of them: then the time itself is worth a line
_LEAST_TIME = 0.02  # share of the trace below which times say nothing


def similarity(node: Node) -> tuple[str, str]:
    """What siblings share that may be one kind of step."""
    return without_numbers(node.name), node.span.type or ""


def group_alike(
    nodes: Sequence[Node], alone: Callable[[Node], bool], lines: SpanLines
) -> list[list[Node]]:
    """Siblings in their order; those in a row that are alike stand together, `FOLD_FROM` and more.
    `alone` says which stand for themselves."""
    if sum(node.size for node in nodes) > _MOST_COMPARED:
        return [[node] for node in nodes]
    groups: list[list[Node]] = []
    for _, run in groupby(nodes, key=similarity):
        members = list(run)
        if len(members) < FOLD_FROM:
            groups += [[node] for node in members]
        else:
            groups += _group_run(members, alone, lines)
    return groups


def _group_run(
    members: Sequence[Node], alone: Callable[[Node], bool], lines: SpanLines
) -> Iterator[list[Node]]:
    whole = lines.analysis.profile.duration
    longest = max(_LEAST_TIME * whole, _UNUSUAL_TIME * min(each.duration for each in members))
    shapes: dict[Any, dict[str, Sequence[Any]]] = {}
    for node in members:
        if not (alone(node) or node.duration > longest or node.size > _LARGEST_FOLDED):
            shape, states = _read_shape(node, lines)
            shapes.setdefault(shape, {})[node.id] = states
    kind = {
        span_id: shape
        for shape, found in shapes.items()
        for span_id in found.keys() - _find_unlike(found)
    }
    count = Counter(kind.values())
    is_roomy = len(lines.analysis.tree.nodes) <= _ROOMY_TREE
    for shape, alike in groupby(members, key=lambda node: kind.get(node.id, node.id)):
        found = list(alike)
        least = FOLD_FROM
        if size := found[0].size - 1:
            saved = (count[shape] - 1) * (size + 1)
            enough = count[shape] >= _BRANCHES_FROM or (saved >= _ROWS_SAVED and not is_roomy)
            least = _LEAST_STRETCH if enough else len(members) + 1
        yield from [found] if len(found) >= least else ([node] for node in found)


def _find_unlike(states: Mapping[str, Sequence[Any]]) -> set[str]:
    """Those of which a state is unlike the usual one; where none is usual it is data."""
    unlike: set[str] = set()
    for place in zip(*states.values(), strict=False):
        usual, count = Counter(place).most_common(1)[0]
        if count < len(place) and len(place) - count <= max(1, len(place) // _USUAL):
            unlike.update(
                span_id for span_id, each in zip(states, place, strict=True) if each != usual
            )
    return unlike


def _read_shape(node: Node, lines: SpanLines) -> tuple[Any, Sequence[Any]]:
    """What alike spans have in common, the id of a span where nothing was recorded; and the states
    of it and of those below."""
    if node.view.is_model_call or not any(preview.pieces for preview in lines.previews(node)):
        return node.id, ()
    below = lines.analysis.tree.below(node)
    shape: list[Any] = [
        (similarity(each), len(each.children), lines.previews(each)[1].failed) for each in below
    ]
    states: list[Any] = []
    for preview, words in zip(lines.previews(node), (_STATES, _STATES_OF_RESULTS), strict=True):
        pieces = order_pieces(preview.pieces)
        shape.append([label for label, _ in pieces])
        states += [text if text in words else "" for _, text in pieces]
    for each in below[1:]:
        states += map(_read_states, lines.previews(each), (_STATES, _STATES_OF_RESULTS))
    return str(shape), states


def _read_states(preview: Preview, known: Set[str]) -> tuple[tuple[str, str], ...]:
    """The fields of a span that is not shown, with the values that are states or words."""
    return tuple(
        (label, text if text in known or (len(text) <= _LONGEST_WORD and text.isalpha()) else "")
        for label, text in order_pieces(preview.pieces)
    )


def order_pieces(pieces: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """The pieces of an object in the order of their labels: the recorded order has no meaning, and
    long texts stand after short ones."""
    labels = {label for label, _ in pieces}
    return sorted(pieces) if len(labels) == len(pieces) and "" not in labels else pieces
