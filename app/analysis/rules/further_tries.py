"""Whether a call of one name is a further try of a failed one where many calls are made: its input
counts the tries, or differs by the service that stands in for the first."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from app.analysis.recorded.body_state import BodyState
from app.analysis.tree import Node

_LEAST_TEXT = 4  # characters of a value that tells one item from another
_CALLS_READ = 40  # calls before and after a failed one: a further try comes soon
_MOST_TRIES = 3  # calls that share the item of a failed one: of more it is no item of its own
_FIRST_COUNTS = (0, 1)  # of tries, as programs count them


def find_counted_try(node: Node, siblings: Sequence[Node]) -> Node | None:
    """The call that worked of those that were given the same but for a number that counts the
    tries: it begins with 0 or 1, goes up by one after each failure, and no further when a call has
    worked. Numbers of items go on."""
    if node.view.input.state is not BodyState.PRESENT:
        return None
    text = node.view.input.uncounted
    same = [
        each
        for each in _near(node, siblings)
        if each.name == node.name and each.view.input.uncounted == text
    ]
    run: list[Node] = []
    for each in same:
        if run and _count_of(run[-1], each) is None:
            if node in run:
                break
            run = []
        run.append(each)
    failed = run[:-1]
    if node not in failed or not counts_tries(run):
        return None
    return run[-1] if all(each.view.has_failed for each in failed) else None


def counts_tries(run: Sequence[Node]) -> bool:
    """Whether the inputs of calls differ by one number only, which begins with 0 or 1 and goes up
    by one."""
    counts = [_count_of(before, after) for before, after in pairwise(run)]
    return counts[0] in _FIRST_COUNTS and None not in counts


def find_try_elsewhere(node: Node, siblings: Sequence[Node]) -> Node | None:
    """A later call that was given the same item and one other value, with which only failed calls
    are tried again: that of another engine, provider or region."""
    given = dict(given_pairs(node))
    if len(given) == 1 or node.view.is_model_call:
        return None
    same = (each for each in _near(node, siblings) if each.name == node.name)
    near = [(each, dict(given_pairs(each))) for each in same]
    for later, taken in near:
        if later.start < node.end or given.keys() != taken.keys():
            continue
        other = [key for key in given if given[key] != taken[key]]
        if len(other) == 1 and _is_item_of_few(given, other[0], [values for _, values in near]):
            (key,) = other
            first = [each.view.has_failed for each, values in near if values.get(key) == given[key]]
            standing_in = sum(values.get(key) == taken[key] for _, values in near)
            if all(first) and standing_in <= len(first):
                return later
    return None


def _is_item_of_few(given: Mapping[str, str], key: str, calls: Sequence[Mapping[str, str]]) -> bool:
    """Whether a value under another key is that of this item, and not of all calls."""
    return any(
        len(value) >= _LEAST_TEXT
        and sum(values.get(name) == value for values in calls) <= min(_MOST_TRIES, len(calls) // 2)
        for name, value in given.items()
        if name != key
    )


def _near(node: Node, calls: Sequence[Node]) -> Sequence[Node]:
    """The calls around a failed one, in the order they started."""
    first = next((place for place, each in enumerate(calls) if each is node), 0)
    return calls[max(0, first - _CALLS_READ) : first + _CALLS_READ]


def _count_of(node: Node, later: Node) -> int | None:
    """The only value in which two inputs differ, where the later one is larger by one."""
    given, taken = node.view.input.first_values, later.view.input.first_values
    differing = [pair for pair in zip(given, taken, strict=False) if pair[0] != pair[1]]
    if len(differing) != 1:
        return None
    one, other = differing[0]
    if isinstance(one, int) and isinstance(other, int) and other == one + 1:
        return one
    return None


def given_pairs(node: Node) -> list[tuple[str, str]]:
    """The texts and numbers that a call was given, with their keys."""
    return [
        (key, str(value))
        for _, key, value in node.view.input.first_leaves
        if key and type(value) in (str, int, float) and value != ""
    ]
