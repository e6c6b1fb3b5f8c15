"""Values that a step replaced by a mask, and that a later step needed.

A message is freed of names and dates before a model reads it. What the model then hands to a tool
is the mask; where no step puts the value back, the tool cannot know it. The value is not quoted.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.body import Body
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_read_steps
from app.analysis.tree import Node, by_start

_CONFIDENCE = 0.8  # that the value was needed shows by the field that has the mask
_MASK = re.compile(r"\[[^\W\d_][\w -]{1,30}\]|<[^\W\d_][\w -]{1,30}>|[*█]{3,}")
_MASK_SIGNS = "[<*█"  # one of them stands in each mask
_STEPS_READ = 400  # steps that may mask something, or have needed it
_LEAVES_READ = 40
_TEXT_READ = 5_000  # characters of a text that was masked
_LONGEST_ARGUMENT = 60  # characters: a longer text speaks of what it holds
_MOST_BESIDE = 1  # words beside a mask: with more it stands in a sentence
_SHORTEST_VALUE = 3  # characters of a value that does not stand in later inputs by chance
_MOST_FOUND = 3


class _Masked(NamedTuple):
    """A value, the mask that a step put in its place, and the whole text after it."""

    value: str
    mask: str
    text: str


def find_masked_values(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most 3: each with the step that masked a value and those that were given the mask."""
    steps = sorted(analysis.once(list_read_steps), key=by_start)[:_STEPS_READ]
    found = 0
    for node in steps:
        for masked in _list_masked(node):
            needed = _list_needing(masked, node, steps)
            if needed:
                yield _build_finding(masked, node, needed)
                found += 1
            if found >= _MOST_FOUND:
                return


def _list_masked(node: Node) -> Iterator[_Masked]:
    after = [text for text in _list_texts(node.view.output) if _may_have_mask(text)]
    for text in after:
        for before in _list_texts(node.view.input):
            yield from _compare_texts(before, text)


def _may_have_mask(text: str) -> bool:
    return any(map(text.__contains__, _MASK_SIGNS)) and _MASK.search(text) is not None


def _list_texts(body: Body) -> list[str]:
    leaves = body.first_leaves(_LEAVES_READ)
    return [
        leaf.value
        for leaf in leaves
        if isinstance(leaf.value, str) and len(leaf.value) <= _TEXT_READ
    ]


def _compare_texts(before: str, after: str) -> Iterator[_Masked]:
    """What stood where a text has masks, if it is the same for the rest."""
    kept = _MASK.split(after)
    if before == after or not before.startswith(kept[0]) or not before.endswith(kept[-1]):
        return
    values, at = [], len(kept[0])
    for piece in kept[1:-1]:
        place = before.find(piece, at) if piece else -1
        if place < 0:
            return
        values.append(before[at:place])
        at = place + len(piece)
    values.append(before[at : len(before) - len(kept[-1])])
    for value, mask in zip(values, _MASK.findall(after), strict=True):
        if len(value) >= _SHORTEST_VALUE and value != mask:
            yield _Masked(value, mask, after)


def _list_needing(masked: _Masked, node: Node, steps: Sequence[Node]) -> list[Node]:
    """The later steps with the mask as an argument; none where a later one had the value."""
    later = [each for each in steps if each.start >= node.end]
    value = masked.value.casefold()
    if any(
        value in body.canonical for each in later for body in (each.view.input, each.view.output)
    ):
        return []
    return [each for each in later if _has_mask(each, masked)]


def _has_mask(node: Node, masked: _Masked) -> bool:
    return any(
        masked.mask in text
        and text != masked.text
        and len(text) <= _LONGEST_ARGUMENT
        and len(re.findall(r"\w+", text.replace(masked.mask, ""))) <= _MOST_BESIDE
        for text in _list_texts(node.view.input)
    )


def _build_finding(masked: _Masked, node: Node, needed: Sequence[Node]) -> Finding:
    name = one_line(node.name, limit=60)
    sentence = (
        f"{name} put {one_line(masked.mask, limit=40)} in the place of {len(masked.value)}"
        f" characters, and {one_line(needed[0].name, limit=60)} was given it as an argument; no"
        " step put them back."
    )
    return build_finding(Category.LOST_VALUE, _CONFIDENCE, sentence, [node, *needed])
