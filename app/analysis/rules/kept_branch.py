"""Merges of parallel branches that kept the list of the last one only: the last write won."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.body import Body
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.spellings import plain_key
from app.analysis.text.one_line import list_first, one_line
from app.analysis.trace_analysis import TraceAnalysis, list_read_steps
from app.analysis.tree import Node

_FEWEST = 2  # branches
_MEMBERS_READ = 20  # of an object: branches are few
_LEVELS_READ = 3  # above an object of branches
_EARLIER_READ = 60  # steps beside a merge that may be its branches
_SHOWN = 3
_CONFIDENCE = 0.8  # a step may choose one of several lists, but hardly the last, under their key


def find_kept_branches(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Steps that were given the lists of several branches and returned that of the last one, under
    the key under which each branch had returned its own; where there is none, the first step that
    was given the list of one branch only, where all share a state."""
    steps = [node for node in analysis.once(list_read_steps) if not node.view.calls_outside]
    merges = [found for node in steps for found in _find_merges(node, analysis)]
    yield from merges
    reported: set[tuple[str, str]] = set()
    for node in [] if merges else sorted(steps, key=lambda each: (each.start, each.index)):
        yield from _find_lost_state(node, reported, analysis)


def _find_merges(node: Node, analysis: TraceAnalysis) -> Iterator[Finding]:
    if BodyState.ABSENT in (node.view.input.state, node.view.output.state):
        return
    returned = _members(node.view.output.opened)
    kept = {key: each for key, each in returned if _is_full_list(each)}
    for branches in _list_branches(node.view.input.opened) if kept else ():
        found = _explain(node, branches, kept, analysis)
        if found is not None:
            yield found


def _explain(
    node: Node, branches: dict[str, Any], kept: dict[str, Any], analysis: TraceAnalysis
) -> Finding | None:
    *others, last = branches.values()
    key = next((key for key, value in kept.items() if value == last), None)
    if key is None or any(_may_hold(node.view.output, each) for each in others):
        return None
    makers = _find_makers(key, branches.values(), node, analysis)
    if len(makers) < len(branches):
        return None
    names = [one_line(each, limit=40) for each in branches]
    label = one_line(key, limit=40)
    sentence = (
        f"{one_line(node.name, limit=60)} was given {label} of {len(names)} branches and returned"
        f" those of {names[-1]} only; what {list_first(names[:-1][:_SHOWN], len(names) - 1)} had"
        " found was lost."
    )
    return build_finding(Category.LOST_VALUE, _CONFIDENCE, sentence, [node, *makers])


def _find_lost_state(
    node: Node, reported: set[tuple[str, str]], analysis: TraceAnalysis
) -> Iterator[Finding]:
    """A list of a shared state that is that of one of several branches before, which ran side by
    side and were given the state as well."""
    for key, value in _members(node.view.input.opened):
        place = (key, node.parent.id if node.parent else "")
        if not _is_full_list(value) or place in reported:
            continue
        branches = _find_parallel(key, node, analysis)
        lists = [dict(_members(each.view.output.opened))[key] for each in branches]
        if len(branches) < _FEWEST or lists.count(value) != 1:
            continue
        kept = branches[lists.index(value)]
        lost = [each for each in branches if each is not kept]
        others = [items for items in lists if items != value]
        ends = (node.view.input, Body(analysis.trace.output))
        if any(_may_hold(body, items) for body in ends for items in others):
            continue
        reported.add(place)
        names = [one_line(each.name, limit=40) for each in lost]
        sentence = (
            f"{one_line(node.name, limit=60)} was given the {one_line(key, limit=40)} of"
            f" {one_line(kept.name, limit=40)} only; what {list_first(names[:_SHOWN], len(names))}"
            " had returned at the same time was lost."
        )
        yield build_finding(Category.LOST_VALUE, _CONFIDENCE, sentence, [*lost, kept, node])


def _find_parallel(key: str, node: Node, analysis: TraceAnalysis) -> list[Node]:
    """The steps before that were given a key and returned a list for it, side by side with the one
    that ended last."""
    steps = [
        each
        for each in analysis.tree.finished_before(node, _EARLIER_READ)
        if analysis.was_read(each)
        and each.view.input.may_have_key({plain_key(key)})
        and key in dict(_members(each.view.input.opened))
        and _is_full_list(dict(_members(each.view.output.opened)).get(key))
    ]
    return [each for each in steps if each.end > steps[0].start and each.start < steps[0].end]


def _members(value: Any) -> list[tuple[str, Any]]:
    pairs = value.items() if isinstance(value, dict) else ()
    return list(islice(pairs, _MEMBERS_READ))


def _is_full_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value)


def _list_branches(value: Any, level: int = 0) -> Iterator[dict[str, Any]]:
    """The objects in a value whose members are two or more lists."""
    members = _members(value)
    if len(members) >= _FEWEST and all(_is_full_list(each) for _, each in members):
        yield dict(members)
    elif level < _LEVELS_READ:
        for _, inner in members:
            yield from _list_branches(inner, level + 1)


def _may_hold(output: Body, items: Sequence[Any]) -> bool:
    """Whether the output has the first item of a list, or may have it."""
    first = Body(items[0]).canonical
    return not first or not output.canonical or first in output.canonical


def _find_makers(key: str, lists: Iterable[Any], node: Node, analysis: TraceAnalysis) -> list[Node]:
    """The steps before that returned one of the lists under this key, one for each."""
    found: dict[int, Node] = {}
    wanted = list(lists)
    for earlier in analysis.tree.finished_before(node, _EARLIER_READ):
        returned = dict(_members(earlier.view.output.opened)).get(key)
        if returned in wanted and analysis.was_read(earlier):
            found.setdefault(wanted.index(returned), earlier)
    return [found[at] for at in sorted(found)]
