"""Calls as JSON: the members that hold them, by OpenAI, Llama, LangChain, Cohere and others."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from app.chat.call_names import find_offered

NAME_KEYS = ("name", "tool", "tool_name", "function_name", "function", "recipient_name", "action")
ARGUMENT_KEYS = (
    "arguments",
    "parameters",
    "args",
    "params",
    "input",
    "tool_input",
    "action_input",
    "tool_parameters",
)
_CALL_KEYS = frozenset([*NAME_KEYS, *ARGUMENT_KEYS])
_OTHER_KEYS = frozenset(["type", "id", "call_id", "tool_call_id", "index"])
"""Of a call beside its name and arguments."""
_WRAPPERS = frozenset(
    ["tool_calls", "tool_call", "function_calls", "function_call", "calls", "call", "tool_uses"]
)
"""They hold a call, or several."""
_MESSAGE_KEYS = frozenset(["role", "content", "refusal", "finish_reason", "thought", "reasoning"])
"""Of a whole message around its calls."""
_KNOWN_KEYS = _CALL_KEYS | _OTHER_KEYS | _WRAPPERS | _MESSAGE_KEYS

_BEGINNING = re.compile(
    r"(?:\[\s*)?(?:\{\s*"
    r"(?:[\"'](?P<key>[^\"']{0,100})(?P<is_whole>[\"'](?:\s*:\s*[\"'](?P<text>[^\"']{0,200})[\"'])?)?)?)?"
)
"""Up to the first key and, where it is a text, the value behind it."""


def may_be_json_call(text: str, offered: Collection[str]) -> bool:
    """Whether JSON that is not whole yet may be a call of an offered tool, or a list of calls."""
    begun = _BEGINNING.match(text)
    if begun is None or begun["is_whole"] is None:
        return begun is not None and begun.end() == len(text)
    key = begun["key"].lower()
    if key in NAME_KEYS:
        return begun["text"] is None or find_offered(begun["text"], offered) is not None
    return key in _KNOWN_KEYS or find_offered(key, offered) is not None


def names_offered(text: str, offered: Collection[str]) -> bool:
    """Whether JSON begins with the name of an offered tool."""
    begun = _BEGINNING.match(text)
    return bool(begun and begun["key"] in NAME_KEYS and find_offered(begun["text"] or "", offered))


def list_calls(value: Any, *, may_lack_arguments: bool) -> list[tuple[str, Any]] | None:
    """The names and arguments of the calls that a value is; None for anything else."""
    calls = []
    for each in value if isinstance(value, list) else [value]:
        for inner in _unwrap(each):
            call = _read_call(inner, may_lack_arguments=may_lack_arguments)
            if call is None:
                return None
            calls.append(call)
    return calls


def find_member(value: Mapping[str, Any], names: Iterable[str]) -> Any:
    """The first of these members that an object has; None for none."""
    return next((value[name] for name in names if name in value), None)


def _unwrap(value: Any) -> list[Any]:
    """What an object that does nothing but hold calls has in it; else the value."""
    if not isinstance(value, dict):
        return [value]
    value = {key.lower(): each for key, each in value.items()}
    keys = value.keys() - _OTHER_KEYS
    if keys & _WRAPPERS:
        keys -= {key for key in _MESSAGE_KEYS if key != "content" or not value.get(key)}
    inner = next((value[key] for key in keys if key in _WRAPPERS), None)
    if len(keys) > 1 or not isinstance(inner, dict | list):
        return [value]
    return inner if isinstance(inner, list) else [inner]


def _read_call(value: Any, *, may_lack_arguments: bool) -> tuple[str, Any] | None:
    """An object with a name and arguments, or with the name as its only key."""
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("function"), dict):
        beside = {key: each for key, each in value.items() if key != "function"}
        value = {**beside, **value["function"]}
    keys = value.keys() - _OTHER_KEYS
    if len(keys) == 1 and isinstance(value[only := next(iter(keys))], dict):
        return only, value[only]
    name = find_member(value, NAME_KEYS)
    fewest = 1 if may_lack_arguments else 2
    if not (isinstance(name, str) and fewest <= len(keys) <= 2 and keys <= _CALL_KEYS):
        return None
    return name, find_member(value, ARGUMENT_KEYS)
