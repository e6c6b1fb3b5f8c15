"""Results that state themselves how sure they are, and one that is far less so than its peers."""

import re
from collections.abc import Iterator, Sequence

from app.analysis.recorded.leaves import Leaf
from app.analysis.recorded.spellings import kept_by_keys
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls
from app.analysis.tree import Node

_NAMES_CONFIDENCE = re.compile(r"confiden|confian|konfiden|zekerheid|betrouwbaar")
"""In keys of several languages, with words such as `mean` beside it."""
HARDLY_SURE = 0.4  # of 1, whatever the peers state: less sure than a guess between two
_DEEPEST = 2  # levels: below them it is that of a word or a line
_FEWEST_PEERS = 2
_DOUBTFUL = 0.5  # of 1: as likely wrong as right
_LEAST_OF_PEERS = 0.8  # the others are what a program takes without a question
_QUESTION_MARKS = frozenset("?？؟")
_AS_LIKELY = 0.1  # by which another reading may be less likely and is as good


def read_confidence(node: Node) -> float | None:
    """How sure a step is of its result, from 0 to 1; None where it does not state that."""
    for leaf in _list_confidences(node):
        if len(leaf.path) <= _DEEPEST and not any(isinstance(part, int) for part in leaf.path):
            return float(leaf.value)
    return None


def is_doubtful(confidence: float | None, all_of_peers: Sequence[float]) -> bool:
    """Whether a result is doubtful unlike those of its peers, its own among them."""
    if confidence is None or confidence >= _DOUBTFUL:
        return False
    others = sorted(all_of_peers)[1:]
    return len(others) >= _FEWEST_PEERS and others[0] >= _LEAST_OF_PEERS


def has_likely_other(node: Node, confidence: float) -> bool:
    """Whether a step states another reading that is about as likely."""
    return any(
        leaf.value >= confidence - _AS_LIKELY
        for leaf in _list_confidences(node)
        if any(isinstance(part, int) for part in leaf.path)
    )


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
