"""The result of a tool inside the messages that frameworks make of it."""

from typing import Any

from app.analysis.recorded.spellings import RESULT_WRAPPERS, plain_key

_LEVELS = 4  # an SDK's wrapper, a message, its serialised form, a list of parts
_MESSAGE_MARKS = frozenset(["tool_call_id", "raw_output", "toolCallId", "toolUseId"])
"""Keys of a result as a message: LangChain's ToolMessage, LlamaIndex's ToolOutput, OpenAI's and the
Vercel AI SDK's messages, Bedrock's blocks."""
_ATTRIBUTES = (
    "output.value",
    "gen_ai.tool.call.result",
    "gcp.vertex.agent.tool_response",
    "ai.toolCall.result",
    "traceloop.entity.output",
    "lk.function_tool.output",
)
"""Attributes of OpenTelemetry with a tool's result, beside others: OpenInference, the GenAI
conventions, Google's ADK, the Vercel AI SDK, OpenLLMetry and LiveKit."""
_HELD_UNDER = ("content", "output", "result")


def find_result(value: Any) -> Any:
    """What lies in the envelopes of a tool's result; the value itself where there is none."""
    inner, found = value, value
    for _ in range(_LEVELS):
        if not isinstance(inner, dict):
            break
        if not _MESSAGE_MARKS.isdisjoint(inner):
            key = next((key for key in _HELD_UNDER if key in inner), None)
            if key is None:
                break
            inner = found = _open_part(inner[key])
        elif (attribute := next((key for key in _ATTRIBUTES if key in inner), None)) is not None:
            inner = found = inner[attribute]
        elif isinstance(inner.get("kwargs"), dict) and inner.get("type") == "constructor":
            inner = inner["kwargs"]
        elif len(inner) == 1 and plain_key(next(iter(inner))) in RESULT_WRAPPERS:
            (inner,) = inner.values()
        else:
            break
    return found


def _open_part(value: Any) -> Any:
    """The text of a list with one part of text, as MCP and Anthropic have it."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        return value[0].get("text", value)
    return value
