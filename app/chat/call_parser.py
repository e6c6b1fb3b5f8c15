"""A text that is nothing but calls -> their names and arguments.

Reads the parts of all formats in `call_marks` one after the other: tags, control tokens, JSON, and
calls as Python writes them.
"""

import json
import re
from collections.abc import Collection
from typing import Any

from app.chat.call_marks import CHILD, NAMED_TAG, PARAMETER, RESULT, SEPARATOR, begins_call
from app.chat.call_names import NAMESPACES, WORD, find_offered, strip_word
from app.chat.call_repair import decode_value, read_arguments, write_arguments
from app.chat.json_calls import list_calls, names_offered
from app.chat.python_values import find_end, read_python_calls

_OTHER_FENCE = re.compile(r"\s*```(?!tool_|function_call|json\b)\w*")

_TOKEN_TEXT = re.compile(r'<\|"\|>(.*?)<\|"\|>|<escape>(.*?)<escape>', re.DOTALL)
_BARE_KEY = re.compile(r'("(?:[^"\\]|\\.)*")|(?<=[{,])\s*([A-Za-z_]\w*)\s*:')
_BARE_MARK = re.compile(r"(<\|tool_call>|<start_function_call>)\s*call:")


class MalformedCall(ValueError):
    """A text that is meant to be a call and cannot be read."""


def parse_calls(
    text: str, offered: Collection[str], *, is_announced: bool
) -> list[tuple[str, str]]:
    """The calls that a text is, as names and arguments; none where it is anything else.

    An invented result of tagged calls, and what follows it, is dropped, except where the calls
    stand behind a sentence, which may be about them. Raises MalformedCall where a call was meant
    and cannot be read.
    """
    is_marked = begins_call(text.lstrip())
    if _BARE_MARK.match(text.lstrip()):
        text = _quote_texts(text)
    parser = _CallParser(text, offered, is_marked=is_marked)
    try:
        return parser.parse(ends_at_result=is_marked and not is_announced)
    except _NoCall:
        return []
    except ValueError:
        if is_marked or _names_offered(text, offered):
            raise MalformedCall from None
        return []


def _quote_texts(text: str) -> str:
    """Gemma's `call:look{id:<|"|>s1<|"|>}` with its names and texts between quotation marks."""
    text = _TOKEN_TEXT.sub(lambda found: json.dumps(found[1] or found[2] or ""), text)
    text = _BARE_MARK.sub(r"\1", text)
    return _BARE_KEY.sub(lambda found: found[1] or f'"{found[2]}":', text)


def _names_offered(text: str, offered: Collection[str]) -> bool:
    """Whether JSON that cannot be read began with the name of an offered tool."""
    begun = re.search(r"[\[{]", text)
    return begun is not None and names_offered(text[begun.start() :], offered)


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
        self._has_other_brackets = False

    def parse(self, *, ends_at_result: bool) -> list[tuple[str, str]]:
        at = 0
        while at < len(self._text) and not (ends_at_result and RESULT.match(self._text, at)):
            at = self._step(at)
        self._end_named_call()
        return self._calls

    def _step(self, at: int) -> int:
        if separator := SEPARATOR.match(self._text, at):
            if separator["ends"]:
                self._end_named_call()
            return separator.end()
        if tag := NAMED_TAG.match(self._text, at):
            self._begin_named_call(tag[1] or tag[2], by_tag=True)
            return tag.end()
        if (end := self._take_parameter(at)) or (end := self._take_python(at)):
            return end
        if self._text[at] in '{["':
            value, end = decode_value(self._text, at)
            self._take_value(value)
            return end
        word = WORD.match(self._text, at)
        if word is None:
            raise _NoCall
        self._begin_named_call(strip_word(word[0]), by_tag=False)
        return word.end()

    def _take_parameter(self, at: int) -> int:
        """Takes the parameter that begins here; returns its end, 0 for none."""
        if found := PARAMETER.match(self._text, at):
            is_text = "string" in (found["form"] or "") and "true" in found["form"]
            key = found["key"] or found["glm_key"]
            text = found["value"] or found["glm_value"] or ""
            value = text if is_text else _read_parameter(text)
        elif self._named_by_tag and (found := CHILD.match(self._text, at)):
            key, value = found[1], _read_parameter(found[2])
        else:
            return 0
        if key in self._parameters:  # a list, one item after the other
            before = self._parameters[key]
            value = [*before, value] if isinstance(before, list) else [before, value]
        self._parameters[key] = value
        return found.end()

    def _take_python(self, at: int) -> int:
        """Takes the Python call or list of calls that begins here; returns its end, 0 for none."""
        text = self._text
        if self._has_other_brackets:
            return 0
        if text[at] == "[":
            opening = at
        elif (word := WORD.match(text, at)) and text.startswith("(", word.end()):
            opening = word.end()
        else:
            return 0
        try:
            end = find_end(text, opening)
            calls = read_python_calls(text[at:end]) if end > 0 else []
        except ValueError:
            calls = []
        for name, arguments in calls:
            if not self._is_marked and not name.startswith(NAMESPACES):
                is_bare = opening != at and not arguments
                if is_bare or _OTHER_FENCE.match(text):
                    raise _NoCall  # code, or a name with brackets
            self._add_call(self._find_exact(strip_word(name)), arguments)
        self._has_other_brackets = not calls  # those inside of them are not tried as well
        return end if calls else 0

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
        calls = list_calls(value, may_lack_arguments=self._is_marked)
        if calls is None:
            raise _NoCall
        for name, arguments in calls:
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
        objects = None if isinstance(arguments, list) else read_arguments(arguments, name)
        if objects is None:
            raise ValueError("broken arguments") if isinstance(arguments, str) else _NoCall
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
