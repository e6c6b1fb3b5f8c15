"""Parses JSON of any depth, with single surrogates and with numbers of any length.

Python's parser fails somewhere between a thousand levels and many thousands, depending on its
version, and at 4,300 digits; code that later walks or encodes the value may become slow or fail
too. Recorded values may be like that, by accident or by malice, and one of them must not hide the
record that it is part of.
"""

import json
import re
from itertools import accumulate
from typing import Any

from app.surrogates import join_surrogates

MAX_DEPTH = 200
"""Levels that are kept: more than any recorded value needs, far fewer than a recursion may have."""

MOST_CONTAINERS = 250_000
"""Objects and lists in one text. Each takes 60 to 200 bytes of memory, however short it is:
16 MB of `[],` are 340 MB. A record of the largest size has so many if each takes 64 characters."""

# Possessive, since what a repetition may give back costs 100 bytes for each character. A string
# without an end reaches to the end of the text: else the search would begin again at each quote.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_TOKEN = re.compile(_STRING.pattern + rb"|[\[{]++|[\]}]++", re.DOTALL)
_SLICE = re.compile(rb"(?:[^\"]++|%b){1,4096}+" % _STRING.pattern, re.DOTALL)
"""What is looked at together: a few milliseconds, in which no other thread runs."""
_QUOTE, _OPENING = ord('"'), b"[{"
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEPS = {ord(each): 1 if each in "[{" else -1 for each in "[]{}"}
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")
"""An escaped surrogate, or one in bytes that are no UTF-8 but that Python's parser accepts."""


class TooManyValues(ValueError):
    """A text with more objects and lists than are read."""


def loads(data: bytes) -> Any:
    """The value of a JSON text; raises ValueError for anything else.

    Values below 200 levels are replaced by a text with their length, single surrogates by U+FFFD.
    A number with more digits than Python reads becomes a text. Raises TooManyValues for more than
    250,000 objects and lists. Takes time and memory in proportion to the length.
    """
    try:
        value = _parse_any_number(_cut_deep_values(data) if is_deep(data) else data)
    except RecursionError:
        raise ValueError("Expecting an end: the text opens more than it closes") from None
    return _join_all_surrogates(value) if _SURROGATE.search(data) else value


def _parse_any_number(data: bytes) -> Any:
    try:
        return json.loads(data)
    except json.JSONDecodeError:
        raise
    except ValueError:
        return json.loads(data, parse_int=_parse_integer)


def _parse_integer(digits: str) -> int | str:
    try:
        return int(digits)
    except ValueError:
        return digits


def _join_all_surrogates(value: Any) -> Any:
    """The value without surrogates in its texts and keys."""
    if isinstance(value, str):
        return join_surrogates(value)
    if isinstance(value, list):
        return [_join_all_surrogates(each) for each in value]
    if isinstance(value, dict):
        return {join_surrogates(key): _join_all_surrogates(each) for key, each in value.items()}
    return value


def is_deep(data: bytes) -> bool:
    """Whether brackets nest below 200 levels. Raises TooManyValues."""
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return False
    deepest = depth = count = 0
    for part in _SLICE.finditer(data):
        brackets = _STRING.sub(b"", part[0]).translate(None, delete=_NO_BRACKETS)
        count += len(brackets)
        if count > 2 * MOST_CONTAINERS:
            raise TooManyValues(f"More than {MOST_CONTAINERS:,} objects and lists")
        here = max(accumulate(map(_STEPS.__getitem__, brackets), initial=depth))
        deepest = max(deepest, here)
        depth += 2 * (brackets.count(b"[") + brackets.count(b"{")) - len(brackets)
    return deepest > MAX_DEPTH


def _cut_deep_values(data: bytes) -> bytes:
    """The text with everything below the deepest level replaced."""
    kept: list[bytes] = []
    depth = start = 0
    for token in _TOKEN.finditer(data):
        at, end = token.span()
        if data[at] == _QUOTE:
            continue
        if data[at] in _OPENING:
            if depth <= MAX_DEPTH < depth + end - at:
                first = at + MAX_DEPTH - depth
                kept.append(data[start:first])
                start = first
            depth += end - at
        else:
            if depth - (end - at) <= MAX_DEPTH < depth:
                last = at + depth - MAX_DEPTH
                kept.append(b'"[nested too deeply to be read: %d characters]"' % (last - start))
                start = last
            depth -= end - at
    return b"".join([*kept, data[start:]])
