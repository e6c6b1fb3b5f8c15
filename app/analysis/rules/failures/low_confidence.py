"""Results that state themselves how sure they are."""

import re
from collections.abc import Iterator

from app.analysis.recorded.leaves import Leaf
from app.analysis.recorded.spellings import kept_by_keys
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls
from app.analysis.tree import Node

_NAMES_CONFIDENCE = re.compile(r"confiden|confian|konfiden|zekerheid|betrouwbaar")
"""In keys of several languages, with words such as `mean` beside it."""
HARDLY_SURE = 0.4  # of 1: less sure than a guess between two
_DEEPEST = 2  # levels: below them it is that of a word or a line
_QUESTION_MARKS = frozenset("?？؟")


def read_confidence(node: Node) -> float | None:
    """How sure a step is of its result, from 0 to 1; None where it does not state that."""
    for leaf in _list_confidences(node):
        if len(leaf.path) <= _DEEPEST and not any(isinstance(part, int) for part in leaf.path):
            return float(leaf.value)
    return None


def is_asked_back(node: Node, analysis: TraceAnalysis) -> bool:
    """Whether the first reply after a result asks something, as one does who doubts it."""
    calls = analysis.once(list_model_calls)
    later = (call.view.reply.text for call in calls if call.start >= node.end)
    return not _QUESTION_MARKS.isdisjoint(next(later, ""))


def _list_confidences(node: Node) -> Iterator[Leaf]:
    """What stands under such a key in the result and the metadata of a span."""
    for body in (node.view.output, node.view.metadata):
        keys = _choose_keys(body.keys)
        for leaf in body.first_by_type.numbers if keys else ():
            if leaf.key in keys and 0 <= leaf.value <= 1:
                yield leaf


@kept_by_keys
def _choose_keys(keys: frozenset[str]) -> frozenset[str]:
    return frozenset(filter(_NAMES_CONFIDENCE.search, keys))
