"""What wrappers around a model call record again: usage, empty members, the text of the reply."""

from collections.abc import Sequence
from typing import Any

from app.analysis.recorded.leaves import Path
from app.analysis.recorded.request import read_tool_names
from app.analysis.recorded.spellings import TOOLS, key_set, plain_key
from app.analysis.text.json_path import format_path
from app.analysis.text.one_line import format_count, list_first

_USAGE = key_set("usage token_usage usage_metadata")
_WRAPPING = _USAGE | key_set("response_metadata llm_output generation_info original_usage")
_MEANT_WHEN_FULL = key_set(
    "additional_kwargs response_metadata invalid_tool_calls usage_metadata llm_output run artifact"
    " function_call tool_call_id refusal audio annotations logprobs example"
)
"""Members of messages (LangChain, OpenAI) that say nothing where they are empty or null."""
_OF_MESSAGES = ("name", "id")  # the same beside a content; elsewhere null may be a result
_CLASS = ("lc", "type", "id")  # by which LangChain's loader knows an object, beside its `kwargs`
_LEAST_TEXT = 60  # characters: the place that stands for a text that was shown is hardly shorter
_LEAST_SCHEMA = 100  # characters of a tool: less is a name and hardly more
_TOOLS_NAMED = 24
_LEVELS = 40  # nothing that is worth a look lies deeper


def repeats_others(path: Sequence[str | int]) -> bool:
    """Whether what a path leads to mostly stands elsewhere too: usage, frames of a traceback."""
    return path[-1] == "traceback" or any(
        isinstance(step, str) and plain_key(step) in _WRAPPING for step in path[1:]
    )


def leave_out_repeats(field: str, value: Any, *, has_usage: bool, offers_tools: bool) -> Any:
    """A copy without empty members of messages, with long texts once, and without usage where
    that `has_usage`, shown as a fact; of tools that a model call `offers_tools` their names.
    Members keep their paths."""
    texts: dict[str, Path] = {}

    def copy(item: Any, path: Path) -> Any:
        if isinstance(item, str) and len(item) >= _LEAST_TEXT:
            first = texts.setdefault(item, path)
            return item if first == path else f"[same as {format_path(first)}]"
        if len(path) > _LEVELS:
            return item
        if isinstance(item, list):
            return [copy(inner, (*path, place)) for place, inner in enumerate(item)]
        if isinstance(item, dict):
            is_message, named = "content" in item, _CLASS if "lc" in item else ()
            return {
                key: (offers_tools and _name_tools(inner, (*path, key)))
                or copy(inner, (*path, key))
                for key, inner in item.items()
                if key not in named
                and not _says_nothing(plain_key(key), inner, is_message, has_usage)
            }
        return item

    return copy(value, (field,))


def _name_tools(value: Any, path: Path) -> str:
    """The names in a list of tools with their schemas, and where these are; empty for others."""
    if plain_key(path[-1]) not in TOOLS or not isinstance(value, list):
        return ""
    names, _ = read_tool_names(value)
    if not names or not any(
        isinstance(each, dict) and len(str(each)) > _LEAST_SCHEMA for each in value
    ):
        return ""
    named = list_first(sorted(names)[:_TOOLS_NAMED], len(names))
    return f"[{format_count(len(value), 'tool')}: {named}; schemas: path={format_path(path)}]"


def _says_nothing(key: str, value: Any, is_message: bool, has_usage: bool) -> bool:
    if value in (None, {}, []):
        return key in _MEANT_WHEN_FULL or (is_message and key in _OF_MESSAGES)
    return has_usage and isinstance(value, dict) and key in _USAGE
