"""Equal calls under several branches that are no work done again: items of a batch that are alike,
inputs that name no item, attempts after a failure, looks at something after a pause."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import median_low

from app.analysis.recorded.body import Body
from app.analysis.recorded.names import name_stem
from app.analysis.recorded.spellings import key_set, plain_key
from app.analysis.rules.repeated_work.comparable_calls import Call
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_LEAST_COMMON = 2  # pieces of work a branch: one may be that of an item that is like another
_COVERED_SHARE = 0.5  # of the branches, for the one piece that is common to be no chance
_SHORTEST_NAME = 3  # characters of a text that names an item
_TELLING_RESULT = 20  # characters of a text that two items do not have in common
_MANY_VALUES = 6  # of a result: two items do not have all of them in common
_MANY_ITEMS = 4  # results that differ, of calls that name items by numbers: settings are fewer
_PAUSE = 1_000_000  # microseconds without work before a branch that looks again
_PAUSE_SHARE = 0.5  # of the time of the branch before
_SETTINGS = key_set("model engine mode format type level version encoding unit units device")
"""Keys of settings that all items have in common."""
_NUMBERS_ITEM = re.compile(r"(?:id|page|number|index|no|nr|key)\Z")
"""Ends of keys of numbers that name an item."""


def are_equal_by_chance(groups: Sequence[Sequence[Call]], branches: Sequence[Node]) -> bool:
    """Whether groups of equal calls below `branches`, by start, have another reason than that the
    branches got the same work."""
    return (
        _have_little_in_common(groups, branches)
        or not (any(_names_item(group[0].node) for group in groups) or _number_items(groups))
        or any(branch.error is not None for branch in branches[:-1])
        or _pause_between(branches)
    )


def _have_little_in_common(groups: Sequence[Sequence[Call]], branches: Sequence[Node]) -> bool:
    """Whether most branches share a single call, and each such call only few of the branches; a
    model is asked the same in many branches for a sample of its answers."""
    level = branches[0].depth
    places = [{call.node.path()[level].id for call in group} for group in groups]
    shared = Counter(branch_id for place in places for branch_id in place)
    if median_low(shared.values()) >= _LEAST_COMMON:
        return False
    if all(_lie_under_other_names(group, level) for group in groups):
        return False
    parent = branches[0].parent
    stems = {name_stem(branch.name) for branch in branches}
    alike = [node for node in parent.children if name_stem(node.name) in stems] if parent else []
    least = _COVERED_SHARE * max(len(alike), len(branches))
    return not any(
        len(place) >= least and not group[0].node.view.is_model_call
        for place, group in zip(places, groups, strict=True)
    )


def _lie_under_other_names(group: Sequence[Call], level: int) -> bool:
    """Whether the branches around equal calls are steps of several names, as those that one item
    goes through: an item that is like another goes through the step of the same name. What a model
    alone is asked in each may be a comparison."""
    stems = [name_stem(call.node.path()[level].name) for call in group]
    return len(set(stems)) == len(stems) and not group[0].node.view.is_model_call


def work_on_unknown_items(nodes: Sequence[Node], analysis: TraceAnalysis) -> bool:
    """Whether equal calls were given settings only, each right after a step that was given
    something else each time: a model that looks at the picture that was read before it."""
    if _is_given_item(nodes[0]) or any(
        _NUMBERS_ITEM.search(leaf.key) and type(leaf.value) is int
        for leaf in nodes[0].view.input.first_leaves
    ):
        return False
    before = [analysis.tree.finished_before(node, 1) for node in nodes]
    given = {step.view.input.canonical for steps in before for step in steps}
    return len(given - {""}) == len(nodes)


def _names_item(node: Node) -> bool:
    """Whether the input of a call, or its result, tells the item that it was made for: calls for
    different parts may all be given `{"batch": 32}` and return `{"ok": true}`."""
    return _is_given_item(node) or _is_telling(node.view.output)


def _is_given_item(node: Node) -> bool:
    return any(
        isinstance(leaf.value, str)
        and len(leaf.value.strip()) >= _SHORTEST_NAME
        and not (leaf.path and plain_key(str(leaf.path[-1])) in _SETTINGS)
        for leaf in node.view.input.first_leaves
    )


def _number_items(groups: Sequence[Sequence[Call]]) -> bool:
    """Whether calls of one name differ in what they returned besides what they were given: items
    with numbers for names."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for node in (group[0].node for group in groups):
        given = set(map(str, node.view.input.first_values))
        values = map(str, node.view.output.first_values)
        results = found.setdefault(name_stem(node.name), set())
        results.add(tuple(value for value in values if value not in given))
    return any(len(results) >= _MANY_ITEMS for results in found.values())


def _is_telling(result: Body) -> bool:
    values = result.first_values
    return len(values) >= _MANY_VALUES or any(
        isinstance(value, str) and len(value) >= _TELLING_RESULT for value in values
    )


def _pause_between(branches: Sequence[Node]) -> bool:
    """Whether nothing ran for a while before most of the branches after the first."""
    pauses = sum(
        after.start - before.end >= max(_PAUSE, _PAUSE_SHARE * before.duration)
        and not _ran_between(before, after)
        for before, after in pairwise(branches)
    )
    return 2 * pauses > len(branches) - 1


def _ran_between(before: Node, after: Node) -> bool:
    siblings = before.parent.children if before.parent else ()
    return any(
        node.start < after.start and node.end > before.end
        for node in siblings
        if node is not before and node is not after
    )
