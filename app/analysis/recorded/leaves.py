"""The leaves of a JSON value with their paths, in order."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from app.analysis.recorded.spellings import PLAIN_KEYS, plain_key

MOST_LEAVES = 2_000  # a record of a search with hundreds of hits stays below it
SERIES_FROM = 32  # a list of as many plain values is one leaf: an embedding, a series
_LEVELS = 40  # levels walked: nothing that is worth a conclusion lies deeper
_PLAIN = {dict, list, str}

Path = tuple[str | int, ...]


class Leaf(NamedTuple):
    """A scalar, an empty list or object, or a long list of plain values. `key` is the innermost
    object key as `plain_key` spells it."""

    path: Path
    key: str
    value: Any


class LeavesByType(NamedTuple):
    """Leaves by the type of their value, each in order: most looks are for one type only."""

    texts: list[Leaf]
    numbers: list[Leaf]
    flags: list[Leaf]
    others: list[Leaf]  # nulls, empty lists and objects, and series


_new_leaf = tuple.__new__  # takes half the time of the constructor of a named tuple


def innermost_key(path: Path) -> str:
    """The innermost object key of a path as it was recorded, "" where there is none."""
    return next((part for part in reversed(path) if isinstance(part, str)), "")


def walk_leaves(value: Any, *, most: int = MOST_LEAVES) -> list[Leaf]:
    """The first `most` leaves of a value; lists of 32 and more plain values are one leaf, and so is
    what lies below 40 levels."""
    if not _is_container(value):
        return [Leaf((), "", value)]
    found: list[Leaf] = []
    _add_leaves((), "", value, most, found)
    return found


def _add_leaves(path: Path, key: str, value: Any, most: int, found: list[Leaf]) -> None:
    is_object = type(value) is dict
    pairs: Iterable[tuple[Any, Any]] = value.items() if is_object else enumerate(value)
    name = key
    for part, inner in pairs:
        step = part
        if is_object:
            step = part if type(part) is str else str(part)
            name = PLAIN_KEYS[step]
        kind = type(inner)
        if (kind is dict or kind is list) and len(path) + 1 < _LEVELS and _is_container(inner):
            _add_leaves((*path, step), name, inner, most, found)
        else:
            found.append(_new_leaf(Leaf, ((*path, step), name, inner)))
        if len(found) >= most:
            return


def sort_by_type(leaves: Iterable[Leaf]) -> LeavesByType:
    """The leaves of each type of value."""
    found = LeavesByType([], [], [], [])
    lists = {str: found.texts, int: found.numbers, float: found.numbers, bool: found.flags}
    for leaf in leaves:
        lists.get(type(leaf.value), found.others).append(leaf)
    return found


def walk_keyed_values(value: Any, key: str = "", level: int = 0) -> Iterator[tuple[str, Any]]:
    """The key and the value of each of these leaves: for a look at the first few of them."""
    kind = type(value)
    if kind is dict and value and level < _LEVELS:
        for part, inner in value.items():
            yield from walk_keyed_values(inner, plain_key(part), level + 1)
    elif kind is list and value and level < _LEVELS and not _is_series(value):
        for inner in value:
            yield from walk_keyed_values(inner, key, level + 1)
    else:
        yield key, value


def walk_values(value: Any, *, most: int) -> Iterator[tuple[Path, Any]]:
    """The first `most` scalars and empty lists or objects with their paths, at any depth."""
    waiting: list[tuple[Path, Any]] = [((), value)]
    left = most
    while waiting and left > 0:
        path, item = waiting.pop()
        if isinstance(item, dict) and item:
            pairs = list(islice(item.items(), left))
            waiting.extend(((*path, str(key)), inner) for key, inner in reversed(pairs))
        elif isinstance(item, list) and item:
            kept = item[:left]
            waiting.extend(((*path, i), kept[i]) for i in range(len(kept) - 1, -1, -1))
        else:
            left -= 1
            yield path, item


def _is_container(value: Any) -> bool:
    """Whether a value is not a leaf: an object or list that is neither empty nor a series."""
    kind = type(value)
    if kind is dict:
        return bool(value)
    return kind is list and bool(value) and not _is_series(value)


def _is_series(items: list[Any]) -> bool:
    """Whether a list is long and holds plain values only; decided without a loop in Python."""
    return len(items) >= SERIES_FROM and _PLAIN.isdisjoint(map(type, items[:MOST_LEAVES]))
