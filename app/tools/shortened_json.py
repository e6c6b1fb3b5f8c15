"""JSON in few characters: long texts and lists lose their middle, calls of tools last.

A long text that is JSON itself is shown as the object or list that it is."""

import json
from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

from app.analysis.recorded.opened_json import open_text
from app.analysis.recorded.spellings import CALL_TYPES, CALLS, plain_key
from app.analysis.text.json_path import describe_value

_LEAST_TEXT = 40  # characters: with less of each text one could not tell them apart
_LEAST_ITEMS = 6  # of a list
_CHARACTERS_OF_ITEM = 20  # of a text, for which one more item of a list is kept
_STEP = 1.15  # a text is at most so many times as long in the next try: little room is left unused
_END_PART = 4  # of a shortened text, a fourth is its end: there stand results and last instructions
_CALLS_KEEP = 10  # times as much of texts within a tool call: its arguments say what happened
_LEVELS = 40  # nothing that is worth a look lies deeper
_Place = tuple[Any, Any, int, bool]


def shorten_json(value: Any, limit: int) -> str | None:
    """The JSON of an object or list in at most `limit` characters; None if that would leave less
    of it than its beginning."""
    fitting: str | None = None

    def is_too_long(characters: int) -> bool:
        nonlocal fitting
        items = max(_LEAST_ITEMS, characters // _CHARACTERS_OF_ITEM)
        shortened = _shorten_below(value, characters, items, most=limit)
        text = None if shortened is None else json.dumps(shortened, ensure_ascii=False)
        if text is None or len(text) > limit:
            return True
        fitting = text
        return False

    bisect_left(_list_lengths(limit), True, key=is_too_long)
    return fitting


def _list_lengths(limit: int) -> list[int]:
    """Characters to which long texts may be shortened, rising."""
    lengths = [_LEAST_TEXT]
    while lengths[-1] < limit:
        lengths.append(int(lengths[-1] * _STEP))
    return lengths


def _shorten_below(value: Any, characters: int, items: int, *, most: int) -> Any:
    """A copy with every text and list shortened; None if it would have more than `most` values."""
    whole = [value]
    waiting: list[_Place] = [(whole, 0, 0, False)]
    while waiting:
        most -= 1
        if most < 0:
            return None
        holder, key, level, in_call = waiting.pop()
        item = holder[key]
        longest = characters * (_CALLS_KEEP if in_call else 1)
        if isinstance(item, str) and len(item) > longest:
            item = holder[key] = open_text(item)  # so that what stands behind a list stays
        if isinstance(item, str):
            holder[key] = _shorten_text(item, longest)
        elif isinstance(item, dict | list) and level >= _LEVELS:
            holder[key] = describe_value(item)
        elif isinstance(item, list):
            kept = holder[key] = _shorten_list(item, items)
            waiting += [(kept, place, level + 1, in_call) for place in range(len(kept))]
        elif isinstance(item, dict):
            if len(item) > most:
                return None
            copy = holder[key] = dict(item)
            in_call = in_call or _is_call(item)
            waiting += [(copy, k, level + 1, in_call or plain_key(k) in CALLS) for k in copy]
    return whole[0]


def _is_call(item: Mapping[str, Any]) -> bool:
    kind = item.get("type")
    return isinstance(kind, str) and plain_key(kind) in CALL_TYPES


def _shorten_text(text: str, characters: int) -> str:
    if len(text) <= characters + 20:
        return text
    end = characters // _END_PART
    left_out = f"… {len(text) - characters:,} more characters …"
    return f"{text[: characters - end]}{left_out}{text[len(text) - end :]}"


def _shorten_list(items: list[Any], most: int) -> list[Any]:
    """The first item and the last ones: of messages the newest say most."""
    if len(items) <= most:
        return list(items)
    return [items[0], f"… {len(items) - most:,} more items …", *items[1 - most :]]
