"""Finds a pattern in the values of spans: where, how often, and with what around it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

import re2  # type: ignore[import-untyped]

from app.analysis.json_values import iterate_leaves
from app.analysis.text.json_path import format_path
from app.analysis.text.one_line import one_line
from app.errors import ToolFailed
from app.opik.records import Span, Trace
from app.tools.excerpts import as_text

LONGEST_PATTERN = 500  # characters; texts that one looks for are shorter
HITS_KEPT = 1_000  # for paging: some 20 results of 8,000 characters, more than a model reads
_MEMORY = 1 << 20  # bytes for the compiled pattern; RE2 refuses patterns that need more
_MOST_LEAVES = 1_000_000  # bounds time and memory for one value
_COUNTED_IN_A_VALUE = 1_000  # matches: a pattern such as `.` matches every character
_BEFORE, _AFTER = 60, 160  # bytes around a match: a sentence on either side
_SNIPPET = 200  # characters of them that are shown


class _Match(Protocol):
    def span(self) -> tuple[int, int]: ...


class SearchPattern:
    """A pattern for UTF-8 text; RE2 takes linear time whatever the pattern."""

    def __init__(self, pattern: str, *, regex: bool) -> None:
        """Raises ToolFailed for a pattern that RE2 does not support."""
        if not pattern or len(pattern) > LONGEST_PATTERN:
            raise ToolFailed(f"A pattern has 1 to {LONGEST_PATTERN} characters.")
        self.plain = None if regex else pattern
        options = re2.Options()
        options.case_sensitive = False
        options.literal = not regex
        options.log_errors = False
        options.max_mem = _MEMORY
        try:
            self._compiled = re2.compile(as_text(pattern), options)
        except re2.error as error:
            message = error.args[0] if error.args else b""
            reason = (
                message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)
            )
            raise ToolFailed(
                f"RE2 does not support this pattern ({one_line(reason, limit=120)}). It has no"
                " lookaround and no backreferences; regex=false searches for the plain text."
            ) from None

    def places(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Start and end, in bytes, of matches that are not empty; at most 1,000."""
        found: Iterator[_Match] = self._compiled.finditer(data)
        spots = (match.span() for match in found)
        return islice(((start, end) for start, end in spots if end > start), _COUNTED_IN_A_VALUE)


@dataclass(frozen=True, slots=True)
class Hit:
    """A value with matches. `record` is a span's id, or empty for the trace itself.

    `at` is the character of the first match and `length` the value's; `snippet` is one line.
    """

    record: str
    path: str
    matches: int
    snippet: str
    at: int
    length: int


@dataclass(slots=True)
class HitCounter:
    """The hits so far, in the order found; all are counted, the first 1,000 kept."""

    hits: list[Hit] = field(default_factory=list)
    values: int = 0
    matches: int = 0
    records: set[str] = field(default_factory=set)

    def add(self, hit: Hit) -> None:
        self.values += 1
        self.matches += hit.matches
        self.records.add(hit.record)
        if len(self.hits) < HITS_KEPT:
            self.hits.append(hit)


def scan_record(
    pattern: SearchPattern, record: Span | Trace, fields: Sequence[str], counter: HitCounter
) -> None:
    """Adds the hits in those of name, input, output, metadata and error that are in `fields`."""
    name = record.id if isinstance(record, Span) else ""
    keys: dict[str, bool] = {}
    for each in fields:
        error = record.error_info
        value = getattr(record, each) if each != "error" else error and error.model_dump()
        if value is None:
            continue
        for path, leaf in iterate_leaves(value, most=_MOST_LEAVES):
            hit = _find_hit(pattern, name, (each, *path), leaf, keys)
            if hit is not None:
                counter.add(hit)


def _find_hit(
    pattern: SearchPattern, record: str, path: Sequence[str | int], leaf: Any, keys: dict[str, bool]
) -> Hit | None:
    """A hit in the value, else in the key under which it stands."""
    text = as_text(leaf)
    data = text.encode()
    places = list(pattern.places(data))
    if places:
        start, end = places[0]
        around = data[max(0, start - _BEFORE) : min(end, start + _AFTER) + _AFTER]
        at = len(data[:start].decode())
        snippet = around.decode("utf-8", "ignore")
        return _make_hit(record, path, len(places), snippet, at=at, length=len(text))
    key = path[-1] if len(path) > 1 else 0
    if isinstance(key, str):
        if key not in keys:
            keys[key] = any(pattern.places(as_text(key).encode()))
        if keys[key]:
            return _make_hit(record, path, 1, f"{key}: {text[:_SNIPPET]}", at=0, length=len(text))
    return None


def _make_hit(
    record: str, path: Sequence[str | int], matches: int, around: str, *, at: int, length: int
) -> Hit:
    where = format_path(path[-200:])
    return Hit(record, where, matches, one_line(around, limit=_SNIPPET), at, length)
