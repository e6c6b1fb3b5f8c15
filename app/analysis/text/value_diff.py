"""What changed between two JSON values, down to paths."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from app.analysis.recorded.body import is_cut
from app.analysis.recorded.leaves import Path, walk_values
from app.analysis.text.json_path import describe_value, format_path, open_json
from app.analysis.text.one_line import one_line
from app.analysis.text.span_values import is_small, show_value
from app.analysis.text.text_diff import diff_texts

_MISSING = object()
_MOST_VALUES = 8_000  # bounds the time for one body; most have some hundred
_LONG_TEXT = 60  # characters: shorter texts are read faster whole than as a list of changes
_SHOWN = 120  # characters of a value
_PATH_SHOWN = 160  # characters: enough for a dozen keys, and a foreign key may be a whole text
_SINGLE = 3  # changes at places of one list that are shown one by one; more share a line
_PLACE = re.compile(r"\[\d+\]")


@dataclass(frozen=True, slots=True)
class ValueChange:
    """One path at which two values differ; `text` says how, on one bounded line.

    `is_long` says that long texts differ there, of which `text` is a summary.
    """

    path: str
    text: str
    is_long: bool = False


def diff_values(a: Any, b: Any, field: str) -> Iterator[ValueChange]:
    """Every path at which `a` and `b` differ, in the order of `a`, then what only `b` has.

    Paths begin with `field`, as `get_span_details` takes them, and lead on through texts that are
    JSON. Numbers compare by value, so 1 equals 1.0; true does not equal 1. Items of lists are
    compared in order, after those that are equal at both ends. 8,000 values of each are compared,
    and of values that the backend cut only what is left of them.
    """
    if is_cut(a) or is_cut(b):
        yield ValueChange(field, "cut by the backend: only its beginning could be compared")
    waiting: list[tuple[Path, Any, Any]] = [((field,), a, b)]
    left = _MOST_VALUES
    while waiting and left > 0:
        path, old, new = waiting.pop()
        left -= 1
        if isinstance(old, str) and isinstance(new, str):
            opened = open_json(old), open_json(new)
            if type(opened[0]) is type(opened[1]):
                old, new = opened
        if isinstance(old, dict) and isinstance(new, dict):
            keys = islice(dict.fromkeys([*old, *new]), left)
            pairs = [((*path, key), old.get(key, _MISSING), new.get(key, _MISSING)) for key in keys]
            waiting += reversed(pairs)
        elif isinstance(old, list) and isinstance(new, list):
            waiting += reversed(list(islice(_pair_items(path, old, new), left)))
        elif old is _MISSING or new is _MISSING:
            side, value = ("B", new) if old is _MISSING else ("A", old)
            for change in _list_one_sided(path, value, side, most=left):
                left -= 1
                yield change
        elif isinstance(old, bool) is not isinstance(new, bool) or old != new:
            yield _format_change(_shown_path(path), old, new)


def _list_one_sided(path: Path, value: Any, side: str, *, most: int) -> Iterator[ValueChange]:
    """What only one side has: an item of a list and a short object as one, else leaf by leaf."""
    text = f"only in {side}: "
    is_item = isinstance(path[-1], int)
    if isinstance(value, dict | list) and (is_item or is_small(value, _SHOWN)):
        yield ValueChange(_shown_path(path), text + show_value(value, limit=_SHOWN))
        return
    for inner, leaf in walk_values(value, most=most):
        yield ValueChange(_shown_path((*path, *inner)), text + _format_value(leaf))


def _pair_items(path: Path, old: list[Any], new: list[Any]) -> Iterator[tuple[Path, Any, Any]]:
    """The items of two lists without what is equal at their beginnings and ends."""
    shorter = min(len(old), len(new))
    start = 0
    while start < shorter and _are_equal(old[start], new[start]):
        start += 1
    end = 0
    while end < shorter - start and _are_equal(old[-1 - end], new[-1 - end]):
        end += 1
    for place in range(start, max(len(old), len(new)) - end):
        one = old[place] if place < len(old) - end else _MISSING
        other = new[place] if place < len(new) - end else _MISSING
        yield (*path, place), one, other


def _are_equal(one: Any, other: Any) -> bool:
    return bool(one == other) and repr(one) == repr(other)


def format_changes(changes: Iterable[ValueChange]) -> list[str]:
    """Short values first, one a line, then summaries of long texts. Where values at many places of
    a list changed, they share a line."""
    short: dict[str, list[ValueChange]] = {}
    long = []
    for change in changes:
        if change.is_long:
            long.append(f"{change.path}: {change.text}")
        else:
            short.setdefault(_PLACE.sub("[*]", change.path), []).append(change)
    return [line for where, group in short.items() for line in _format_group(where, group)] + long


def _format_group(where: str, group: Sequence[ValueChange]) -> Iterator[str]:
    if len(group) <= _SINGLE:
        yield from (f"{change.path}: {change.text}" for change in group)
        return
    first = [f"{''.join(_PLACE.findall(each.path))} {each.text}" for each in group[:_SINGLE]]
    yield f"{where}: {len(group):,} differ: {'; '.join(first)}; and {len(group) - _SINGLE:,} more"


def _shown_path(path: Path) -> str:
    return one_line(format_path(path), limit=_PATH_SHOWN)


def _format_change(path: str, old: Any, new: Any) -> ValueChange:
    if isinstance(old, str) and isinstance(new, str) and max(len(old), len(new)) > _LONG_TEXT:
        return ValueChange(path, diff_texts(old, new), is_long=True)
    return ValueChange(path, f"{_format_value(old)} → {_format_value(new)}")


def _format_value(value: Any) -> str:
    if isinstance(value, str):
        return f"“{one_line(value, limit=_SHOWN)}”"
    return describe_value(value)
