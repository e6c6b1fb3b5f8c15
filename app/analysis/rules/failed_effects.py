"""Calls that failed and had taken effect all the same: made again, they did it twice."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from app.analysis.error_origins import error_message
from app.analysis.finding import Category, Finding, build_finding
from app.analysis.rules.comparable_calls import group_equal, nodes_given_alike
from app.analysis.rules.lookups import is_lookup
from app.analysis.rules.recovery import asking_call
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node, by_start

_RESULT_LEAVES = 40  # leaves of a result in which ids are looked for: a receipt has few
_LONGEST_ID = 40  # characters
_MOST_APART = 20  # between the numbers of two things made within seconds: others make some too
_CONFIDENCE = 0.85  # the result names both things; that the first call made the other is concluded
_NUMBERED = re.compile(r"([^\W\d_]{1,12}[-_#/]?|#)(\d{3,12})\b")


class _Numbered(NamedTuple):
    """Two ids of one kind: the one that a call made, and one just beside it."""

    own: str
    other: str


def find_effects_of_failures(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Calls that failed, with the same call made again, whose result has a new id and speaks of
    another one of its kind with a number just beside it."""
    named = (
        (node.function_name, node.view.input, node)
        for node in analysis.once(nodes_given_alike)
        if not node.view.is_model_call and not is_lookup(node.function_name)
    )
    for nodes in group_equal(named):
        nodes.sort(key=by_start)
        for before, after in pairwise(nodes):
            failed = before.error is not None or bool(before.view.failure)
            worked = after.error is None and after.finished and not after.view.failure
            if failed and worked and after.start >= before.end:
                found = _find_numbered(after)
                if found is not None:
                    yield _build_finding(before, after, found, analysis)


def _find_numbered(node: Node) -> _Numbered | None:
    """An id that is a whole value, and one of its kind inside a longer text."""
    given = node.view.input.canonical
    leaves = node.view.output.first_leaves(_RESULT_LEAVES)
    texts = [leaf.value.strip() for leaf in leaves if isinstance(leaf.value, str)]
    short = [text for text in texts if len(text) <= _LONGEST_ID]
    made = [found for text in short if (found := _NUMBERED.fullmatch(text))]
    made = [found for found in made if found[0].casefold() not in given]
    for text in texts if made else ():
        for other in _NUMBERED.finditer(text):
            for own in made:
                apart = abs(int(own[2]) - int(other[2]))
                if len(other[0]) < len(text) and own[1] == other[1] and 0 < apart <= _MOST_APART:
                    return _Numbered(own[0], other[0])
    return None


def _build_finding(before: Node, after: Node, found: _Numbered, analysis: TraceAnalysis) -> Finding:
    error = error_message(before.error) if before.error is not None else before.view.failure
    sentence = (
        f"{one_line(after.function_name, limit=60)} was called again with the same input after it"
        f" had failed (“{one_line(error, limit=80)}”), and made {one_line(found.own)}; its result"
        f" speaks of {one_line(found.other)} too, so the failed call seems to have taken effect."
    )
    asked = asking_call(after, analysis)
    named: Sequence[Node] = [after, before, *([asked] if asked is not None else [])]
    return build_finding(Category.REPEATED_EFFECT, _CONFIDENCE, sentence, named)
