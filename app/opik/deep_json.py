"""JSON however deeply it nests, with halves of characters and with numbers of any length.

Python's parser gives up somewhere between a thousand levels and many thousands, depending on its
version, and at 4,300 digits; and whoever walks the value or writes it again may get slow or give
up later. Recorded values may be like that, by accident or by malice, and one of them must not hide
the record it is part of.
"""

import json
import re
from typing import Any

from app.surrogates import join_surrogates

MAX_DEPTH = 200
"""Levels that are kept."""

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_TOKEN = re.compile(_STRING.pattern + rb"|[\[\]{}]", re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")
"""An escape of half a character, or what is no UTF-8 and Python's parser takes for one."""


def loads(data: bytes) -> Any:
    """The value of a JSON text; ValueError for what is none.

    What lies below 200 levels is replaced by a text that says how long it was, half a character by
    U+FFFD. A number with more digits than Python reads is a text.
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
    """The value with all its texts in whole characters, those of keys too."""
    if isinstance(value, str):
        return join_surrogates(value)
    if isinstance(value, list):
        return [_join_all_surrogates(each) for each in value]
    if isinstance(value, dict):
        return {join_surrogates(key): _join_all_surrogates(each) for key, each in value.items()}
    return value


def _is_deep(data: bytes) -> bool:
    """Whether brackets nest too deeply: the innermost pairs are taken away, level by level."""
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
