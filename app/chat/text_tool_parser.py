"""Tells a model's tool requests from its text, in a reply that comes in any pieces.

A push parser that reads character by character, so that no split can matter. A request counts
only in its own place: outside of code (fenced, indented or between backticks) and quotations, and
before nothing but white space or a further request. What a model writes after its requests would
be made up before it has read the results, so it is dropped.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from app.surrogates import join_surrogates

_FENCE = re.compile(r"[\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+)*(`{3,}|~{3,})(.*)", re.DOTALL)
_NO_PLACE = re.compile(r"\s*>|\t| {4}")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_WRAPPED = re.compile(r"\s*```[\w-]*\n(.*?)\n?\s*```\s*", re.DOTALL)

_NOT_JSON = 'it is not JSON of the form {"name": ..., "arguments": {...}}.'
_UNCLOSED = "it breaks off before its end."
_BAD_NAME = "its name is missing or not the name of a tool."
_BAD_ARGUMENTS = "its arguments are not a JSON object."


class TextToolParser:
    """Takes a reply's text, gives what of it is for the user; `calls` are names and arguments.

    `fault` says what is wrong with a request that could not be read; then there are no calls.
    """

    def __init__(self, tag: str) -> None:
        self._opening = f"<{tag}>"
        self._endings = (f"</{tag}>", "</call>", self._opening)
        self._begun = ""
        self._blank: list[str] = []
        self._shown: list[str] = []
        self._place = _Place()
        self._request: list[str] | None = None
        self._asked = False
        self._over = False
        self._found: list[tuple[str, str]] = []
        self.fault = ""

    @property
    def calls(self) -> list[tuple[str, str]]:
        return [] if self.fault else self._found

    def feed(self, text: str) -> str:
        """What of the text so far can be shown now."""
        for character in text:
            if self._request is not None:
                self._take_request(character)
            else:
                self._take_text(character)
        return self._take_shown()

    def end(self) -> str:
        """The reply is over: what was held back, or an end to the request that is open."""
        if self._request is not None:
            self._finish_request(closed=False)
        if self._asked:
            return ""
        for character in self._begun:
            self._plain(character)
        self._shown += self._blank
        self._begun, self._blank = "", []
        return self._take_shown()

    def _take_shown(self) -> str:
        shown, self._shown = "".join(self._shown), []
        return shown

    def _take_text(self, character: str) -> None:
        if self._over:
            return
        if self._begun or (character == "<" and (self._asked or self._place.is_free)):
            begun = self._begun + character
            if self._opening.startswith(begun):
                self._begun = begun
                if begun == self._opening:
                    self._begun, self._asked, self._request = "", True, []
                return
            # An opening holds one "<" only, so what was held back cannot hide another beginning.
            held, self._begun = self._begun, ""
            for each in held:
                self._plain(each)
            if held:
                self._take_text(character)
                return
        self._plain(character)

    def _plain(self, character: str) -> None:
        if self._asked:
            self._over = self._over or not character.isspace()
            return
        self._place.take(character)
        self._blank.append(character)
        if not character.isspace():
            self._shown += self._blank
            self._blank = []

    def _take_request(self, character: str) -> None:
        assert self._request is not None
        self._request.append(character)
        if character != ">":
            return
        for ending in self._endings:
            if "".join(self._request[-len(ending) :]) == ending:
                del self._request[-len(ending) :]
                self._finish_request(closed=True)
                if ending == self._opening:
                    self._request = []
                return

    def _finish_request(self, *, closed: bool) -> None:
        text = "".join(self._request or ())
        self._request = None
        try:
            self._found += _calls(text if closed else self._without_begun_ending(text))
        except ValueError as error:
            self.fault = self.fault or (str(error) if closed else _UNCLOSED)

    def _without_begun_ending(self, text: str) -> str:
        """A request without the closing tag that some replies end in the middle of."""
        text = text.rstrip()
        closing = self._endings[0]
        for length in range(len(closing) - 1, 0, -1):
            if text.endswith(closing[:length]):
                return text[:-length]
        return text


class _Place:
    """Whether the text has come to a place where a request counts."""

    def __init__(self) -> None:
        self._line: list[str] = []
        self._ticks = 0
        self._fence = ""

    @property
    def is_free(self) -> bool:
        if self._fence or self._ticks % 2:
            return False
        return _NO_PLACE.match("".join(self._line[:80])) is None

    def take(self, character: str) -> None:
        if character == "\n":
            self._end_line("".join(self._line))
            self._line, self._ticks = [], 0
            return
        self._line.append(character)
        self._ticks += character == "`"

    def _end_line(self, line: str) -> None:
        found = _FENCE.match(line)
        if found is None:
            return
        marks, rest = found[1], found[2]
        if not self._fence:
            if "`" not in rest:
                self._fence = marks
        elif marks.startswith(self._fence) and not rest.strip():
            self._fence = ""


def _calls(text: str) -> Iterator[tuple[str, str]]:
    """The calls that a request's text names; raises ValueError in words."""
    wrapped = _WRAPPED.fullmatch(text)
    values = list(_values(wrapped[1] if wrapped else text))
    if len(values) == 1 and isinstance(values[0], list):
        values = values[0]
    if not values:
        raise ValueError(_NOT_JSON)
    return iter([_call(value) for value in values])


def _values(text: str) -> Iterator[Any]:
    # Models write line breaks into strings; `strict` would refuse them.
    decoder = json.JSONDecoder(strict=False, parse_constant=_no_constant)
    rest = text.strip()
    while rest:
        try:
            value, end = decoder.raw_decode(rest)
        except (ValueError, RecursionError):
            raise ValueError(_NOT_JSON) from None
        yield value
        rest = rest[end:].lstrip(" \t\r\n,;")


def _call(value: Any) -> tuple[str, str]:
    if not isinstance(value, dict):
        raise ValueError(_NOT_JSON)
    name = value.get("name", value.get("tool"))
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(_BAD_NAME)
    arguments = value.get("arguments", value.get("parameters", {}))
    if isinstance(arguments, str):
        arguments = next(_values(arguments), {})
    if arguments is None:
        arguments = {}
    if not isinstance(arguments, dict):
        raise ValueError(_BAD_ARGUMENTS)
    return name, join_surrogates(json.dumps(arguments, ensure_ascii=False))


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
