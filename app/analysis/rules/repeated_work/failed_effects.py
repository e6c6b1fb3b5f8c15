"""Calls that failed and had taken effect all the same: made again, they did it twice."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import NamedTuple

from app.analysis.error_origins import error_message
from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.leaves import Path
from app.analysis.rules.lookups import is_lookup
from app.analysis.rules.recovery import asking_call
from app.analysis.rules.repeated_work.comparable_calls import group_equal, nodes_given_alike
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_read_steps
from app.analysis.tree import Node, by_start

_LONGEST_ID = 40  # characters
_LATER_READ = 20  # steps after a call, in which one may list what there is
_RECORD_LEAVES = 200  # of such a list
_RECORDS_READ = 40
_MOST_APART = 20  # between the numbers of two things made within seconds: others make some too
_CONFIDENCE = 0.85  # the result names both things; that the first call made the other is concluded
_NUMBERED = re.compile(r"([^\W\d_]{1,12}[-_#/]?|#)(\d{3,12})\b")


class _Numbered(NamedTuple):
    """Two ids of one kind: the one that a call made, and one just beside it."""

    own: str
    other: str


class _Listed(NamedTuple):
    """The same for the ids of two records that `step` listed."""

    own: str
    other: str
    step: Node


def find_effects_of_failures(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Calls that failed, with the same call made again, whose result has a new id and speaks of
    another one of its kind with a number just beside it, or whose record a later list holds twice.
    """
    named = (
        (node.function_name, node.view.input, node)
        for node in analysis.once(nodes_given_alike)
        if not node.view.is_model_call and not is_lookup(node.function_name)
    )
    for nodes in group_equal(named):
        nodes.sort(key=by_start)
        for before, after in pairwise(nodes):
            worked = after.finished and not after.view.has_failed
            if before.view.has_failed and worked and after.start >= before.end:
                found = _find_numbered(after)
                if found is not None:
                    where = f"its result speaks of {one_line(found.other)} too"
                    yield _build_finding(before, after, found.own, where, analysis)
                    continue
                listed = _find_listed(after, analysis)
                if listed is not None:
                    name = one_line(listed.step.function_name, limit=60)
                    where = f"{name} lists {one_line(listed.other)} too, equal but for its id"
                    yield _build_finding(before, after, listed.own, where, analysis)


def _find_numbered(node: Node) -> _Numbered | None:
    """An id that is a whole value, and one of its kind inside a longer text."""
    given = node.view.input.canonical
    texts = [text.strip() for text in node.view.output.first_texts]
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


def _find_listed(node: Node, analysis: TraceAnalysis) -> _Listed | None:
    """Two records of a later list that are equal but for their ids, one of them that of a call, and
    hold a value that the call was given."""
    given = {str(leaf.value) for leaf in node.view.input.first_leaves}
    made = {str(leaf.value) for leaf in node.view.output.first_leaves} - given
    made = {each for each in made if any(map(str.isdigit, each)) and len(each) <= _LONGEST_ID}
    later = (each for each in analysis.once(list_read_steps) if each.start >= node.end)
    for step in islice(later, _LATER_READ) if made else ():
        records = _list_records(step)
        for own in records:
            key = next((key for key, value in own.items() if value in made), None)
            rest = {name: value for name, value in own.items() if name != key}
            if key is None or given.isdisjoint(rest.values()):
                continue
            for other in records:
                if other.get(key, own[key]) != own[key] and {**other, key: own[key]} == own:
                    return _Listed(own[key], other[key], step)
    return None


def _list_records(step: Node) -> list[dict[str, str]]:
    """The plain values of each object in a list, by key."""
    found: dict[Path, dict[str, str]] = {}
    for path, key, value in step.view.output.list_leaves(_RECORD_LEAVES):
        if len(path) > 1 and isinstance(path[-2], int) and isinstance(path[-1], str):
            found.setdefault(path[:-1], {})[key] = str(value)
    return list(found.values())[:_RECORDS_READ]


def _build_finding(
    before: Node, after: Node, own: str, where: str, analysis: TraceAnalysis
) -> Finding:
    error = error_message(before.error) if before.error is not None else before.view.failure
    sentence = (
        f"{one_line(after.function_name, limit=60)} was called again with the same input after it"
        f" had failed (“{one_line(error, limit=80)}”), and made {one_line(own)}; {where}, so the"
        " failed call seems to have taken effect."
    )
    asked = asking_call(after, analysis)
    named: Sequence[Node] = [after, before, *([asked] if asked is not None else [])]
    return build_finding(Category.REPEATED_EFFECT, _CONFIDENCE, sentence, named)
