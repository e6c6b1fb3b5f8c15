"""Siblings that did the same with other values: they share one line of an outline.

They have the same name, kind and spans below, and were given and returned the same fields. What a
reader takes for a state (flags, zeros, nothing) is equal in all of them, so that the one that is
unlike the others keeps a line of its own.
"""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from app.analysis.text.one_line import without_numbers
from app.analysis.text.outline_rows import SpanLines
from app.analysis.tree import Node

FOLD_FROM = 4  # spans: three are as quickly read one by one
_BRANCHES_FROM = 8  # with spans below, which are then not listed: a few are read one by one
_LARGEST_FOLDED = 12  # spans at and below one: in more there is too much that may differ
_MOST_COMPARED = 400  # spans of one level with those below: more than an outline has rows for
_STATES = frozenset(["null", "true", "false", "[]", "{}", "(empty)"])
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
            continue
        whole = lines.analysis.profile.duration
        longest = max(_LEAST_TIME * whole, _UNUSUAL_TIME * min(each.duration for each in members))

        def shape(node: Node, longest: float = longest) -> Any:
            special = alone(node) or node.duration > longest or node.size > _LARGEST_FOLDED
            return node.id if special else _read_shape(node, lines)

        for _, alike in groupby(members, key=shape):
            found = list(alike)
            least = _BRANCHES_FROM if found[0].children else FOLD_FROM
            groups += [found] if len(found) >= least else [[node] for node in found]
    return groups


def _read_shape(node: Node, lines: SpanLines) -> Any:
    """What alike spans have in common; the id of a span where nothing was recorded."""
    if node.view.is_model_call or not any(preview.pieces for preview in lines.previews(node)):
        return node.id
    below = lines.analysis.tree.below(node)[1:]
    inner = [_read_fields(each, lines, is_shown=False) for each in below]
    return _read_fields(node, lines, is_shown=True), tuple(inner)


def _read_fields(node: Node, lines: SpanLines, *, is_shown: bool) -> Any:
    """Name and fields of a span with the values that are states: words as well where the values
    are not shown."""
    fields = []
    for preview, states in zip(lines.previews(node), (_STATES, _STATES_OF_RESULTS), strict=True):
        for label, text in preview.pieces:
            is_word = not is_shown and len(text) <= _LONGEST_WORD and text.isalpha()
            fields.append((label, text if is_word or text in states else ""))
        fields.append(("", str(preview.failed)))
    return similarity(node), len(node.children), tuple(fields)
