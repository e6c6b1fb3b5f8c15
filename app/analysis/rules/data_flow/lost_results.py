"""Steps that got nothing where another one got the result of a step before it, while what was meant
for them came to nobody: a context that was not passed on, notes that were stored one over another.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.body import Body, spell_canonical
from app.analysis.recorded.body_state import BodyState
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node, by_end

_SIBLINGS_READ = 60  # steps of one parent, and of what is below one of them
_PLAIN_PIECE = re.compile(r"[^\s\"\\](?:[^\s\"\\]| (?! )){18,58}[^\s\"\\]")
"""20 to 60 characters that stand in a canonical text as they are: by fewer a result is found in an
input by chance."""
_LATER_READ = 200  # spans that may have been given a result
_FEWEST_STEPS = 3  # whose result was lost, who got nothing, and who got a result
_FEWEST_WRITES = 3  # in as many branches: two are a value and its correction

# Confidences.
_NOT_HANDED_ON = 0.8
_OVERWRITTEN = 0.85  # seen are both, the calls with one name and who then got nothing


class _Gap(NamedTuple):
    """Steps whose `key` is empty, the steps whose results went nowhere, and a step whose result
    went to another one under that key, with that one."""

    key: str
    empty: Sequence[Node]
    lost: Sequence[Node]
    handed: tuple[Node, Node]


def find_lost_results(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one finding for the steps of each parent that are given the same keys."""
    for siblings in analysis.tree.sibling_groups():
        alike: dict[frozenset[str], list[Node]] = {}
        for node in siblings[:_SIBLINGS_READ]:
            if _is_step(node, analysis) and node.view.input.keys:
                alike.setdefault(node.view.input.keys, []).append(node)
        for steps in alike.values():
            gap = _find_gap(steps, analysis) if len(steps) >= _FEWEST_STEPS else None
            if gap is not None:
                yield _build_gap(gap, analysis)


def _is_step(node: Node, analysis: TraceAnalysis) -> bool:
    return analysis.was_read(node) and not node.view.is_model_call


def _find_gap(steps: Sequence[Node], analysis: TraceAnalysis) -> _Gap | None:
    if not any(node.view.input.may_have_empty for node in steps):
        return None
    results = {node.id: _list_results(node) for node in steps}
    for key, given in _group_inputs(steps).items():
        empty = [node for node, text in given if not text]
        handed = (
            (giver, node)
            for node, text in given
            if text
            for giver in steps
            if giver.end <= node.start and any(each in text for each in results[giver.id])
        )
        pair = next(handed, None) if empty else None
        if pair is None:
            continue
        before = (node for node in steps if node.end <= empty[-1].start and results[node.id])
        lost = [node for node in before if not _is_held_later(node, results[node.id], analysis)]
        if lost:
            without = [node for node in empty if node.start >= lost[0].end]
            return _Gap(key, without, lost, pair)
    return None


def _group_inputs(steps: Sequence[Node]) -> dict[str, list[tuple[Node, str]]]:
    """The texts that the steps were given, by key, spelled as canonical texts are."""
    found: dict[str, list[tuple[Node, str]]] = {}
    for node in steps:
        for leaf in node.view.input.first_leaves:
            if isinstance(leaf.value, str):
                found.setdefault(leaf.key, []).append((node, spell_canonical(leaf.value)))
    return found


def _list_results(node: Node) -> list[str]:
    """A piece of each text that a step returned, spelled as canonical texts are."""
    found = map(_PLAIN_PIECE.search, node.view.output.first_texts)
    return [match[0].casefold() for match in found if match]


def _is_held_later(node: Node, results: Sequence[str], analysis: TraceAnalysis) -> bool:
    """Whether a later input or the answer has a result of a step, or may have it."""
    later = (each for each in analysis.once(_list_read) if each.start >= node.end)
    bodies = [analysis.returned]
    bodies += [each.view.input for each in islice(later, _LATER_READ)]
    return any(_may_hold(body, results) for body in bodies)


def _list_read(analysis: TraceAnalysis) -> list[Node]:
    return [node for node in analysis.tree.nodes if analysis.was_read(node)]


def _may_hold(body: Body, results: Sequence[str]) -> bool:
    text = body.canonical
    return any(each in text for each in results) if text else body.state is BodyState.PRESENT


def _build_gap(gap: _Gap, analysis: TraceAnalysis) -> Finding:
    sentence = (
        f"{gap.empty[-1].title} was given an empty {one_line(gap.key, limit=40)}, and what"
        f" {gap.lost[-1].title} had returned went to no later step, while {gap.handed[1].title} was"
        f" given the result of {gap.handed[0].title}."
    )
    name, writes = _find_writes(gap, analysis)
    if not writes:
        nodes = [*gap.empty, *gap.lost, *gap.handed]
        return build_finding(Category.LOST_VALUE, _NOT_HANDED_ON, sentence, nodes)
    sentence = (
        f"{writes[0].title} was called {len(writes)} times with"
        f" “{one_line(name, limit=40)}”, and a later step found one result there; {sentence}"
    )
    nodes = [*writes[1:], writes[0]]  # the first one took no other's place
    return build_finding(Category.LOST_VALUE, _OVERWRITTEN, sentence, nodes)


def _find_writes(gap: _Gap, analysis: TraceAnalysis) -> tuple[str, list[Node]]:
    """The calls that stored several of the results under one name, where a later step found the
    one that was handed on and none of the lost ones."""
    calls: dict[tuple[str, str], list[Node]] = {}
    for step in (gap.handed[0], *gap.lost):
        for node in analysis.tree.below(step)[1:_SIBLINGS_READ]:
            if _is_step(node, analysis):
                for text in _list_arguments(node):
                    calls.setdefault((node.name, text), []).append(node)
    kept = _list_results(gap.handed[0])
    lost = [each for node in gap.lost for each in _list_results(node)]
    for reader in analysis.tree.finished_before(gap.handed[1], _SIBLINGS_READ):
        found = reader.view.output.canonical
        if any(each in found for each in kept) and not any(each in found for each in lost):
            texts = _list_arguments(reader)
            for (_, text), nodes in calls.items():
                if text in texts and len({*map(_parent_of, nodes)}) >= _FEWEST_WRITES:
                    return text, sorted(nodes, key=by_end)
    return "", []


def _list_arguments(node: Node) -> list[str]:
    return list(dict.fromkeys(filter(None, node.view.input.first_texts)))


def _parent_of(node: Node) -> str:
    return node.parent.id if node.parent else ""
