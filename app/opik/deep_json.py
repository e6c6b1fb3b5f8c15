"""Parses JSON of any depth, with single surrogates and with numbers of any length.

Python's parser fails somewhere between a thousand levels and many thousands, depending on its
version, and at 4,300 digits; code that later walks or encodes the value may become slow or fail
too. Recorded values may be like that, by accident or by malice, and one of them must not hide the
record that it is part of.
"""

import json
import re
from typing import Any

from app.surrogates import join_surrogates

MAX_DEPTH = 200
"""Levels that are kept: more than any recorded value needs, far fewer than a recursion may have."""

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_TOKEN = re.compile(_STRING.pattern + rb"|[\[\]{}]", re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")
"""An escaped surrogate, or one in bytes that are no UTF-8 but that Python's parser accepts."""


def loads(data: bytes) -> Any:
    """The value of a JSON text; raises ValueError for anything else.

    Values below 200 levels are replaced by a text with their length, single surrogates by U+FFFD.
    A number with more digits than Python reads becomes a text.
    """
    try:
        value = _parse_any_number(_cut_deep_values(data) if _is_deep(data) else data)
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


def _is_deep(data: bytes) -> bool:
    """Whether brackets nest too deeply: removes the innermost pairs, level by level."""
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return False
    brackets = _STRING.sub(b"", data).translate(None, delete=_NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if not brackets:
            return False
    return True


def _cut_deep_values(data: bytes) -> bytes:
    """The text with everything below the deepest level replaced."""
    kept: list[bytes] = []
    depth = start = 0
    for token in _TOKEN.finditer(data):
        if token[0] in (b"[", b"{"):
            depth += 1
            if depth == MAX_DEPTH + 1:
                kept.append(data[start : token.start()])
                start = token.start()
        elif token[0] in (b"]", b"}"):
            if depth == MAX_DEPTH + 1:
                length = token.end() - start
                kept.append(b'"[nested too deeply to be read: %d characters]"' % length)
                start = token.end()
            depth -= 1
    return b"".join([*kept, data[start:]])
