"""Tool calls that a model writes into its text, in the form of whatever format it was trained on.

Only a reply that is nothing but calls of offered tools counts: as JSON, fenced or not, between
tags or control tokens, behind `[TOOL_CALLS]`, or as Harmony's `to=functions.x`. Whatever explains
a call, or holds anything else, is an answer.
"""

import re
from collections.abc import Collection, Sequence
from typing import Any

from app.chat.call_repair import (
    ARGUMENT_KEYS,
    NAME_KEYS,
    decode_value,
    find_member,
    find_offered,
    read_arguments,
    write_arguments,
)
from app.messages import Message, ToolResult, ToolSpec, User

CALL_CHARACTERS = 65_536
"""The longest text that is held back because it may be a call: arguments are far shorter."""

_UNNAMED_CHARACTERS = 2_000
"""A longer text that names no tool is shown: an answer may begin with a body it quotes."""

_MARKS = (
    "<tool_call",
    "<function",
    "<invoke",
    "<|tool",
    "<|python_tag|>",
    "<｜tool",
    "[TOOL_CALLS]",
    "[TOOL_REQUEST]",
    "commentary to=",
    "assistantcommentary to=",
    "to=functions.",
)
"""Beginnings that only calls have, by formats of Qwen, Llama, DeepSeek, Mistral, Kimi, Harmony."""

_NAMESPACES = ("functions.", "default_api.")
"""Before the names of tools in OpenAI's and Gemini's formats."""

_FENCE = re.compile(r"`{1,2}\Z|```[\w+-]{0,20}(?:\s+|\Z)")
_BEFORE_KEY = re.compile(r"(?:\[\s*)?\{\s*")
_FIRST_KEY = re.compile(r'"([^"]{0,100})(")?')
_FIRST_NAME = re.compile(r'\s*:\s*"([^"]{0,200})"')
_OTHER_KEYS = frozenset(["type", "id", "call_id", "tool_call_id", "index"])
_CALL_KEYS = frozenset([*NAME_KEYS, *ARGUMENT_KEYS])
_WRAPPERS = frozenset(["tool_calls", "tool_call", "function_call", "call"])

_SEPARATOR = re.compile(
    r"[\s,;()]+|```(?:[\w+-]{0,20}(?=\s))?"
    r"|</?(?:tool_calls?|function_calls?|invoke|function|call)>"
    r"|<\|[^|<>]{1,40}\|>|<｜[^｜<>]{1,40}｜>"
    r"|\[/?(?:TOOL_CALLS|TOOL_REQUEST|END_TOOL_REQUEST|ARGS)\]|\[CALL_ID\][\w-]{0,60}"
    r"|(?:assistant|commentary|json|function|code)(?=[\s<｜{]|commentary)|to="
)
_NAMED_TAG = re.compile(r"<(?:function|invoke)(?:=|\s+name=)\"?([\w.:-]{1,100})\"?\s*>")
_PARAMETER = re.compile(
    r"<parameter(?:=|\s+name=)\"?([\w.-]{1,100})\"?\s*>(.*?)</parameter>"
    r"|<arg_key>\s*([\w.-]{1,100})\s*</arg_key>\s*<arg_value>(.*?)</arg_value>",
    re.DOTALL,
)
_WORD = re.compile(r"[A-Za-z_][\w.:-]{0,100}")


def find_callable(messages: Sequence[Message], tools: Sequence[ToolSpec]) -> frozenset[str]:
    """The names of the tools that a text may call: those on offer, and where there are none those
    that were called before.

    A question that asks for the JSON of a tool's call is answered by such a text.
    """
    names = {tool.name for tool in tools}
    names = names or {each.call.name for each in messages if isinstance(each, ToolResult)}
    questions = [each.text for each in messages if isinstance(each, User)]
    if questions and "json" in questions[-1].lower():
        names = {name for name in names if name not in questions[-1]}
    return frozenset(names)


class MalformedCall(ValueError):
    """A text that is meant to be a call and cannot be read."""


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
            and _may_be_call(self._held, self._offered)
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
            self.calls = parse_calls(text, self._offered)
        except MalformedCall:
            self.is_malformed = True
        return "" if self.calls or self.is_malformed else self._release()

    def restart(self) -> None:
        """Forgets the text so far, which was not the reply's."""
        self._held, self._characters, self._is_named = [], 0, None
        self.holds = bool(self._offered)

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


def _may_be_call(pieces: list[str], offered: Collection[str]) -> bool:
    """Whether a text that begins with these pieces can still be nothing but calls."""
    if len(pieces) > _BEGINNING_PIECES:
        return True  # its beginning was looked at
    text = "".join(pieces).lstrip()[:_BEGINNING_CHARACTERS]
    if not text or any(text.startswith(mark) or mark.startswith(text) for mark in _MARKS):
        return True
    fence = _FENCE.match(text)
    if fence is not None:
        text = text[fence.end() :]
    if not text:
        return True
    if text[0] in "{[":
        return _may_be_json_call(text, offered)
    word = _WORD.match(text)
    if word is None:
        return False
    rest = text[word.end() :].lstrip(" \n(")
    if not rest:
        begun = _strip_word(word[0])
        return any(name.startswith(begun) for name in (*offered, *_NAMESPACES))
    return _strip_word(word[0]) in offered and rest[0] in "{["


def _strip_word(word: str) -> str:
    """A name without namespace and number: `functions.x:0` -> `x`."""
    return word.rpartition(".")[2].partition(":")[0]


def _may_be_json_call(text: str, offered: Collection[str]) -> bool:
    begun = _BEFORE_KEY.match(text)
    if begun is None:
        return not text[1:].strip()
    key = _FIRST_KEY.match(text, begun.end())
    if key is None:
        return begun.end() == len(text)
    if key[2] is None:
        return key.end() == len(text)
    name = key[1].lower()
    if name in NAME_KEYS:
        value = _FIRST_NAME.match(text, key.end())
        return value is None or find_offered(value[1], offered) is not None
    known = name in ARGUMENT_KEYS or name in _OTHER_KEYS or name in _WRAPPERS
    return known or find_offered(name, offered) is not None


def parse_calls(text: str, offered: Collection[str]) -> list[tuple[str, str]]:
    """The calls that a text is, as names and arguments; none where it is anything else.

    Raises MalformedCall where a call was meant and cannot be read.
    """
    is_marked = text.lstrip().startswith(_MARKS)
    try:
        return _CallParser(text, offered, is_marked=is_marked).parse()
    except _NoCall:
        return []
    except ValueError:
        if is_marked or _names_offered(text, offered):
            raise MalformedCall from None
        return []


def _names_offered(text: str, offered: Collection[str]) -> bool:
    """Whether JSON that cannot be read began with the name of an offered tool."""
    begun = re.search(r"[\[{]", text)
    found = begun and re.compile(r'\[?\s*\{\s*"(\w+)"\s*:\s*"([^"]{1,200})"').match(
        text, begun.start()
    )
    return bool(found and found[1] in NAME_KEYS and find_offered(found[2], offered))


class _NoCall(Exception):
    """The text is an answer."""


class _CallParser:
    """Reads one text; every step moves on."""

    def __init__(self, text: str, offered: Collection[str], *, is_marked: bool) -> None:
        self._text = text
        self._offered = offered
        self._is_marked = is_marked
        self._name: str | None = None
        self._named_by_tag = False
        self._parameters: dict[str, Any] = {}
        self._calls: list[tuple[str, str]] = []

    def parse(self) -> list[tuple[str, str]]:
        at = 0
        while at < len(self._text):
            at = self._step(at)
        self._end_named_call()
        return self._calls

    def _step(self, at: int) -> int:
        if separator := _SEPARATOR.match(self._text, at):
            if separator[0] in {"</function>", "</invoke>", "</tool_call>"}:
                self._end_named_call()
            return separator.end()
        if tag := _NAMED_TAG.match(self._text, at):
            self._begin_named_call(tag[1], by_tag=True)
            return tag.end()
        if parameter := _PARAMETER.match(self._text, at):
            key, value = (parameter[1], parameter[2]) if parameter[1] else parameter.group(3, 4)
            self._parameters[key] = _read_parameter(value)
            return parameter.end()
        if self._text[at] in '{["':
            value, end = decode_value(self._text, at)
            self._take_value(value)
            return end
        word = _WORD.match(self._text, at)
        if word is None:
            raise _NoCall
        self._begin_named_call(_strip_word(word[0]), by_tag=False)
        return word.end()

    def _begin_named_call(self, name: str, *, by_tag: bool) -> None:
        self._end_named_call()
        self._name = self._find_tool(name) if by_tag else self._find_exact(name)
        self._named_by_tag = by_tag

    def _end_named_call(self) -> None:
        """Ends a call whose arguments, if any, are written as tags."""
        if self._name is None:
            if self._parameters:
                raise _NoCall
            return
        if not (self._named_by_tag or self._parameters or self._is_marked):
            raise _NoCall  # a lone word
        self._add_call(self._name, self._parameters)

    def _take_value(self, value: Any) -> None:
        if self._name is not None:
            self._add_call(self._name, value)
            return
        for each in value if isinstance(value, list) else [value]:
            self._take_object(each)

    def _take_object(self, value: Any) -> None:
        if not isinstance(value, dict):
            raise _NoCall
        value = {key.lower(): each for key, each in value.items()}
        keys = value.keys() - _OTHER_KEYS
        inner = next((value[key] for key in keys if key in _WRAPPERS), None)
        if isinstance(value.get("function"), dict):
            inner = value["function"]
        if len(keys) == 1 and isinstance(inner, dict | list):
            for each in inner if isinstance(inner, list) else [inner]:
                self._take_flat_object(each)
        else:
            self._take_flat_object(value)

    def _take_flat_object(self, value: Any) -> None:
        """An object with a name and arguments, or with the name as its only key."""
        if not isinstance(value, dict):
            raise _NoCall
        if isinstance(value.get("function"), dict):
            value = value["function"]
        keys = value.keys() - _OTHER_KEYS
        name, arguments = find_member(value, NAME_KEYS), find_member(value, ARGUMENT_KEYS)
        if len(keys) == 1 and isinstance(value[next(iter(keys))], dict):
            name = next(iter(keys))
            arguments = value[name]
        else:
            fewest = 1 if self._is_marked else 2
            if not (isinstance(name, str) and fewest <= len(keys) <= 2 and keys <= _CALL_KEYS):
                raise _NoCall
        self._add_call(self._find_tool(name), arguments)

    def _find_exact(self, name: str) -> str:
        if name not in self._offered:
            raise _NoCall
        return name

    def _find_tool(self, name: str) -> str:
        found = find_offered(name, self._offered)
        if found is None:
            raise _NoCall
        return found

    def _add_call(self, name: str, arguments: Any) -> None:
        if arguments is None:
            arguments = {}
        if isinstance(arguments, str):
            read = read_arguments(arguments, name)
            if read is None:
                raise ValueError("the arguments are not JSON")
            objects: list[dict[str, Any]] = read
        elif isinstance(arguments, dict):
            objects = [arguments]
        else:
            raise _NoCall
        self._calls += [(name, write_arguments(each)) for each in objects]
        self._name, self._parameters, self._named_by_tag = None, {}, False


def _read_parameter(text: str) -> Any:
    """A value between tags: JSON where it is, else a text."""
    text = text.strip()
    try:
        value, end = decode_value(text)
    except ValueError:
        return text
    return value if end == len(text) else text
