"""One value of many spans: found by a path, a key or the name of a fact, and shown shortly."""

import hashlib
import json
import marshal
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import suppress
from itertools import islice, takewhile
from statistics import median
from typing import Any

from app.analysis.error_origins import error_message
from app.analysis.grouping import group_by
from app.analysis.recorded.leaves import MOST_LEAVES, Path
from app.analysis.recorded.recorded_span import RecordedSpan
from app.analysis.recorded.spellings import plain_key
from app.analysis.text.json_path import Step, select_value
from app.analysis.text.one_line import one_line
from app.analysis.text.previews import format_preview
from app.analysis.tree import Node
from app.errors import ToolFailed

BODY_FIELDS = ("output", "input", "metadata")
_SORTED = 2_000  # values and characters of an object up to which its keys are sorted to compare it
_SHOWN = 80  # characters of a value
_FEW_TO_JUDGE = 4  # values: of fewer, none is the odd one out
_COMMON = 0.75  # share of the values that are equal, from which on the others stand out
_FAR = 5.0  # times the median distance from the median, from which on a number stands out
_BEGIN, _BEFORE = 24, 12  # characters shown of equal beginnings: of all, before what differs
_MISSING = object()
_NOT_READ = object()


def is_missing(value: Any) -> bool:
    """Whether `read_value` found nothing."""
    return value is _MISSING


def is_unread(value: Any) -> bool:
    """Whether what `read_value` looked for may lie behind where the backend cut a body."""
    return value is _NOT_READ


_FACTS: dict[str, Callable[[Node, RecordedSpan], Any]] = {
    "name": lambda node, _: node.name,
    "type": lambda node, _: node.span.type or "general",
    "model": lambda node, _: node.span.model or _MISSING,
    "provider": lambda node, _: node.span.provider or _MISSING,
    "tags": lambda node, _: node.span.tags or _MISSING,
    "duration_ms": lambda node, _: round(node.duration / 1_000, 1),
    "first_token_ms": lambda node, _: _or_missing(node.view.first_token),
    "cost": lambda node, _: _or_missing(node.span.total_estimated_cost),
    "prompt_tokens": lambda _, view: _or_missing(view.usage.prompt),
    "completion_tokens": lambda _, view: _or_missing(view.usage.completion),
    "cached_tokens": lambda _, view: _or_missing(view.usage.cached),
    "finish": lambda _, view: view.reply.finish.value if view.reply.finish else _MISSING,
    "error": lambda _, view: error_message(view.error) if view.error else _MISSING,
}


def _or_missing(value: Any) -> Any:
    return _MISSING if value is None else value


def read_value(node: Node, view: RecordedSpan, steps: Sequence[Step]) -> Any:
    """The value of one span: at a path that begins with input, output or metadata, first into what
    was opened, as columns are chosen, then into what was recorded; a fact such as `model`; else the
    first value under such keys in output, input or metadata."""
    if steps[0] in BODY_FIELDS:
        field = str(steps[0])
        for value in (open_body(view, field), getattr(view.span, field)):
            with suppress(ToolFailed):
                return select_value(value, steps, start=1)
        return _NOT_READ if getattr(view, field).is_cut else _MISSING
    if len(steps) == 1 and steps[0] in _FACTS:
        return _FACTS[str(steps[0])](node, view)
    for field in BODY_FIELDS:
        for _, value in find_keyed(open_body(view, field), steps):
            return value
    is_cut = any(getattr(view, field).is_cut for field in BODY_FIELDS)
    return _NOT_READ if is_cut else _MISSING


def open_body(view: RecordedSpan, field: str) -> Any:
    """Input, output or metadata with the texts opened that are JSON, without what OpenTelemetry and
    SDKs put around them."""
    return getattr(view, field).opened


def find_keyed(value: Any, steps: Sequence[Step]) -> Iterator[tuple[Path, Any]]:
    """The values whose innermost keys are these, compared as `plain_key` spells them, with their
    paths; the first 2,000 values are looked at."""
    wanted = tuple(plain_key(step) for step in steps)
    waiting: list[tuple[Path, tuple[str, ...], Any]] = [((), (), value)]
    left = MOST_LEAVES
    while waiting and left > 0:
        left -= 1
        path, keys, item = waiting.pop()
        if keys == wanted and path and isinstance(path[-1], str):
            yield path, item
        elif isinstance(item, dict):
            inner = [
                ((*path, key), (*keys, plain_key(key))[-len(wanted) :], each)
                for key, each in islice(item.items(), left)
            ]
            waiting += reversed(inner)
        elif isinstance(item, list):
            kept = item[:left]
            waiting += [((*path, place), keys, kept[place]) for place in reversed(range(len(kept)))]


def show_value(value: Any, *, limit: int = _SHOWN) -> str:
    """A value on one line: texts in quotes, objects and lists as JSON where they are short. Values
    that are shown alike may differ; see `value_key`."""
    if is_missing(value):
        return "missing"
    if is_unread(value):
        return "not read"
    if isinstance(value, str):
        return f"“{one_line(value, limit=limit)}”"
    if isinstance(value, dict | list):
        text = json.dumps(value, ensure_ascii=False) if is_small(value, limit) else ""
        return one_line(text, limit=limit) if 0 < len(text) <= limit else _preview(value, limit)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return one_line(json.dumps(value), limit=limit)


def show_apart(values: Sequence[Any], *, limit: int = _SHOWN) -> list[str]:
    """All values as `show_value` shows them; texts that differ behind what is shown of them are cut
    in the middle, so that the first difference shows."""
    shown = [show_value(value, limit=limit) for value in values]
    for text, places in group_by(range(len(values)), shown.__getitem__).items():
        alike = [values[place] for place in places]
        if text.endswith("…”") and len(set(alike)) > 1:
            pairs = zip(min(alike), max(alike), strict=False)
            start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs)) - _BEFORE
            if start > _BEGIN:
                begin = one_line(alike[0][:_BEGIN], limit=_BEGIN)
                for place in places:
                    rest = one_line(values[place][start:], limit=max(_BEFORE, limit - _BEGIN))
                    shown[place] = f"“{begin}…{rest}”"
    return shown


def _preview(value: Any, limit: int) -> str:
    """The beginning of a long object, of a long list its length too."""
    count = f"{len(value):,} items: " if isinstance(value, list) else ""
    return one_line(
        f"{{{count}{format_preview(value, limit=limit - len(count) - 2)}}}", limit=limit
    )


def value_key(value: Any) -> Hashable:
    """Equal for values that are equal, however long; 1 equals 1.0 but not true. The order of keys
    counts in large objects only."""
    if isinstance(value, dict | list):
        try:
            if is_small(value, _SORTED):
                return "json", json.dumps(value, sort_keys=True)
            # Twenty times as fast as JSON; version 2 writes equal values equally.
            return "large", hashlib.blake2b(marshal.dumps(value, 2)).digest()
        except (ValueError, RecursionError):  # nested too deeply
            return "deep", id(value)
    return ("bool", value) if isinstance(value, bool) else value


def is_small(value: Any, most: int) -> bool:
    """Whether an object or list holds at most so many values, texts counted by their characters."""
    waiting = [value]
    while waiting and most >= 0:
        item = waiting.pop()
        most -= len(item) if isinstance(item, str | dict | list) else 1
        if most >= 0 and isinstance(item, dict | list):
            waiting += item.values() if isinstance(item, dict) else item
    return most >= 0


def equals_text(value: Any, text: str) -> bool:
    """Whether a value is what a text says: the same text in any case, number, or JSON."""
    wanted = text.strip().casefold()
    if isinstance(value, str):
        return value.strip().casefold() == wanted
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(wanted) == value
        except ValueError:
            return False
    return bool(show_value(value, limit=10_000).casefold() == wanted)


def find_outliers(values: Sequence[Any]) -> list[int]:
    """The places of values that stand out: numbers far from the median, or values that are rare
    where most are equal, or empty where most are not. A value that is missing counts as one, but
    where most are missing none of the others stands out by being there; what was not read is not
    judged."""
    known = [place for place, value in enumerate(values) if not is_unread(value)]
    present = [place for place in known if not is_missing(values[place])]
    judged = present if len(present) < len(known) / 2 else known
    return [judged[place] for place in _find_outlying([values[place] for place in judged])]


def _find_outlying(values: Sequence[Any]) -> list[int]:
    if len(values) < _FEW_TO_JUDGE:
        return []
    if all(isinstance(each, int | float) and not isinstance(each, bool) for each in values):
        middle = median(values)
        distance = median(abs(each - middle) for each in values)
        if distance:
            return [i for i, each in enumerate(values) if abs(each - middle) > _FAR * distance]
    keys = [value_key(each) for each in values]
    common, count = Counter(keys).most_common(1)[0]
    if count < _COMMON * len(values):
        empty = [i for i, each in enumerate(values) if each is None or each in ("", [], {})]
        return empty if len(empty) <= (1 - _COMMON) * len(values) else []
    return [i for i, each in enumerate(keys) if each != common]
