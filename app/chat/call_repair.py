"""Tool calls as models misspell them -> calls of the tools that were offered.

Names come with a namespace (`functions.x`, `default_api.x`), with control tokens of the model's
format, repeated, or in pieces; arguments come encoded twice, wrapped, several behind each other, or
as a dict of Python; several calls come inside of one (OpenAI's `multi_tool_use.parallel`). What is
not understood stays as it is: the toolbox refuses it and says why.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from app.chat.call_names import find_offered
from app.chat.json_calls import ARGUMENT_KEYS, NAME_KEYS, find_member, list_calls
from app.chat.python_values import read_python_value
from app.messages import ToolCall
from app.surrogates import join_surrogates

_ENCODINGS = 3
"""How often arguments are taken to be encoded one inside the other."""

_LEFT_OVER = re.compile(r"(?:[\s\]}>`]|<[|｜][^<>|｜]{1,40}[|｜]>)*")
"""What may follow arguments without a meaning: surplus brackets and control tokens."""

_OPENING_FENCE = re.compile(r"(?![{\[\"'])[^{}`]{0,300}```(?:[\w+-]{0,20}(?=\s))?\s*")
_CLOSING_FENCE = re.compile(r"\s*```(?!.*```)", re.DOTALL)
"""The only fence: what stands before and behind it are words about the arguments."""

_MOST_VALUES = 16
"""Behind each other in one text of arguments; models ask for a few calls at once."""


def repair_calls(
    calls: Sequence[ToolCall], offered: Collection[str], new_id: Callable[[], str]
) -> tuple[ToolCall, ...]:
    """The calls with the names and arguments that were meant.

    Arguments that are several different objects become as many calls; only the first of them keeps
    the provider's id.
    """
    whole = _join_names(calls, offered)
    return tuple(repaired for call in whole for repaired in _repair_call(call, offered, new_id))


def read_arguments(value: Any, name: str = "") -> list[dict[str, Any]] | None:
    """The objects that arguments mean, [{}] for none or a blank text; None where they are broken.

    `name` is the tool's: arguments that hold the whole call are unwrapped.
    """
    values: list[Any] = [{} if value is None else value]
    for _ in range(_ENCODINGS):
        if not any(isinstance(value, str) for value in values):
            break
        decoded = [_decode_all(value) if isinstance(value, str) else [value] for value in values]
        values = [each for one in decoded for each in one or [None]]
    if len(values) == 1 and isinstance(values[0], list):
        values = values[0] or [{}]
    if not all(isinstance(value, dict) for value in values):
        return None
    objects = [_unwrap_call(value, name) for value in values]
    full = [each for number, each in enumerate(objects) if each and each not in objects[:number]]
    return full or [{}]


def write_arguments(arguments: dict[str, Any]) -> str:
    """Arguments as the JSON text of a call."""
    return join_surrogates(json.dumps(arguments, ensure_ascii=False))


def decode_json(text: str, at: int = 0) -> tuple[Any, int]:
    """The JSON value at a place and where it ends; raises ValueError.

    Models write line breaks into strings, which are read.
    """
    try:
        return _DECODER.raw_decode(text, at)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def decode_value(text: str, at: int = 0) -> tuple[Any, int]:
    """Like `decode_json`, and reads dicts and lists as Python writes them."""
    try:
        return decode_json(text, at)
    except ValueError:
        if not text.startswith(("{", "["), at):
            raise
    return read_python_value(text, at)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(strict=False, parse_constant=_refuse_constant)


def _join_names(calls: Sequence[ToolCall], offered: Collection[str]) -> list[ToolCall]:
    """The calls, with those as one whose names are the pieces of an offered tool's name."""
    joined: list[ToolCall] = []
    for call in calls:
        begun = joined[-1] if joined else None
        name = _join_name(begun.name, call.name, offered) if begun else ""
        if begun and name and not begun.arguments.strip():
            joined[-1] = replace(begun, name=name, arguments=call.arguments)
        else:
            joined.append(call)
    return joined


def _join_name(begun: str, name: str, offered: Collection[str]) -> str:
    """The name, or more of it, that two pieces are, of which the second may repeat the first one;
    "" where they are names by themselves."""
    if begun in offered:
        return ""
    if name in offered:
        return name if name.startswith(begun) else ""
    name = begun + name
    return name if any(tool.startswith(name) for tool in offered) else ""


def _unfold_calls(text: str, offered: Collection[str]) -> list[tuple[str, dict[str, Any]]]:
    """The calls of offered tools that the arguments of another one are; none for anything else."""
    unfolded = []
    for value in read_arguments(text) or []:
        for spelling, inner in list_calls(value, may_lack_arguments=True) or []:
            name, arguments = find_offered(spelling, offered), read_arguments(inner, spelling)
            if name is None or arguments is None:
                return []
            unfolded += [(name, each) for each in arguments]
    return unfolded


def _repair_call(
    call: ToolCall, offered: Collection[str], new_id: Callable[[], str]
) -> Iterator[ToolCall]:
    name = find_offered(call.name, offered) or call.name
    if name not in offered:
        inner = _unfold_calls(call.arguments, offered)
        yield from _number(call, inner, new_id) if inner else [call]
        return
    if _is_object(call.arguments) and not _holds_call(call.arguments):
        yield replace(call, name=name)
        return
    arguments = read_arguments(call.arguments, name)
    if arguments is None or not call.arguments.strip():
        yield replace(call, name=name)
        return
    yield from _number(call, [(name, each) for each in arguments], new_id)


def _number(
    call: ToolCall, meant: Iterable[tuple[str, dict[str, Any]]], new_id: Callable[[], str]
) -> Iterator[ToolCall]:
    """The calls that one is meant to be; the first keeps its ids."""
    for number, (name, arguments) in enumerate(meant):
        text = write_arguments(arguments)
        if number == 0:
            yield replace(call, name=name, arguments=text)
        else:
            yield ToolCall(new_id(), name, text)


def _is_object(text: str) -> bool:
    try:
        value, end = decode_json(text.strip())
    except ValueError:
        return False
    return isinstance(value, dict) and end == len(text.strip())


def _holds_call(text: str) -> bool:
    return any(f'"{key}"' in text for key in NAME_KEYS)


def _decode_all(text: str) -> list[Any] | None:
    """The JSON values that stand behind each other in a text; None where something else does."""
    text = text.strip()
    fence = _OPENING_FENCE.match(text)
    text = text[fence.end() :] if fence else text
    if not text:
        return [{}]
    values: list[Any] = []
    at = 0
    while at < len(text) and len(values) < _MOST_VALUES:
        try:
            value, at = decode_value(text, at)
        except ValueError:
            return None
        values.append({} if value is None else value)
        if fence and _CLOSING_FENCE.match(text, at):
            return values
        left_over = _LEFT_OVER.match(text, at)
        at = left_over.end() if left_over else at
        at += len(text[at : at + 2]) - len(text[at : at + 2].lstrip(",;"))
    return values if at >= len(text) else None


def _unwrap_call(value: dict[str, Any], name: str) -> dict[str, Any]:
    """The arguments inside an object that repeats the call's name beside them."""
    if name and len(value) == 2:
        repeated = find_member(value, NAME_KEYS)
        inner = find_member(value, ARGUMENT_KEYS)
        if isinstance(inner, dict) and isinstance(repeated, str) and find_offered(repeated, [name]):
            return inner
    return value
