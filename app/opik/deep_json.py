"""JSON however deeply it nests.

Python's parser gives up somewhere between a thousand levels and many thousands, depending on its
version, and whoever walks the value may get slow or give up later. Recorded values may go that
deep, by accident or by malice, and one of them must not hide the record it is part of.
"""

import json
import re
from typing import Any

DEEPEST = 200
"""Levels that are kept."""

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_TOKEN = re.compile(_STRING.pattern + rb"|[\[\]{}]", re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def loads(data: bytes) -> Any:
    """The value of a JSON text; ValueError for what is none.

    What lies below 200 levels is replaced by a text that says how long it was.
    """
    try:
        return json.loads(_flattened(data) if _is_deep(data) else data)
    except RecursionError:
        raise ValueError("Expecting an end: the text opens more than it closes") from None


def _is_deep(data: bytes) -> bool:
    """Whether brackets nest too deeply: the innermost pairs are taken away, level by level."""
    if data.count(b"[") + data.count(b"{") <= DEEPEST:
        return False
    brackets = _STRING.sub(b"", data).translate(None, delete=_NO_BRACKETS)
    for _ in range(DEEPEST):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if not brackets:
            return False
    return True


def _flattened(data: bytes) -> bytes:
    """The text with everything below the deepest level replaced."""
    kept: list[bytes] = []
    depth = start = 0
    for token in _TOKEN.finditer(data):
        if token[0] in (b"[", b"{"):
            depth += 1
            if depth == DEEPEST + 1:
                kept.append(data[start : token.start()])
                start = token.start()
        elif token[0] in (b"]", b"}"):
            if depth == DEEPEST + 1:
                length = token.end() - start
                kept.append(b'"[nested too deeply to be read: %d characters]"' % length)
                start = token.end()
            depth -= 1
    return b"".join([*kept, data[start:]])
