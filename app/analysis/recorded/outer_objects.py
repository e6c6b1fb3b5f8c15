"""The objects that describe a whole result, without those that are its content."""

from collections.abc import Iterator
from typing import Any

from app.analysis.recorded.object_text import read_object_text
from app.analysis.recorded.spellings import key_set, plain_members

_WRAPPERS = key_set(
    "result response output outputs data body content structured_content return_value value results"
    " tool_result tool_response tool_output function_response message payload json text parts"
    " choices meta trace observation content_blocks"
)
"""Keys that tools, MCP and SDKs put around the outcome of a call; below others lies content."""
_LISTS_OF_PARTS = key_set("content choices parts outputs output")
_TEXTS_OF_PARTS = frozenset(["text", "content", "type"])
MOST_PARTS = 16  # parts of an answer; a longer list holds records
_LEVELS = 4  # wrappers around an outcome: the SDK's, the framework's, MCP's, the tool's

Members = list[tuple[str, Any]]


def list_outer_objects(output: Any) -> Iterator[Members]:
    """The members of objects that describe the whole output, the outermost first."""
    waiting: list[tuple[int, str, Any]] = [(0, "", output)]
    for level, key, value in waiting:
        if level > _LEVELS:
            return
        if isinstance(value, dict):
            members = list(plain_members(value))
            yield members
            for name, held in members:
                is_wrapper = name in _WRAPPERS
                is_text = is_wrapper and isinstance(held, str)
                inner = read_object_text(held) if is_text else held
                if is_wrapper and isinstance(inner, (dict, list)):
                    waiting.append((level + 1, name, inner))
                elif name == "messages" and _ends_with_tool_result(inner):
                    waiting.append((level + 1, name, inner[-1]))
        elif _is_list_of_parts(value) and (
            key in _LISTS_OF_PARTS
            or (len(value) == 1 and (level == 0 or key in _WRAPPERS))
            or (level == 0 and all(map(_has_text, value)))
        ):
            waiting.extend((level + 1, key, each) for each in value)


def _ends_with_tool_result(messages: Any) -> bool:
    """Whether messages are what a node of tools adds to a conversation (LangGraph's ToolNode)."""
    if not (isinstance(messages, list) and messages and isinstance(messages[-1], dict)):
        return False
    return "tool" in (messages[-1].get("type"), messages[-1].get("role"))


def _is_list_of_parts(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= MOST_PARTS


def _has_text(value: Any) -> bool:
    """Whether it may be a part of a reply or of a tool's result; records of data have none."""
    return not isinstance(value, dict) or not _TEXTS_OF_PARTS.isdisjoint(value)
