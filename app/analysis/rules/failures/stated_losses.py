"""Steps that dropped a part of what they were given, by their own flags and counts."""

import re
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from app.analysis.recorded.leaves import Leaf, LeavesByType, Path
from app.analysis.recorded.request import RecordedRequest
from app.analysis.recorded.spellings import key_set
from app.analysis.recorded.status_words import SUCCESS_FLAGS
from app.analysis.text.one_line import list_first, one_line
from app.analysis.tree import Node

_LEAVES_READ = 400  # of an input or a result: lists that are paired or cut into batches
_SHARDS = key_set("_shards")  # of Elasticsearch and OpenSearch: how many parts of an index answered
_LEAST_TEXT = 40  # characters that were left of a text: a shorter one is a title or a name
_OTHER_FLAGS = SUCCESS_FLAGS | key_set("done valid stored saved enabled cached")
_LONGEST_MARK = 40  # characters
_END_MARK = re.compile(r"\s*(?:\.{3}|…|[\[(][^\[\]()]{1,36}[\])])\Z")
"""What programs write behind a text that they cut: `...`, `[truncated]`."""
_LEAST_CUT = 0.2  # of a text: less may be its closing words
_FEWEST_ITEMS = 4  # of batches and pairs: with fewer a gap is chance
_MOST_MISSING = 0.25  # of them: where more are missing they were left out on purpose
_MOST_LISTS = 8  # that a step was given to pair
_FEWEST_MESSAGES = 3  # of a talk: of two, the first may be the question that the second repeats
_TALKS = key_set("role content type messages text parts")  # one of them is in each message
_SHOWN = 4  # numbers of items


def explain_stated_loss(node: Node) -> str:
    """What a step dropped, as the end of a sentence; empty where nothing shows it."""
    cut = _find_cut_text(node.view.input.first_by_type, node.view.output.first_by_type)
    if cut or node.view.calls_outside:
        return cut  # what others return is no part of what they were given, but for a text
    given = list(node.view.input.list_leaves(_LEAVES_READ))
    result = list(node.view.output.list_leaves(_LEAVES_READ))
    found = (check(node, given, result) for check in _CHECKS)
    return next((reason for reason in found if reason), "")


def explain_failed_shards(node: Node) -> str:
    """How many parts of an index gave no hits; empty where all did."""
    if not node.view.output.may_have_key(_SHARDS):
        return ""
    leaves = node.view.output.list_leaves(_LEAVES_READ)
    counts = {leaf.key: leaf.value for leaf in leaves if "_shards" in leaf.path}
    failed = counts.get("failed")
    if type(failed) is not int or failed <= 0:
        return ""
    return f"{failed} of {counts.get('total')} shards failed"


def _find_cut_text(given: LeavesByType, result: LeavesByType) -> str:
    """A text of the result is the beginning or the end of one that was given under the same key,
    and a flag of the result or a limit in the input says that it was cut. Under another key it is a
    title or a preview."""
    flags = (leaf for leaf in result.flags if leaf.value and leaf.key not in _OTHER_FLAGS)
    flag = next(flags, None)
    numbers = {leaf.value for leaf in given.numbers if type(leaf.value) is int}
    wholes = {leaf.key: leaf.value for leaf in given.texts}
    for leaf in result.texts if flag or numbers else ():
        whole = wholes.get(leaf.key)
        if not whole or len(leaf.value) < _LEAST_TEXT:
            continue
        mark = _END_MARK.search(leaf.value, len(leaf.value) - _LONGEST_MARK)
        text = leaf.value[: mark.start()] if mark else leaf.value
        if flag is None and numbers.isdisjoint((len(text), len(leaf.value))):
            continue
        if len(text) <= (1 - _LEAST_CUT) * len(whole) and (
            whole.startswith(text) or whole.endswith(text)
        ):
            says = f" and says {one_line(str(flag.path[-1]), limit=40)}: true" if flag else ""
            return f"it cut a text of {len(whole):,} characters to {len(text):,}{says}"
    return ""


def _find_gap_in_batches(node: Node, given: Sequence[Leaf], result: Sequence[Leaf]) -> str:
    """Batches of the items of a list, or of numbers up to a count, of which some stand in none."""
    for batches in _list_batches(result):
        lists = _list_lists(given)
        counts = {leaf.value for leaf in given if type(leaf.value) is int}
        items = [item for batch in batches for item in batch]
        longest = max(map(len, batches))
        if (
            not 1 < longest < len(items)
            or len(items) < _FEWEST_ITEMS
            or len(items) > len(set(items))
        ):
            continue
        known = [each for each in lists if len(each) == len(set(map(str, each)))]
        larger = [each for each in counts if longest < each <= _LEAVES_READ]
        if len(larger) == 1:  # with several numbers it is open which of them is the count
            known += [list(range(1, larger[0] + 1)), list(range(larger[0]))]
        for whole in known:
            missing = [each for each in whole if each not in items]
            if missing and len(missing) == len(whole) - len(items) <= _MOST_MISSING * len(items):
                shown = list_first(
                    [one_line(str(each), limit=40) for each in missing[:_SHOWN]], len(missing)
                )
                return f"its batches hold {len(items)} of {len(whole)} items, without {shown}"
    return ""


def _list_batches(result: Sequence[Leaf]) -> list[list[list[Any]]]:
    """The lists of texts or numbers that stand in one list, each or under one key."""
    groups: dict[Path, dict[Path, list[Any]]] = {}
    for path, _, value in result:
        if not (path and isinstance(path[-1], int) and type(value) in (int, str)):
            continue
        outer = next((at for at in range(len(path) - 2, -1, -1) if isinstance(path[at], int)), None)
        if outer is not None:
            group = (*path[:outer], *path[outer + 1 : -1])
            groups.setdefault(group, {}).setdefault(path[:-1], []).append(value)
    return [list(each.values()) for each in groups.values() if len(each) > 1]


def _find_uneven_pairs(node: Node, given: Sequence[Leaf], result: Sequence[Leaf]) -> str:
    """Two lists of different lengths, of which the result holds pairs, as many as the shorter one
    has."""
    lists = [each for each in _list_lists(given) if len(each) >= _FEWEST_ITEMS]
    pairs: dict[Path, list[Any]] = {}
    for path, _, value in result if lists else ():
        if len(path) > 1 and isinstance(path[-2], int):
            pairs.setdefault(path[:-1], []).append(value)
    lists = [each for each in lists if len(each) >= len(pairs)]
    shorter = [each for each in lists if len(each) == len(pairs)]
    for short, long in product(shorter, lists):
        if len(short) < len(long) and all(
            a in pair and b in pair for a, b, pair in zip(short, long, pairs.values(), strict=False)
        ):
            return (
                f"it was given lists of {len(long)} and {len(short)} items and paired them in"
                " their order, so that the rest was dropped"
            )
    return ""


def _list_lists(leaves: Sequence[Leaf]) -> list[list[Any]]:
    """The lists of texts and numbers."""
    found: dict[Path, list[Any]] = {}
    for path, _, value in leaves:
        if isinstance(value, list):
            found[path] = value
        elif path and isinstance(path[-1], int):
            found.setdefault(path[:-1], []).append(value)
    return list(found.values())[:_MOST_LISTS]


def _find_lost_history(node: Node, given: Sequence[Leaf], result: Sequence[Leaf]) -> str:
    """Of a talk only the last message is left, and a number states how many were dropped."""
    if not (node.view.input.may_have_key(_TALKS) and node.view.output.may_have_key(_TALKS)):
        return ""
    before = node.view.request.messages
    after = RecordedRequest(node.span.output, None).messages
    if len(before) < _FEWEST_MESSAGES or len(after) != 1 or after[0] != before[-1]:
        return ""
    stated = node.view.metadata.list_leaves(_LEAVES_READ)
    if all(leaf.value != len(before) - 1 for leaf in (*result, *stated)):
        return ""
    return f"it kept the last of {len(before)} messages"


_CHECKS: tuple[Callable[[Node, Sequence[Leaf], Sequence[Leaf]], str], ...] = (
    _find_gap_in_batches,
    _find_uneven_pairs,
    _find_lost_history,
)
