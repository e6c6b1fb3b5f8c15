"""Separates a model's tool requests from its text, in a reply that comes in any pieces.

A push parser: any split of a reply gives the same result. A request counts only in its own place:
outside of code (fenced, indented or between backticks) and quotations, and before nothing but white
space or a further request. What a model writes after its requests would be made up before it has
read the results, so it is dropped.
"""

import re
from collections.abc import Iterator
from typing import Any

from app.chat.call_repair import decode_value, write_arguments
from app.chat.markdown_place import MarkdownPlace

_NAME = re.compile(r"[A-Za-z0-9_.:/<>|-]{1,100}")
"""Of a tool, perhaps with a namespace or control tokens, which `call_repair` takes off."""

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
        self._closing = f"</{tag}>"
        # Models close a request by half of its tag, or open the next one without closing it.
        self._endings = (self._closing, "</call>", self._opening)
        self._ending = re.compile("|".join(self._endings))
        self._begun = ""
        self._blank: list[str] = []
        self._shown: list[str] = []
        self._place = MarkdownPlace()
        self._unread: list[str] = []
        self._request: list[str] | None = None
        self._has_request = False
        self._is_over = False
        self._found: list[tuple[str, str]] = []
        self.fault = ""

    @property
    def calls(self) -> list[tuple[str, str]]:
        return [] if self.fault else self._found

    def feed(self, text: str) -> str:
        """What of the text so far can be shown now: never a part of a request."""
        text, self._begun = self._begun + text, ""
        while text and not self._is_over:
            text = self._read_text(text) if self._request is None else self._read_request(text)
        return self._take_shown()

    def end(self) -> str:
        """What was held back, at the end of the reply; a request that is open ends as well."""
        if self._request is not None:
            self._request.append(self._begun)
            self._end_request(closed=False)
        if self._has_request:
            return ""
        self._add_text(self._begun)
        self._shown += self._blank
        self._begun, self._blank = "", []
        return self._take_shown()

    def _take_shown(self) -> str:
        shown, self._shown = "".join(self._shown), []
        return shown

    def _read_text(self, text: str) -> str:
        """Reads up to the next request; returns the rest."""
        at = 0
        while (start := text.find("<", at)) >= 0:
            self._add_text(text[at:start])
            if self._is_over:
                return ""
            if self._has_request or self._is_free():
                if text.startswith(self._opening, start):
                    self._has_request, self._request = True, []
                    return text[start + len(self._opening) :]
                if self._opening.startswith(text[start:]):
                    self._begun = text[start:]
                    return ""
            self._add_text("<")
            at = start + 1
        self._add_text(text[at:])
        return ""

    def _is_free(self) -> bool:
        """Whether a request counts here; only looked up where one may begin."""
        self._place.move_over("".join(self._unread))
        self._unread = []
        return self._place.is_free

    def _add_text(self, text: str) -> None:
        if self._has_request:
            self._is_over = self._is_over or bool(text.strip())
            return
        self._unread.append(text)
        shown = text.rstrip()
        if shown:
            self._shown += [*self._blank, shown]
            self._blank = []
        if len(shown) < len(text):
            self._blank.append(text[len(shown) :])

    def _read_request(self, text: str) -> str:
        """Reads up to the end of the request; returns the rest."""
        assert self._request is not None
        ending = self._ending.search(text)
        if ending is not None:
            self._request.append(text[: ending.start()])
            self._end_request(closed=True)
            if ending[0] == self._opening:
                self._request = []
            return text[ending.end() :]
        start = text.rfind("<")
        if start >= 0 and any(each.startswith(text[start:]) for each in self._endings):
            text, self._begun = text[:start], text[start:]
        self._request.append(text)
        return ""

    def _end_request(self, *, closed: bool) -> None:
        text = "".join(self._request or ())
        self._request = None
        try:
            self._found += _parse_calls(text if closed else self._without_begun_closing(text))
        except ValueError as error:
            self.fault = self.fault or (str(error) if closed else _UNCLOSED)

    def _without_begun_closing(self, text: str) -> str:
        """A request without the closing tag that some replies end in the middle of."""
        text = text.rstrip()
        for length in range(len(self._closing) - 1, 0, -1):
            if text.endswith(self._closing[:length]):
                return text[:-length]
        return text


def _parse_calls(text: str) -> list[tuple[str, str]]:
    """The calls that a request's text names; raises ValueError with the fault as a sentence."""
    wrapped = _WRAPPED.fullmatch(text)
    values = list(_parse_values(wrapped[1] if wrapped else text))
    if len(values) == 1 and isinstance(values[0], list):
        values = values[0]
    if not values:
        raise ValueError(_NOT_JSON)
    return [_parse_call(value) for value in values]


def _parse_values(text: str) -> Iterator[Any]:
    rest = text.strip()
    while rest:
        try:
            value, end = decode_value(rest)
        except ValueError:
            raise ValueError(_NOT_JSON) from None
        yield value
        rest = rest[end:].lstrip(" \t\r\n,;")


def _parse_call(value: Any) -> tuple[str, str]:
    if not isinstance(value, dict):
        raise ValueError(_NOT_JSON)
    name = value.get("name", value.get("tool"))
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(_BAD_NAME)
    arguments = value.get("arguments", value.get("parameters", {}))
    if isinstance(arguments, str):
        arguments = next(_parse_values(arguments), {})
    if arguments is None:
        arguments = {}
    if not isinstance(arguments, dict):
        raise ValueError(_BAD_ARGUMENTS)
    return name, write_arguments(arguments)
