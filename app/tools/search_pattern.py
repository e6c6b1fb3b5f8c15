"""A pattern that is searched in values: plain text, or a regular expression of RE2."""

import re
from collections.abc import Iterator
from time import monotonic
from typing import Protocol

import re2  # type: ignore[import-untyped]

from app.analysis.text.one_line import one_line
from app.errors import ToolFailed
from app.tools.excerpts import as_text

LONGEST_PATTERN = 500  # characters; texts that one looks for are shorter
_MEMORY = 1 << 20  # bytes for the compiled pattern; RE2 refuses patterns that need more
_COUNTED_IN_A_VALUE = 1_000  # matches: a pattern such as `.` matches every character
# Seconds that one search counts matches after the first of each value. RE2 is linear for one
# match; a pattern such as `a.*b|a` or `x*` looks at the rest of a value again for every match.
_COUNTING_SECONDS = 2.0
# A number with a point or comma, and a short unit: the other sign stands for the same in another
# language. Names and versions with numbers in them are found as they are.
_DECIMAL = re.compile(r"(\W*\d+)[.,](\d+\s?[^\d.,]{0,4})")
# What refers to the beginning or end of a whole value rather than of a line.
_ANCHOR = re.compile(r"\\[Az]|\(\?[a-zA-Z]*-[a-zA-Z]*m")


def may_span_key(text: str) -> bool:
    """Whether a plain text can stand across a key and its value, shown as `key: value`."""
    return ": " in text or text.endswith(":")


class _Match(Protocol):
    def span(self) -> tuple[int, int]: ...


class SearchPattern:
    """A pattern for UTF-8 text; RE2 takes linear time whatever the pattern.

    `^` and `$` match at the beginning and the end of each line of a value. A plain decimal number
    is found with a point and with a comma.
    """

    def __init__(self, pattern: str, *, regex: bool) -> None:
        """Raises ToolFailed for a pattern that RE2 does not support."""
        self._seconds_left = _COUNTING_SECONDS
        if not pattern or len(pattern) > LONGEST_PATTERN:
            raise ToolFailed(f"A pattern has 1 to {LONGEST_PATTERN} characters.")
        if not regex and (number := _DECIMAL.fullmatch(pattern)):
            pattern, regex = "[.,]".join(map(re.escape, number.groups())), True
        self.plain = None if regex else pattern
        self.is_anchored = regex and bool(_ANCHOR.search(pattern))
        options = re2.Options()
        options.case_sensitive = False
        options.literal = not regex
        options.log_errors = False
        options.max_mem = _MEMORY
        try:
            self._compiled = re2.compile(as_text(f"(?m){pattern}" if regex else pattern), options)
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
        """Start and end, in bytes, of matches that are not empty: at most 1,000, and only the first
        where counting has taken its time."""
        found: Iterator[_Match] = self._compiled.finditer(data)
        counted, before = 0, monotonic()
        for match in found:
            start, end = match.span()
            if end > start:
                counted += 1
                yield start, end
            now = monotonic()
            self._seconds_left -= now - before
            before = now
            if counted >= _COUNTED_IN_A_VALUE or self._seconds_left <= 0:
                return
