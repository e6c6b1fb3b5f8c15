"""Paths into JSON values, as the model reads and writes them: `input.messages[2].content`.

A key that is no plain word stands in brackets and quotes: `metadata['my key']`. Reading is lenient:
a leading `$`, either kind of quotes, negative places in a list, and on through a text that is JSON.
"""

import json
import re
from collections.abc import Sequence
from itertools import islice
from typing import Any

from app.analysis.recorded.opened_json import open_text
from app.analysis.text.one_line import format_count, is_visible, list_first, one_line
from app.errors import ToolFailed

Step = str | int

LONGEST = 1_000  # characters of a path that a model may send
_PLAIN = re.compile(r"[^\W\d][\w-]*")
_STEP = re.compile(
    r"\.?(?P<key>[^.\[\]'\"]+)|\.?\[(?P<place>-?\d{1,9})\]|\.?\[(?P<quote>['\"])(?P<quoted>.*?)(?P=quote)\]",
    re.DOTALL,
)
_KEYS_SHOWN = 12  # of an object, on one line; most objects have fewer


def parse_path(text: str) -> tuple[Step, ...]:
    """The steps of a path; raises ToolFailed, with an example, for anything else."""
    rest = text.strip().removeprefix("$")
    steps: list[Step] = []
    at = 0
    while at < len(rest) and len(rest) <= LONGEST:
        found = _STEP.match(rest, at)
        if found is None:
            break
        at = found.end()
        if found["place"] is not None:
            steps.append(int(found["place"]))
        else:
            steps.append(found["quoted"] if found["key"] is None else found["key"].strip())
    if at < len(rest) or not steps:
        raise ToolFailed("This is not a path; write one such as input.messages[2].content.")
    return tuple(steps)


def format_path(steps: Sequence[Step]) -> str:
    """The path as text that `parse_path` reads."""
    parts = []
    for step in steps:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif _PLAIN.fullmatch(step) and all(map(is_visible, step)):
            parts.append(f".{step}")
        else:
            parts.append(f"['{_escape_key(step)}']")
    return "".join(parts).removeprefix(".")


def _escape_key(key: str) -> str:
    """The key as inside a JSON text; only quotes and signs that no line shows are escaped."""
    return "".join(
        json.dumps(sign)[1:-1]
        if sign == "\\" or not is_visible(sign)
        else f"\\u{ord(sign):04x}"
        if sign in "'\""
        else sign
        for sign in key
    )


def select_value(value: Any, steps: Sequence[Step], *, start: int = 0) -> Any:
    """The value at the end of a path; the first `start` steps lead to `value`.

    Raises ToolFailed, naming how far the path leads and what is there.
    """
    for done in range(start, len(steps)):
        value = open_json(value)
        try:
            value = _take_step(value, steps[done])
        except (LookupError, ValueError):
            here = format_path(steps[:done]) or "it"
            missing = one_line(format_path(steps[: done + 1]), limit=200)
            raise ToolFailed(
                f"There is no {missing}: {one_line(here, limit=200)} is {describe_value(value)}."
            ) from None
    return value


def open_json(value: Any) -> Any:
    """The object or list in a text that is JSON or a Python value; anything else unchanged."""
    opened = open_text(value, longest=len(value)) if isinstance(value, str) else value
    return opened if isinstance(opened, dict | list) else value


def _take_step(value: Any, step: Step) -> Any:
    if isinstance(value, list):
        return value[int(step)]
    if not isinstance(value, dict):
        raise LookupError
    for key in (str(step), _unescaped(str(step))):
        if key in value:
            return value[key]
    raise LookupError


def _unescaped(key: str) -> str:
    try:
        return str(json.loads(f'"{key}"'))
    except ValueError:
        return key


def describe_value(value: Any) -> str:
    """The kind of a value and its keys or size, on one bounded line."""
    if isinstance(value, dict):
        keys = [
            one_line(str(key), limit=40) + (f"[{len(inner):,}]" if isinstance(inner, list) else "")
            for key, inner in islice(value.items(), _KEYS_SHOWN)
        ]
        return f"an object with {list_first(keys, len(value))}" if keys else "an empty object"
    if isinstance(value, list):
        return f"a list of {len(value):,}"
    if isinstance(value, str):
        return f"a text of {format_count(len(value), 'character')}"
    return one_line(json.dumps(value), limit=60)
