"""Messages and tools -> the body of a request to the chat proxy, with native tool calls.

The form is OpenAI's chat completions. `text_tools.TextTools` stands beside it for providers whose
tools the proxy drops. `ProxyModel` builds its requests by either, and reads replies with a
`ReplyTextReader` or a `TextReplyReader`.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from app.chat.frames import parse_json_object
from app.messages import Assistant, Message, System, ToolCall, ToolResult, ToolSpec, User

# The proxy routes OpenAI's, Anthropic's and Gemini's models by their bare names; a name with a
# slash would mean OpenRouter's model of that vendor.
_STRIPPED_PREFIXES = ("openai/", "anthropic/", "gemini/")
_EMPTY_RESULT = "(empty)"
_OTHER_CHARACTERS = re.compile(r"[^A-Za-z0-9_-]")
_NAME_CHARACTERS = 64
"""The most that OpenAI accepts."""
_NO_NAME = "unknown"


def build_native_request(messages: Sequence[Message], tools: Sequence[ToolSpec]) -> dict[str, Any]:
    """The `messages` and, where there are any, `tools` members of a request: system, user,
    assistant and tool messages, tools as functions."""
    request: dict[str, Any] = {"messages": list(_write_messages(messages))}
    if tools:
        request["tools"] = [_write_tool(tool) for tool in tools]
    return request


def remove_provider_prefix(name: str) -> str:
    """The model's name as the proxy routes it: `openai/gpt-4.1` -> `gpt-4.1`."""
    for prefix in _STRIPPED_PREFIXES:
        if name.startswith(prefix) and len(name) > len(prefix):
            return name.removeprefix(prefix)
    return name


def _write_messages(messages: Sequence[Message]) -> Iterator[dict[str, Any]]:
    for message in messages:
        match message:
            case System(text):
                yield {"role": "system", "content": text}
            case User(text):
                yield {"role": "user", "content": text}
            case Assistant(text, calls) if text or calls:
                yield _write_assistant(text, calls)
            case Assistant():
                pass  # an assistant message with neither is refused by every provider
            case ToolResult(call, text):
                # The proxy leaves out empty members, and a tool message needs its content.
                content = text or _EMPTY_RESULT
                yield {"role": "tool", "tool_call_id": _choose_call_id(call), "content": content}


def _write_assistant(text: str, calls: Sequence[ToolCall]) -> dict[str, Any]:
    # Several providers refuse a blank text beside calls; null is the documented form.
    message: dict[str, Any] = {"role": "assistant", "content": text or None}
    if calls:
        message["tool_calls"] = [
            {
                "id": _choose_call_id(call),
                "type": "function",
                "function": {
                    "name": _clean_name(call.name),
                    "arguments": repair_arguments(call.arguments),
                },
            }
            for call in calls
        ]
    return message


def _clean_name(name: str) -> str:
    """A name that providers accept in the history, also that of a call that was refused."""
    return _OTHER_CHARACTERS.sub("_", name[:_NAME_CHARACTERS]) or _NO_NAME


def _choose_call_id(call: ToolCall) -> str:
    return call.provider_id or call.id


def repair_arguments(arguments: str) -> str:
    """Arguments that a server can parse: several refuse the whole request over a broken one."""
    if not arguments.strip():
        return "{}"
    if parse_json_object(arguments) is not None:
        return arguments
    return json.dumps({"not_json": arguments}, ensure_ascii=False)


def _write_tool(tool: ToolSpec) -> dict[str, Any]:
    parameters = dict(tool.parameters) or {"type": "object", "properties": {}}
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": parameters},
    }
