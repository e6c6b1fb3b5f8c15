"""Values and calls that models write as Python: `{'id': "it's", }`, `[look(id='s1'), wait()]`.

Read with `ast`: literals and calls with keyword arguments, nothing is run. `true`, `false` and
`null` are read as well, since models mix both languages. Sources: pythonic calls of Llama 3.2
and 4, Gemma 3, LFM 2 and Olmo 3; dicts as arguments of Hermes and of small models.
"""

import ast
import math
import re
from typing import Any

_LONGEST = 65_536
"""Characters of a text that is read; calls are far shorter."""

_PIECE = re.compile(
    r"[^\"'()\[\]{}\\]+"
    r"|\"\"\".*?\"\"\"|'''.*?'''"
    r"|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
    r"|[()\[\]{}\\]",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = frozenset("\n\\'\"abfnrtvxuUN01234567")
_LONG_QUOTES = ('"""', "'''")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_WORDS = {"true": True, "false": False, "null": None}
_WRAPPERS = frozenset(["print"])

Call = tuple[str, dict[str, Any]]


def find_end(text: str, at: int = 0) -> int:
    """Where the bracket at `at` is closed, after its closing one; -1 where it is not.

    Raises ValueError where brackets are crossed.
    """
    open_brackets: list[str] = []
    while piece := _PIECE.match(text, at):
        at = piece.end()
        mark = piece[0]
        if mark in _CLOSING:
            open_brackets.append(_CLOSING[mark])
        elif mark in ")]}":
            if not open_brackets or open_brackets.pop() != mark:
                raise ValueError("crossed brackets")
            if not open_brackets:
                return at
    return -1


def read_python_value(text: str, at: int = 0) -> tuple[Any, int]:
    """The value of the dict or list at a place and where it ends; raises ValueError."""
    end = find_end(text, at)
    if end < 0:
        raise ValueError("not closed")
    return _read_value(_parse_expression(text[at:end])), end


def read_python_calls(text: str) -> list[Call]:
    """The calls that an expression is: one, or a list of them, each perhaps within `print`.

    Raises ValueError for anything else.
    """
    node = _parse_expression(text)
    nodes = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
    return [_read_call(each) for each in nodes]


def _parse_expression(text: str) -> ast.expr:
    if len(text) > _LONGEST:
        raise ValueError("too long")
    try:
        return ast.parse(_PIECE.sub(_complete_text, text.strip()), mode="eval").body
    except (SyntaxError, MemoryError, RecursionError):
        raise ValueError("not Python") from None


def _complete_text(piece: re.Match[str]) -> str:
    """A string without line breaks and unknown escapes (`\\d`), which models write as they are."""
    text = piece[0]
    if text[0] not in "\"'":
        return text
    text = _ESCAPE.sub(lambda each: each[0] if each[1] in _ESCAPES else "\\" + each[0], text)
    return text if text.startswith(_LONG_QUOTES) else text.replace("\n", "\\n")


def _read_call(node: ast.expr) -> Call:
    if not isinstance(node, ast.Call):
        raise ValueError("no call")
    name = _read_name(node.func)
    if name in _WRAPPERS and len(node.args) == 1 and not node.keywords:
        return _read_call(node.args[0])
    if node.args:
        raise ValueError("arguments without names")
    arguments = {}
    for each in node.keywords:
        if each.arg is None:
            raise ValueError("arguments without names")
        arguments[each.arg] = _read_value(each.value)
    return name, arguments


def _read_name(node: ast.expr) -> str:
    """A name, perhaps with a namespace: `default_api.look`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_read_name(node.value)}.{node.attr}"
    raise ValueError("no name")


def _read_value(node: ast.expr) -> Any:
    try:
        return _read_literal(node)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _read_literal(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=str() | bool() | int() | None as value):
            return value
        case ast.Constant(value=float() as value) if math.isfinite(value):
            return value
        case ast.Name(id=word) if word in _WORDS:
            return _WORDS[word]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_read_literal(each) for each in items]
        case ast.Dict(keys=keys, values=values):
            return {
                _read_key(key): _read_literal(each) for key, each in zip(keys, values, strict=True)
            }
    raise ValueError("no literal")


def _read_key(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise ValueError("a key that is no text")
