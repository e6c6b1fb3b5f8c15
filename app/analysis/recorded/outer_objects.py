"""The objects that describe a whole result, without those that are its content."""

from collections.abc import Iterator
from typing import Any

from app.analysis.recorded.object_text import read_object_text
from app.analysis.recorded.spellings import key_set, plain_members

_WRAPPERS = key_set(
    "result response output outputs data body content structured_content return_value value results"
    " tool_result tool_response tool_output function_response message payload json text parts"
    " choices meta trace observation content_blocks main tool_call_result"
)
"""Keys that tools, MCP and SDKs put around the outcome of a call; below others lies content."""
_HOLD_MESSAGES = frozenset(["messages", "kwargs", "toolmessages"])
_ABOUT_PAGES = key_set("metadata crawl page_info page_metadata")
_CODES_OF_PAGES = key_set("status_code http_status_code http_status")
_FACTS_OF_PAGES = _CODES_OF_PAGES | key_set("error page_error status_text error_message")
"""What Firecrawl, Apify, Hyperbrowser and others keep of the site's answer beside a page's text."""
_LISTS_OF_PARTS = key_set("content choices parts outputs output")
_TEXTS_OF_PARTS = frozenset(["text", "content", "type"])
MOST_PARTS = 16  # parts of an answer; a longer list holds records
_LEVELS = 5  # wrappers around an outcome: the SDK's, the framework's, MCP's, the tool's, its API's

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
                elif name in _HOLD_MESSAGES and (message := _find_tool_result(value, inner)):
                    waiting.append((level + 1, name, message))
                elif name in _ABOUT_PAGES and (facts := _read_failed_page(held)):
                    yield facts
        elif _is_list_of_parts(value) and (
            key in _LISTS_OF_PARTS
            or (len(value) == 1 and (level == 0 or key in _WRAPPERS))
            or (level == 0 and all(map(_has_text, value)))
        ):
            # A list of one part, and one in a list (n8n's items), wraps nothing of its own.
            waiting.extend((level + (len(value) > 1), key, each) for each in value)


def _find_tool_result(holder: dict[str, Any], held: Any) -> dict[str, Any] | None:
    """The result of a tool that is the whole output, or the last of the messages that a node of
    tools adds to a conversation (LangGraph's ToolNode)."""
    if isinstance(held, list):
        holder = held[-1] if held and isinstance(held[-1], dict) else {}
    return _open_tool_result(holder)


def _open_tool_result(message: dict[str, Any]) -> dict[str, Any] | None:
    """A message that holds a tool's result, without the constructor in which LangChain writes its
    class and members; None for other objects."""
    way, members = message.get("id"), message.get("kwargs")
    if isinstance(members, dict) and isinstance(way, list) and way:
        return members if str(way[-1]).startswith("ToolMessage") else None
    return message if "tool" in (message.get("type"), message.get("role")) else None


def _read_failed_page(facts: Any) -> Members | None:
    """The facts of a page beside its text, where they say that a site answered with an error: the
    service that read it has a status of its own."""
    if not isinstance(facts, dict):
        return None
    kept = [(key, inner) for key, inner in plain_members(facts) if key in _FACTS_OF_PAGES]
    failed = any(key in _CODES_OF_PAGES and str(inner)[:1] in "45" for key, inner in kept)
    return kept if failed else None


def _is_list_of_parts(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= MOST_PARTS


def _has_text(value: Any) -> bool:
    """Whether it may be a part of a reply or of a tool's result; records of data have none."""
    return not isinstance(value, dict) or not _TEXTS_OF_PARTS.isdisjoint(value)
