"""The result of a tool inside the messages that frameworks make of it."""

from typing import Any

from app.analysis.recorded.spellings import RESULT_WRAPPERS, plain_key

_LEVELS = 4  # an SDK's wrapper, a message, its serialised form, a list of parts
_MESSAGE_MARKS = frozenset(["tool_call_id", "raw_output", "toolCallId", "toolUseId", "tool_use_id"])
"""Keys of a result as a message: LangChain's ToolMessage, LlamaIndex's ToolOutput, messages of
OpenAI and the Vercel AI SDK, blocks of Bedrock and Anthropic."""
_PART_KEYS = frozenset(["type", "text", "annotations", "meta", "_meta"])
_HELD_UNDER = ("content", "output", "result")


def find_result(value: Any) -> Any:
    """What lies in the envelopes of a tool's result; the value itself where there is none."""
    inner = found = _open_part(value)
    for _ in range(_LEVELS):
        if not isinstance(inner, dict):
            break
        if "kwargs" in inner and "output" in inner:  # OpenLLMetry, of a tool of LangChain
            inner = {"output": inner["output"]}
        if not _MESSAGE_MARKS.isdisjoint(inner):
            key = next((key for key in _HELD_UNDER if key in inner), None)
            if key is None:
                break
            inner = found = _open_part(inner[key])
        elif isinstance(inner.get("kwargs"), dict) and inner.get("type") == "constructor":
            inner = inner["kwargs"]
        elif len(inner) == 1 and plain_key(next(iter(inner))) in RESULT_WRAPPERS:
            (inner,) = inner.values()
        elif len(inner) == 1 and isinstance(inner.get("toolResult"), dict):  # Bedrock's block
            inner = inner["toolResult"]
        else:
            break
    return found


def _open_part(value: Any) -> Any:
    """The content of a list with one part, as MCP, Anthropic and Bedrock have it."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        part = value[0]
        if part.keys() == {"json"}:
            return part["json"]
        return part["text"] if "text" in part and _PART_KEYS.issuperset(part) else value
    return value
