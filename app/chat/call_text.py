"""Tool calls that a model writes into its text, in the form of whatever format it was trained on.

Only a reply that is nothing but calls of offered tools counts: as JSON, fenced or not, between
tags or control tokens, behind `[TOOL_CALLS]`, as Harmony's `to=functions.x`, or as Python. It may
go on to invent their results. Whatever explains a call, or holds anything else, is an answer.
"""

import re
from collections.abc import Collection, Sequence

from app.chat.call_marks import find_word_after_tag, may_begin_call
from app.chat.call_names import NAMESPACES, WORD, strip_word
from app.chat.call_parser import MalformedCall, parse_calls
from app.chat.json_calls import may_be_json_call
from app.chat.python_values import find_end
from app.messages import Message, ToolResult, ToolSpec, User

CALL_CHARACTERS = 65_536
"""The longest text that is held back because it may be a call: arguments are far shorter."""

_UNNAMED_CHARACTERS = 2_000
"""A longer text that names no tool is shown: an answer may begin with a body it quotes."""

_FENCE = re.compile(r"`{1,2}\Z|```[\w+-]{0,20}(?:\s+|\Z)")
_PYTHON_CALL = re.compile(r"\[?\s*(?:print\s*\(\s*)?([A-Za-z_][\w.]{0,100})(\()?")
_BEGUN_PYTHON = re.compile(r"\[?\s*(?:print\s*\(?\s*)?")
_FIRST_ARGUMENT = re.compile(r"\s*(?:\)|\w+\s*(?:=|\Z)|\Z)")
_CODE_WORDS = ("json", "python", "xml", "yaml", "code")


def find_callable(messages: Sequence[Message], tools: Sequence[ToolSpec]) -> frozenset[str]:
    """The names of the tools that a text may call: those on offer, and where there are none those
    that were called before.

    A question that asks for the code of a tool's call is answered by such a text.
    """
    names = {tool.name for tool in tools}
    names = names or {each.call.name for each in messages if isinstance(each, ToolResult)}
    questions = [each.text for each in messages if isinstance(each, User)]
    if questions and any(word in questions[-1].lower() for word in _CODE_WORDS):
        names = {name for name in names if name not in questions[-1]}
    return frozenset(names)


class CallTextReader:
    """Holds back a reply's text while it may be nothing but calls of the `offered` tools.

    After `end`, `calls` are the calls by name and arguments, and `is_malformed` says that the text
    was an unreadable call.
    """

    def __init__(self, offered: Collection[str]) -> None:
        self._offered = offered
        self._held: list[str] = []
        self._characters = 0
        self._is_named: bool | None = None
        self._is_announced = False
        self.holds = bool(offered)
        self.calls: list[tuple[str, str]] = []
        self.is_malformed = False

    def feed(self, text: str) -> str:
        """What of the text can be shown now: nothing while it may be a call."""
        if not self.holds:
            return text
        self._held.append(text)
        self._characters += len(text)
        is_short = self._characters <= _UNNAMED_CHARACTERS
        if (
            self._characters <= CALL_CHARACTERS
            and _may_be_call(self._held, self._offered, is_marked=self._is_announced)
            and (is_short or self._names_tool())
        ):
            return ""
        return self._release()

    def end(self) -> str:
        """The text that was held and is no call."""
        if not self.holds:
            return ""
        text = "".join(self._held)
        try:
            self.calls = parse_calls(text, self._offered, is_announced=self._is_announced)
        except MalformedCall:
            self.is_malformed = not self._is_announced
        return "" if self.calls or self.is_malformed else self._release()

    def restart(self) -> None:
        """Forgets the text so far, which was not the reply's."""
        self._held, self._characters, self._is_named = [], 0, None
        self._is_announced = False
        self.holds = bool(self._offered)

    def begin_announced(self) -> None:
        """Reads on, where a mark of a call stands behind other text.

        What cannot be read there is shown.
        """
        self.restart()
        self._is_announced = True

    def _names_tool(self) -> bool:
        """Whether the text that is held names an offered tool; looked up once."""
        if self._is_named is None:
            text = "".join(self._held)[:_UNNAMED_CHARACTERS]
            self._is_named = any(name in text for name in self._offered)
        return self._is_named

    def _release(self) -> str:
        text = "".join(self._held)
        self._held, self.holds = [], False
        return text


_BEGINNING_CHARACTERS = 600
"""A mark, a fence, the first key and the name behind it are shorter."""
_BEGINNING_PIECES = _BEGINNING_CHARACTERS
"""No piece is empty, so these hold the beginning."""


def _may_be_call(pieces: list[str], offered: Collection[str], *, is_marked: bool) -> bool:
    """Whether a text that begins with these pieces can still be nothing but calls; `is_marked` is
    for those that begin with a mark that nothing but calls have."""
    if len(pieces) > _BEGINNING_PIECES:
        return True  # its beginning was looked at
    text = "".join(pieces).lstrip()[:_BEGINNING_CHARACTERS]
    if not text:
        return True
    if may_begin_call(text):
        behind = find_word_after_tag(text)
        return behind is None or _may_be_name(*behind, (*offered, "print"))
    if is_marked:
        return False
    fence = _FENCE.match(text)
    if fence is not None:
        text = text[fence.end() :]
    if not text or may_begin_call(text) or _may_be_python(text, offered):
        return True
    if text[0] in "{[":
        return may_be_json_call(text, offered)
    word = WORD.match(text)
    if word is None:
        return False
    rest = text[word.end() :].lstrip(" \n(")
    return _may_be_name(word[0], bool(rest), offered) and rest[:1] in {"", "{", "["}


def _may_be_name(word: str, is_whole: bool, offered: Collection[str]) -> bool:
    """Whether a word is the name of an offered tool, or may become it."""
    name = strip_word(word)
    if is_whole:
        return name in offered
    return any(each.startswith((name, word)) for each in (*offered, *NAMESPACES))


def _may_be_python(text: str, offered: Collection[str]) -> bool:
    """Whether a text may be nothing but calls in Python, with names before the arguments."""
    while text:
        if _BEGUN_PYTHON.fullmatch(text):
            return True
        begun = _PYTHON_CALL.match(text)
        if begun is None:
            return False
        if begun[2] is None:
            is_end = begun.end() == len(text)
            return is_end and _may_be_name(begun[1], False, (*offered, "print"))
        if strip_word(begun[1]) not in offered or not _FIRST_ARGUMENT.match(text, begun.end()):
            return False
        try:
            end = find_end(text, begun.end() - 1)
        except ValueError:
            return False
        if end < 0:
            return True
        text = text[end:].lstrip("),; \n]")
        if text[:1] in {"`", "<"}:
            return True
    return True
