"""One quick look over a value: how much it holds, under which keys, and what may lie inside."""

from itertools import chain
from typing import Any, NamedTuple

_MOST_ITEMS = 20_000  # items of a value that is looked at as a whole; more takes over 5 ms
_OPENING = frozenset('`{["\n\t ')  # what encoded JSON and blank texts begin with
_LONG = 2  # characters from which a text may be encoded JSON
_PLAIN_FROM = 64  # items of a list from which it is worth to look at the types at once


class Survey(NamedTuple):
    """`items` are the values at all levels, `is_whole` whether all were seen. `keys` are the keys
    of all objects as they are. `has_empty` says that there may be a null, a blank text, or an
    empty list or object; `has_encoded` that a text may be encoded JSON."""

    items: int
    is_whole: bool
    keys: frozenset[str]
    has_empty: bool
    has_encoded: bool


def survey_value(value: Any) -> Survey:
    """Looks at up to 20,000 items, level by level without recursion; at the records of a list all
    at once, since most of the time would go into opening each."""
    keys: set[str] = set()
    has_empty = value is None or value in ("", [], {})
    has_encoded = isinstance(value, str) and value[:1] in _OPENING
    items = 1
    waiting = [value] if value and isinstance(value, (dict, list)) else []
    while waiting:
        item = waiting.pop()
        items += len(item)
        if items > _MOST_ITEMS:
            return Survey(items, False, frozenset(keys), True, True)
        inner: Any = item
        if type(item) is dict:
            keys.update(item)
            inner = item.values()
        elif len(item) >= _PLAIN_FROM and {dict, list, str}.isdisjoint(map(type, item)):
            has_empty = has_empty or None in item
            continue
        elif type(item) is list and type(item[0]) is dict and {dict}.issuperset(map(type, item)):
            keys.update(*item)
            items += sum(map(len, item))
            has_empty = has_empty or not all(item)
            if items > _MOST_ITEMS:
                return Survey(items, False, frozenset(keys), True, True)
            inner = chain.from_iterable(map(dict.values, item))
        for each in inner:
            kind = type(each)
            if kind is str:
                if not each:
                    has_empty = True
                elif each[0] in _OPENING and len(each) >= _LONG:
                    has_encoded = True
                    has_empty = has_empty or each.isspace()
            elif (kind is dict or kind is list) and each:
                waiting.append(each)
            elif each is None or kind is dict or kind is list:
                has_empty = True
    return Survey(items, True, frozenset(keys), has_empty, has_encoded)
