"""What changed between two JSON values, down to paths, and between two texts, down to words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from app.analysis.json_values import Path, is_cut, iterate_leaves
from app.analysis.text.json_path import format_path
from app.analysis.text.one_line import one_line

_MISSING = object()
_MOST_LEAVES = 4_000  # bounds the time for one body, as `iterate_leaves` does by default
_MOST_WORDS = 3_000  # SequenceMatcher takes quadratic time in the worst case
_LONG_TEXT = 60  # characters: shorter texts are read faster whole than as a list of changes
_CONTEXT = 4  # words shown before and after a change
_MOST_PLACES = 6  # changed places shown of one text; the rest is counted
_WORD = re.compile(r"\S+|\s+")
_PATH_SHOWN = 160  # characters: enough for a dozen keys, and a foreign key may be a whole text


@dataclass(frozen=True, slots=True)
class ValueChange:
    """One path at which two values differ; `text` says how, on one bounded line."""

    path: str
    text: str


def diff_values(a: Any, b: Any, field: str) -> Iterator[ValueChange]:
    """Every path at which `a` and `b` differ, in the order of `a`, then what only `b` has.

    Paths begin with `field`, as `get_span_details` takes them.
    Numbers compare by value, so 1 equals 1.0; true does not equal 1. The first 4,000 leaves of
    each are compared, and of values that the backend cut only what is left of them.
    """
    if is_cut(a) or is_cut(b):
        yield ValueChange(field, "cut by the backend: only its beginning could be compared")
    before = dict(iterate_leaves(a, most=_MOST_LEAVES))
    after = dict(iterate_leaves(b, most=_MOST_LEAVES))
    for path, old in before.items():
        new = after.get(path, _MISSING)
        if new is _MISSING:
            yield ValueChange(_field_path(field, path), f"only in A: {_format_value(old)}")
        elif type(old) is not type(new) and isinstance(old, bool) | isinstance(new, bool):
            yield ValueChange(
                _field_path(field, path), f"{_format_value(old)} → {_format_value(new)}"
            )
        elif old != new:
            yield ValueChange(_field_path(field, path), _format_change(old, new))
    for path, new in after.items():
        if path not in before:
            yield ValueChange(_field_path(field, path), f"only in B: {_format_value(new)}")


def _field_path(field: str, path: Path) -> str:
    return one_line(format_path((field, *path)), limit=_PATH_SHOWN)


def _format_change(old: Any, new: Any) -> str:
    if isinstance(old, str) and isinstance(new, str) and max(len(old), len(new)) > _LONG_TEXT:
        return diff_texts(old, new)
    return f"{_format_value(old)} → {_format_value(new)}"


def _format_value(value: Any) -> str:
    if isinstance(value, str):
        return f"“{one_line(value, limit=120)}”"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return one_line(str(value), limit=60)


def diff_texts(old: str, new: str) -> str:
    """The changed words with a few words around them: `the [-slow-] {+fast+} call of …`."""
    a, b = _WORD.findall(old), _WORD.findall(new)
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    middle_a, middle_b = a[start : len(a) - end], b[start : len(b) - end]
    kept_a, kept_b = middle_a[:_MOST_WORDS], middle_b[:_MOST_WORDS]
    matcher = SequenceMatcher(None, kept_a, kept_b, autojunk=True)
    opcodes = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    places = []
    for _, i1, i2, j1, j2 in opcodes[:_MOST_PLACES]:
        before = "".join(a[max(0, start + i1 - 2 * _CONTEXT) : start + i1])
        after = "".join(a[start + i2 : start + i2 + 2 * _CONTEXT])
        gone, come = "".join(kept_a[i1:i2]), "".join(kept_b[j1:j2])
        places.append(_format_place(before, gone, come, after))
    more = len(opcodes) - _MOST_PLACES
    if more > 0:
        places.append(f"and {more} more places")
    if len(middle_a) > _MOST_WORDS or len(middle_b) > _MOST_WORDS:
        places.append("the rest was not compared")
    return f"{len(old):,} → {len(new):,} characters: " + "; ".join(places)


def _format_place(before: str, gone: str, come: str, after: str) -> str:
    marked = []
    if gone:
        marked.append(f"[-{one_line(gone, limit=100)}-]")
    if come:
        marked.append(f"{{+{one_line(come, limit=100)}+}}")
    parts = [f"…{one_line(before)}" if before.strip() else "", *marked]
    parts.append(f"{one_line(after)}…" if after.strip() else "")
    return " ".join(part for part in parts if part)
