"""Opens JSON that was recorded as text, and attribute names that stand for nested objects.

Tools and integrations record results as JSON text, sometimes encoded twice, or as the text of a
Python value; OpenTelemetry flattens nested objects into dotted names
(`gen_ai.completion.0.content`).
"""

import ast
import json
from itertools import islice
from typing import Any

_LONGEST_TEXT = 200_000  # characters parsed: some 2 ms; longer texts are documents, not results
_LONGEST_LITERAL = 4_000  # characters of a Python value: its parser is a hundred times slower
_MOST_TEXTS = 64  # texts opened in one body: a list of records as texts is content
_FENCE = "```"
_MOST_TIMES = 3  # a text encoded three times has been seen nowhere, twice often
_MOST_NAMES = 2_000  # dotted names read of one body, more than any request of a chat has
_AROUND = 12  # characters on either side of where JSON breaks off: a word or two
_NAMESPACES = (
    "gen_ai.", "llm.", "ai.", "input.", "output.", "traceloop.", "retrieval.", "tool.", "message.",
    "message_content.", "tool_call.", "document.",
)  # fmt: skip
_LARGEST_INDEX = 1_000  # a larger number in a dotted name is a key, not a place in a list


def open_text(text: str, *, longest: int = _LONGEST_TEXT) -> Any:
    """The value of a text of at most `longest` characters that is JSON or a Python literal of an
    object or a list, opened as often as it was encoded; else the text itself."""
    value: Any = text
    for _ in range(_MOST_TIMES):
        if not isinstance(value, str) or len(value) > longest:
            return value
        value = _strip_fence(value)
        start, end = value[:16].lstrip()[:1], value[-16:].rstrip()[-1:]
        if (start, end) not in (("{", "}"), ("[", "]"), ('"', '"')):
            return value
        found = _parse(value)
        if found is None or (start == '"' and not isinstance(found, str)):
            return value
        if isinstance(found, str) and found[:16].lstrip()[:1] not in ("{", "["):
            return value
        value = found
    return value


def _strip_fence(text: str) -> str:
    """The text inside a fence, if nothing stands outside; else the text itself."""
    if text[:16].lstrip()[:3] != _FENCE or text[-16:].rstrip()[-3:] != _FENCE:
        return text
    inner = text.strip().removeprefix(_FENCE).removesuffix(_FENCE)
    return inner.removeprefix("json") if _FENCE not in inner else text


def _parse(text: str) -> Any:
    """The object, list or text; None for anything else."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    if len(text) <= _LONGEST_LITERAL and "'" in text:
        try:
            found = ast.literal_eval(text.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            return None
        return _to_json(found) if isinstance(found, (dict, list)) else None
    return None


def _to_json(value: Any) -> Any:
    """A Python value with the types that JSON has, since readers of bodies know no others."""
    if isinstance(value, dict):
        return {
            key if isinstance(key, str) else str(key): _to_json(inner)
            for key, inner in value.items()
        }
    if isinstance(value, (set, frozenset)):
        return [_to_json(each) for each in sorted(value, key=repr)]
    if isinstance(value, (list, tuple)):
        return [_to_json(each) for each in value]
    if value is None or isinstance(value, (str, int, float)):
        return value
    return str(value)


def explain_broken_json(text: str) -> str:
    """Why a text is no object or list of JSON, and at which character."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        reason = error.msg[:1].lower() + error.msg[1:].removesuffix(" at")
        if error.pos >= len(text.rstrip()):
            return f"{reason} at its end"
        around = text[max(0, error.pos - _AROUND) : error.pos + _AROUND]
        return f"{reason} at character {error.pos:,}, in “{around}”"
    except RecursionError:
        return "nested too deeply"
    return "a single value rather than an object"


def open_value(value: Any) -> Any:
    """The value with texts that are JSON opened, also inside one another, at most 64 of them; the
    rest is shared with it.

    Values below eight levels stay as they are: results of tools lie near the top.
    """
    return _open_below(value, 0, [_MOST_TEXTS])


_DEEPEST = 8
_MOST_ITEMS = 200  # items looked at in one object or list for texts to open


def _open_below(value: Any, level: int, left: list[int]) -> Any:
    if isinstance(value, str):
        opened = open_text(value)
        if opened is value:
            return value
        left[0] -= 1
        if not _may_hold_text(value):
            return opened
        return _open_below(opened, level + 1, left)  # MCP: a list of parts whose text is JSON
    if level >= _DEEPEST or not isinstance(value, (dict, list)) or not value:
        return value
    pairs: Any = value.items() if isinstance(value, dict) else enumerate(value)
    changed: dict[Any, Any] = {}
    for count, (key, inner) in enumerate(pairs):
        if count >= _MOST_ITEMS or left[0] <= 0:
            break
        if isinstance(inner, str):
            if inner[:1] not in _OPENING or len(inner) < 2:
                continue
        elif not isinstance(inner, (dict, list)):
            continue
        opened = _open_below(inner, level + 1, left)
        if opened is not inner:
            changed[key] = opened
    if not changed:
        return value
    if isinstance(value, dict):
        return {**value, **changed}
    copied = list(value)
    for key, opened in changed.items():
        copied[key] = opened
    return copied


def _may_hold_text(text: str) -> bool:
    """Whether a text that is a value may hold another one that is. Behind a blank or a fence it has
    quotes of its own."""
    if '"[' in text or '"{' in text:
        return True
    if "'" in text and any(mark in text for mark in _INNER_QUOTED):
        return True
    return ("\\" in text or "'" in text) and any(mark in text for mark in _INNER_TEXTS)


_OPENING = frozenset('{["`\n\t ')
_INNER_TEXTS = ('"\\', '"`', '" ')
_INNER_QUOTED = ("'{", "'[", "'\"", "'\\", "'`", "' ")
"""How a text that may be opened begins inside one that was written as JSON or a Python value."""


def nest_dotted_names(value: Any) -> Any:
    """An object whose names are dotted attribute names as nested objects and lists; anything else
    as it is."""
    if not isinstance(value, dict) or not _has_dotted_name(value):
        return value
    nested = _Nested()
    for key, inner in islice(value.items(), _MOST_NAMES):
        _put(nested, str(key).split("."), inner)
    return _lists_from_numbers(nested)


def _has_dotted_name(value: dict[Any, Any]) -> bool:
    for key in islice(value, _MOST_ITEMS):
        if isinstance(key, str) and key.startswith(_NAMESPACES):
            return True
    return False


class _Nested(dict[str, Any]):
    """An object made of dotted names, at most nine levels deep, unlike one that was recorded."""


def _put(target: _Nested, way: list[str], value: Any) -> None:
    for part in way[:-1][:_DEEPEST]:
        inner = target.get(part)
        if not isinstance(inner, _Nested):
            inner = target[part] = _Nested() if inner is None else _Nested({"": inner})
        target = inner
    known = target.get(way[-1])
    if isinstance(known, _Nested):
        known[""] = value
    else:
        target[way[-1]] = value


def _lists_from_numbers(value: Any) -> Any:
    if not isinstance(value, _Nested):
        return value
    opened = {key: _lists_from_numbers(inner) for key, inner in value.items()}
    if opened and all(key.isdecimal() and int(key) < _LARGEST_INDEX for key in opened):
        return [opened[key] for key in sorted(opened, key=int)]
    return opened
