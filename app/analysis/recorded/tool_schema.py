"""The JSON Schemas of the tools that a request offered, and what they refuse of a call.

Only what every validator agrees on: required members, plain types, lists of allowed values, and
members that are not allowed. A union or a reference refuses nothing here.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from app.analysis.recorded.opened_json import open_text
from app.analysis.recorded.spellings import key_set, plain_key

_HOLDERS = key_set("parameters input_schema args_schema parameters_json_schema json_schema schema")
"""Keys of OpenAI, Anthropic, Gemini, MCP and Bedrock beside the name of a tool."""
_MOST_TOOLS = 512
_MOST_MEMBERS = 100  # of one object of a definition
_LEVELS = 8  # from a list of tools down to a schema
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
}
_SHOWN = 6  # allowed values


def read_tool_schemas(offered: Iterable[Any]) -> dict[str, Mapping[str, Any]]:
    """The schemas of offered tools by name, as far as they list properties."""
    found: dict[str, Mapping[str, Any]] = {}
    waiting = [(value, 0) for value in offered]
    while waiting and len(found) < _MOST_TOOLS:
        value, level = waiting.pop()
        value = open_text(value) if isinstance(value, str) and value[:1] in ("{", "[") else value
        if level > _LEVELS or not isinstance(value, (dict, list)):
            continue
        if isinstance(value, list):
            waiting += [(each, level + 1) for each in value[:_MOST_TOOLS]]
            continue
        schema = _find_schema(value)
        if schema is not None and isinstance(value.get("name"), str):
            found.setdefault(value["name"], schema)
        else:
            waiting += [(each, level + 1) for each in islice(value.values(), _MOST_MEMBERS)]
    return found


def _find_schema(tool: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for key, value in islice(tool.items(), _MOST_MEMBERS):
        if plain_key(key) in _HOLDERS:
            held = open_text(value) if isinstance(value, str) else value
            inner = held.get("json", held) if isinstance(held, dict) else None  # Bedrock's
            if isinstance(inner, dict) and isinstance(inner.get("properties"), dict):
                return inner
    return None


def find_violation(arguments: Any, schema: Mapping[str, Any]) -> str:
    """What a schema refuses of arguments, as `seats “two” (wants integer)`; "" for nothing."""
    if not isinstance(arguments, dict):
        return ""
    properties = schema["properties"]
    required = schema.get("required")
    for name in required if isinstance(required, list) else ():
        if name not in arguments:
            return f"no {name} (required)"
    for name, value in islice(arguments.items(), _MOST_MEMBERS):
        wanted = properties.get(name)
        if name not in properties and schema.get("additionalProperties") is False:
            return f"{name} (not allowed)"
        if isinstance(wanted, dict) and value is not None:
            refused = _find_refusal(value, wanted)
            if refused:
                return f"{name} “{value}” ({refused})"
    return ""


def _find_refusal(value: Any, wanted: Mapping[str, Any]) -> str:
    kind = str(wanted.get("type")).lower()  # Gemini writes STRING
    expected = _TYPES.get(kind)
    is_whole = isinstance(value, float) and value.is_integer()
    if expected is not None and not (kind == "integer" and is_whole):
        is_flag = isinstance(value, bool) and kind != "boolean"
        if is_flag or not isinstance(value, expected):
            return f"wants {kind}"
    allowed = wanted.get("enum")
    if isinstance(allowed, list) and allowed and value not in allowed:
        shown = ", ".join(map(str, allowed[:_SHOWN]))
        return f"wants one of {shown}{', …' if len(allowed) > _SHOWN else ''}"
    return ""
