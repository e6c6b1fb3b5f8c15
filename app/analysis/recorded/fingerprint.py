"""What bodies that mean the same have in common, read from their first values only.

The text by which bodies are compared takes several times as long as parsing them, and most bodies
differ in their first values already.
"""

from collections.abc import Collection, Iterable
from typing import Any

from app.analysis.recorded.spellings import PLAIN_KEYS

_MOST_PIECES = 3  # values: one is enough to tell most bodies apart
_LEVELS = 6
_MOST_MEMBERS = 64  # of an object whose members are put in order
_ITEMS_READ = 2  # of a list
_TEXT_READ = 80  # characters, of which those below are left without blanks
_TEXT_CHECKED = 56  # a time or an id that begins in what is kept shows itself within so many
_TEXT_KEPT = 40
_LEFT_OUT = ("-", "attempt", "try", "retries", "iteration")
"""What a text has that may hold a time, an id, or the number of an attempt, which do not count
where bodies are compared."""
CALL_ID_STARTS = ("call_", "tooluse_", "toolu_", "fc_", "chatcmpl-")
"""What ids of tool calls begin with: OpenAI's, Bedrock's, Anthropic's, of Responses, of vLLM."""


def read_fingerprint(value: dict[Any, Any] | list[Any], volatile: Collection[str]) -> int:
    """A number, never 0, made of numbers, beginnings of texts and lengths of lists; values under
    `volatile` keys are left out."""
    pieces: list[Any] = []
    try:
        _collect(value, 0, volatile, pieces)
    except TypeError:  # keys that cannot be put in order
        pieces.append(None)
    return hash(tuple(pieces[:_MOST_PIECES])) or 1


def _collect(value: Any, level: int, volatile: Collection[str], pieces: list[Any]) -> None:
    """Adds the first pieces of an object or a list, keys in order."""
    if isinstance(value, list):
        pieces.append(len(value))
        inner: Iterable[Any] = value[:_ITEMS_READ]
    elif len(value) > _MOST_MEMBERS:
        pieces.append(len(value))
        return
    else:
        keys = sorted(value) if len(value) > 1 else value
        inner = [value[key] for key in keys if PLAIN_KEYS[key] not in volatile]
    for each in inner:
        if len(pieces) >= _MOST_PIECES:
            return
        if isinstance(each, str):
            pieces.append(_read_start(each))
        elif isinstance(each, (dict, list)):
            if level < _LEVELS:
                _collect(each, level + 1, volatile, pieces)
        else:
            pieces.append(each if each == each else "nan")


def _read_start(text: str) -> str | None:
    """The beginning of a text, blanks and letter case aside; None where it may not count."""
    start = text[:_TEXT_CHECKED]
    if "  " in start or not start.isprintable():
        start = " ".join(text[:_TEXT_READ].split())
        if len(start) <= _TEXT_CHECKED and len(text) > _TEXT_READ:
            start = " ".join(text.split())
    start = start.casefold()[:_TEXT_CHECKED]
    if not start or text[0].isspace() or start.startswith(CALL_ID_STARTS):
        return None
    for left_out in _LEFT_OUT:
        if left_out in start:
            return None
    return start[:_TEXT_KEPT].rstrip()
