"""Where two runs of one program diverge: the first different step, and steps that differ."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from app.analysis.error_origins import error_message
from app.analysis.recorded.body import is_cut
from app.analysis.recorded.leaves import MOST_LEAVES, walk_values
from app.analysis.text.one_line import format_duration, one_line
from app.analysis.text.token_budget import Alias
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_MOST_OF_A_KIND = 6  # lines of each kind: the first differences explain most of the later ones
_SLOWER = 1.5  # half as slow again: less is common between two runs of the same step
_LEAST_SHARE = 0.03  # share of the longer run that a step must have lost to be worth a line
_GROWN = 2.0  # inputs of the same step vary; one of twice the size holds something else
_LEAST_GROWTH = 400  # characters, some 100 tokens: less changes neither cost nor time

Pair = tuple[Node, Node]


@dataclass(frozen=True, slots=True)
class ComparedRuns:
    """Two runs; the alias names spans of either."""

    a: TraceAnalysis
    b: TraceAnalysis
    alias: Alias


def find_run_differences(runs: ComparedRuns) -> Iterator[str]:
    """Lines on how run B went another way than run A: the first divergence in its steps, steps in
    another order, the first other outcome of a step, then steps with other models, larger inputs or
    more time."""
    divergences, pairs = _compare_trees(runs)
    if divergences:
        yield _format_divergence(runs, min(divergences, key=lambda divergence: divergence.at))
    yield from _find_reordered(runs, pairs)
    yield from _find_outcome_changes(runs, pairs)
    yield from _find_model_changes(runs, pairs)
    yield from _find_input_growth(runs, pairs)
    yield from _find_slower_steps(runs, pairs)


@dataclass(frozen=True, slots=True)
class _Divergence:
    """A place at which the steps differ; `above` are the counterparts that it lies below.

    `missing` is the first step that only A has there, `added` the first that only B has; `at` is
    when B got there, microseconds.
    """

    above: Pair | None
    missing: Node | None
    added: Node | None
    before: Node | None
    at: int


def _compare_trees(runs: ComparedRuns) -> tuple[list[_Divergence], list[Pair]]:
    """All places where the steps differ, and all steps that have a counterpart: the n-th of its
    name below counterparts, siblings in the order of B."""
    divergences: list[_Divergence] = []
    pairs: list[Pair] = []
    waiting: list[tuple[Pair | None, Sequence[Node], Sequence[Node]]] = [
        (None, runs.a.tree.roots, runs.b.tree.roots)
    ]
    while waiting:
        above, ours, theirs = waiting.pop()
        matched = _match_siblings(ours, theirs)
        pairs += matched
        if len(matched) < max(len(ours), len(theirs)):
            divergences.append(_find_divergence(above, ours, theirs, matched))
        waiting += [(pair, pair[0].children, pair[1].children) for pair in matched]
    return divergences, pairs


def _match_siblings(ours: Sequence[Node], theirs: Sequence[Node]) -> list[Pair]:
    known: dict[tuple[str, int], Node] = {}
    seen: Counter[str] = Counter()
    for node in ours:
        known[node.name, seen[node.name]] = node
        seen[node.name] += 1
    seen.clear()
    found = []
    for node in theirs:
        counterpart = known.get((node.name, seen[node.name]))
        seen[node.name] += 1
        if counterpart is not None:
            found.append((counterpart, node))
    return found


def _find_divergence(
    above: Pair | None, ours: Sequence[Node], theirs: Sequence[Node], matched: Sequence[Pair]
) -> _Divergence:
    """What is missing and what is added, if it is at the same place; else what comes first."""
    missing, earlier_ours = _first_unmatched(ours, {id(one): other for one, other in matched})
    added, earlier_theirs = _first_unmatched(theirs, {id(other): other for _, other in matched})
    if missing and added and len(earlier_ours) != len(earlier_theirs):
        if len(earlier_ours) < len(earlier_theirs):
            added = None
        else:
            missing = None
    earlier = earlier_theirs if added else earlier_ours
    before = earlier[-1] if earlier else None
    if added is not None:
        at = added.start
    else:
        at = before.end if before else above[1].start if above else 0
    return _Divergence(above, missing, added, before, at)


def _first_unmatched(
    nodes: Sequence[Node], in_b: Mapping[int, Node]
) -> tuple[Node | None, Sequence[Node]]:
    """The first step without a counterpart, and those of B that its predecessors have or are."""
    for place, node in enumerate(nodes):
        if id(node) not in in_b:
            return node, [in_b[id(each)] for each in nodes[:place]]
    return None, ()


def _format_divergence(runs: ComparedRuns, divergence: _Divergence) -> str:
    where = f"below {_format_step(runs, divergence.above[1])}" if divergence.above else "at the top"
    after = f" after {_format_step(runs, divergence.before)}" if divergence.before else ""
    if divergence.added is None:
        assert divergence.missing is not None
        text = f"B has no {_step_name(divergence.missing)}, which A has"
    elif divergence.missing is None:
        text = f"B has {_format_step(runs, divergence.added)}, which A lacks"
    else:
        missing = _step_name(divergence.missing)
        text = f"B has {_format_step(runs, divergence.added)} where A has {missing}"
    return f"first divergence: {where}{after}: {text}"


def _find_reordered(runs: ComparedRuns, pairs: Sequence[Pair]) -> Iterator[str]:
    """Steps that follow one another in both runs, in another order; what overlaps has none."""
    turned = [
        (first, second)
        for first, second in pairwise(pairs)
        if first[1].parent is second[1].parent
        and first[1].end <= second[1].start
        and second[0].end <= first[0].start
    ]
    for first, second in turned[:_MOST_OF_A_KIND]:
        one, other = _format_step(runs, first[1]), _format_step(runs, second[1])
        yield f"other order: B does {one} before {other}, A after it"


def _find_outcome_changes(runs: ComparedRuns, pairs: Sequence[Pair]) -> Iterator[str]:
    """The first steps that failed, or returned nothing, in one run only."""
    shown = 0
    for ours, theirs in sorted(pairs, key=lambda pair: (pair[1].end, -pair[1].depth)):
        text = _compare_outcome(runs, ours, theirs)
        if text and shown < _MOST_OF_A_KIND:
            shown += 1
            yield f"other outcome: {_format_step(runs, theirs)}: {text}"


def _compare_outcome(runs: ComparedRuns, ours: Node, theirs: Node) -> str | None:
    if (ours.error is None) != (theirs.error is None):
        failed = theirs if theirs.error is not None else ours
        text = one_line(error_message(failed.error), limit=120) if failed.error else ""
        return f"fails in {'B' if failed is theirs else 'A'} only ({text})"
    if theirs.error is not None or not _both_read(runs, ours, theirs):
        return None
    if ours.view.returned_nothing != theirs.view.returned_nothing:
        return f"returns nothing in {'B' if theirs.view.returned_nothing else 'A'} only"
    return None


def _find_model_changes(runs: ComparedRuns, pairs: Sequence[Pair]) -> Iterator[str]:
    changed = [pair for pair in pairs if pair[0].span.model != pair[1].span.model]
    for ours, theirs in changed[:_MOST_OF_A_KIND]:
        old, new = (one_line(each.span.model or "none", limit=40) for each in (ours, theirs))
        yield f"other model: {_format_step(runs, theirs)}: {old} → {new}"


def _find_input_growth(runs: ComparedRuns, pairs: Sequence[Pair]) -> Iterator[str]:
    """The steps whose inputs differ most in size."""
    grown = []
    for ours, theirs in pairs:
        if _both_read(runs, ours, theirs):
            old, new = _content_size(ours.span.input), _content_size(theirs.span.input)
            if abs(new - old) >= _LEAST_GROWTH and max(old, new) >= _GROWN * min(old, new):
                grown.append((abs(new - old), old, new, theirs))
    grown.sort(key=lambda each: -each[0])
    for _, old, new, theirs in grown[:_MOST_OF_A_KIND]:
        yield f"input size: {_format_step(runs, theirs)}: {old:,} → {new:,} characters"


def _find_slower_steps(runs: ComparedRuns, pairs: Sequence[Pair]) -> Iterator[str]:
    """The steps that took longer by themselves, the greatest difference first."""
    least = _LEAST_SHARE * max(runs.a.profile.duration, runs.b.profile.duration)
    shifts = []
    for ours, theirs in pairs:
        old, new = runs.a.profile.own_time[ours.index], runs.b.profile.own_time[theirs.index]
        if new - old >= least and new >= _SLOWER * old:
            shifts.append((new - old, old, new, theirs))
    shifts.sort(key=lambda shift: -shift[0])
    for _, old, new, theirs in shifts[:_MOST_OF_A_KIND]:
        step = _format_step(runs, theirs)
        yield f"slower: {step}: {format_duration(old)} → {format_duration(new)} own time"


def _both_read(runs: ComparedRuns, ours: Node, theirs: Node) -> bool:
    return ours.id in runs.a.bodies and theirs.id in runs.b.bodies


def _content_size(value: Any) -> int:
    """Characters of the texts and numbers in a value; of a cut one what is left of it."""
    return (
        len(value)
        if is_cut(value)
        else sum(len(str(leaf)) for _, leaf in walk_values(value, most=MOST_LEAVES))
    )


def _step_name(node: Node) -> str:
    return node.title


def _format_step(runs: ComparedRuns, node: Node) -> str:
    return f"{runs.alias(node.id)} {_step_name(node)}"
