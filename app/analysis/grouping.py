"""Things by what they have in common."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

_Item = TypeVar("_Item")
_Key = TypeVar("_Key")


def group_by(items: Iterable[_Item], key: Callable[[_Item], _Key]) -> dict[_Key, list[_Item]]:
    """The items by key, in their order; groups in the order of their first items."""
    groups: dict[_Key, list[_Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def keep_repeated(items: Sequence[_Item], key: Callable[[_Item], _Key]) -> list[_Item]:
    """The items whose key another one has as well, in their order."""
    keys = list(map(key, items))
    counts = Counter(keys)
    return [item for item, each in zip(items, keys, strict=True) if counts[each] > 1]
