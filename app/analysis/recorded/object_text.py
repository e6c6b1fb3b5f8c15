"""Reads the text that a language writes for an object, where it was recorded as a result.

FunctionExecutionResult(content='…', is_error=True)     Python, Kotlin, Swift
content='…' tool_call_id='7' status='error'             Pydantic, LangChain's messages
{ isError: true, content: [ { type: 'text' } ] }        JavaScript, Ruby
ToolResult { is_error: true, content: "…" }             Rust, C# (with `=`), Java (`[…]`)
&{IsError:true Content:…}                               Go
"""

import re
from collections.abc import Iterator
from typing import Any

_LONGEST = 50_000  # characters: each is read once, but a longer text is a document
_LEVELS = 6  # objects in an object; deeper ones are left out
_MOST_MEMBERS = 60  # of one object
_START_READ = 200  # characters in which the first key stands

_START = re.compile(
    r"\s{0,4}(?P<bracket>\[?\s?&?(?:[A-Za-z_][\w.]{0,80}(?:::\w{1,80}){0,4}\s?)?[({\[]\s?"
    r"|#<[\w:]{1,80}\s)?"
    r":?[A-Za-z_]\w{0,60}\s?(?P<sign>=>|=(?![=~])|:(?!//|\w{1,60}::))(?P<gap>\s?)"
)
_PYTHON_FIELD = re.compile(r"\s[a-z_]\w{0,60}=(?:'|True\b|False\b|None\b)")
_CLOSING = frozenset(")}]>")

# A key stands after a bracket, a comma or a blank, and before the sign that the first one has.
_SIGNS = {"=>": "=>", "=": "=(?![=~>])", ": ": r":(?=\s)", ":": r":(?=\S)(?!//)"}
_TOKENS = {
    name: re.compile(
        rf"""(?<![^\s(\[{{,])(?:(?P<key>:?[A-Za-z_]\w{{0,60}})\s?{sign}\s?
        | ['"](?P<quoted>[A-Za-z_][\w-]{{0,60}})['"]:\s?)
        | (?P<text>(?<!\w)(?:'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*"|`[^`]*`))
        | (?P<open>[(\[{{]) | (?P<close>[)\]}}]) | (?P<comma>,)
        | (?P<word>[^\s,()\[\]{{}}"']+(?:'[^\s,()\[\]{{}}"']*)*)""",
        re.VERBOSE | re.DOTALL,
    )
    for name, sign in _SIGNS.items()
}
_WORDS = {
    "true": True,
    "false": False,
    "none": None,
    "null": None,
    "nil": None,
    "undefined": None,
    "<nil>": None,
}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def read_object_text(text: str) -> Any:
    """The object, or list of objects, that a text stands for; else the text itself."""
    start = _START.match(text[:_START_READ])
    if start is None or len(text) > _LONGEST:
        return text
    if start["bracket"] is None:
        if start["sign"] != "=" or not _PYTHON_FIELD.search(text):
            return text
    elif text.rstrip()[-1:] not in _CLOSING:
        return text
    sign = start["sign"] + (" " if start["sign"] == ":" and start["gap"] else "")
    value = _read_inside(_TOKENS[sign].finditer(text), 0)
    if start["bracket"] is not None and isinstance(value, list) and len(value) == 1:
        (value,) = value  # the object between the brackets
    return value if isinstance(value, (dict, list)) and value else text


def _read_inside(tokens: Iterator[re.Match[str]], level: int) -> dict[str, Any] | list[Any]:
    """What stands up to the closing bracket: members, or items where none has a key."""
    members: dict[str, Any] = {}
    items: list[Any] = []
    key, pieces = "", list[Any]()
    for token in tokens:
        kind = token.lastgroup
        if kind == "open":
            if level < _LEVELS:
                pieces.append(_read_inside(tokens, level + 1))
            else:
                _skip_inside(tokens)
        elif kind == "text":
            pieces.append(_Quoted(_unquote(token[0])))
        elif kind == "word":
            pieces.append(token[0])
        else:
            _add(members, items, key, pieces)
            key = (token["key"] or token["quoted"] or "").lstrip(":")
            pieces = []
            if kind == "close":
                return members or items
    _add(members, items, key, pieces)
    return members or items


class _Quoted(str):
    """A text that stood between quotation marks, unlike the name of a class or a number."""

    __slots__ = ()


def _skip_inside(tokens: Iterator[re.Match[str]]) -> None:
    depth = 1
    for token in tokens:
        depth += (token.lastgroup == "open") - (token.lastgroup == "close")
        if not depth:
            return


def _add(members: dict[str, Any], items: list[Any], key: str, pieces: list[Any]) -> None:
    if key and len(members) < _MOST_MEMBERS:
        members[key] = _join(pieces)
    elif pieces and len(items) < _MOST_MEMBERS:
        items.append(_join(pieces))


def _join(pieces: list[Any]) -> Any:
    """A value: an object without the name of its class, a text, or a constant."""
    inner = next((each for each in pieces if isinstance(each, (dict, list))), None)
    if isinstance(inner, dict):
        return inner
    if inner is not None:
        name = next((each for each in pieces if isinstance(each, str)), "")
        texts = [each for each in inner if isinstance(each, str)]
        return f"{name}({', '.join(texts)})" if name and len(texts) == len(inner) else inner
    quoted = next((str(each) for each in pieces if isinstance(each, _Quoted)), None)
    if quoted is not None:
        return quoted
    word = " ".join(pieces).rstrip(">") if pieces != ["<nil>"] else "<nil>"
    if word.isdecimal() and len(word) < 16:
        return int(word)
    return _WORDS.get(word.lower(), word)


def _unquote(text: str) -> str:
    return _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), text[1:-1])
