"""How OpenTelemetry attributes of a model call are stored.

Opik's ingestion opens texts that are JSON, makes `gen_ai.usage.*` usage, keeps events in the
metadata, and puts attributes that it does not know into the input.
"""

from collections.abc import Callable

from evals.small_cases.exchange import Exchange, Json


def _vercel_attributes(said: Exchange) -> Json:
    output: Json = {"ai.response.text": said.text}
    if said.call:
        used = {"toolCallId": "c7", "toolName": said.call_name, "input": said.call_json}
        output["ai.response.toolCalls"] = [used]
    finish = said.pick("stop", "tool-calls", "length", "content-filter")
    return {
        "input": {"ai.prompt.messages": said.chat_messages},
        "output": output,
        "metadata": {
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.response.finishReason": finish,
        },
    }


def _otel_messages(said: Exchange) -> Json:
    parts: list[Json] = [{"type": "reasoning", "content": ""}]
    if said.text:
        parts.append({"type": "text", "content": said.text})
    if said.call:
        called = {"id": "t7", "name": said.call_name, "arguments": said.call_arguments}
        parts.append({"type": "tool_call", **called})
    asked = {"role": "user", "parts": [{"type": "text", "content": said.question}]}
    finish = said.pick("stop", "tool_call", "length", "content_filter")
    return {
        "input": {"gen_ai.input.messages": [asked]},
        "output": {"gen_ai.output.messages": [{"role": "assistant", "parts": parts}]},
        "metadata": {
            "gen_ai.operation.name": "chat",
            "gen_ai.response.finish_reasons": [finish],
        },
    }


def _otel_numbered(said: Exchange) -> Json:
    at = "gen_ai.completion.0"
    output = {f"{at}.role": "assistant", f"{at}.content": said.text}
    if said.call:
        output[f"{at}.tool_calls.0.name"] = said.call_name
        output[f"{at}.tool_calls.0.arguments"] = said.call_json
    finish = said.pick("stop", "tool_calls", "length", "content_filter")
    asked = {"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": said.question}
    return {"input": asked | output | {f"{at}.finish_reason": finish}}


def _otel_events(said: Exchange) -> Json:
    message: Json = {"role": "assistant", "content": said.text or None}
    if said.call:
        function = {"name": said.call_name, "arguments": said.call_json}
        message["tool_calls"] = [{"id": "t7", "type": "function", "function": function}]
    finish = said.pick("stop", "tool_calls", "length", "content_filter")
    events = [
        {"name": "gen_ai.user.message", "attributes": {"content": said.question}},
        {
            "name": "gen_ai.choice",
            "attributes": {"index": 0, "finish_reason": finish, "message": message},
        },
    ]
    return {
        "input": {"gen_ai.request.temperature": 0.2},
        "metadata": {"opentelemetry.events": events},
    }


def _otel_event_content(said: Exchange) -> Json:
    """Semantic Kernel: the attribute of an event, as JSON."""
    message: Json = {"role": "Assistant", "content": said.text or None}
    if said.call:
        function = {"name": said.call_name, "arguments": said.call_arguments}
        message["tool_calls"] = [{"id": "t7", "function": function}]
    finish = said.pick("Stop", "ToolCalls", "Length", "ContentFilter")
    choice = {"index": 0, "finish_reason": finish, "message": message}
    asked = [{"role": "user", "content": said.question}]
    return {
        "input": {"gen_ai.event.content": asked},
        "output": {"gen_ai.event.content": choice},
        "metadata": {"gen_ai.operation.name": "chat.completions"},
    }


def _openinference(said: Exchange) -> Json:
    at = "llm.output_messages.0.message"
    output: Json = {f"{at}.role": "assistant"}
    if said.text or not said.call:
        output |= {f"{at}.content": said.text, "output.value": said.text}
    if said.call:
        called = f"{at}.tool_calls.0.tool_call.function"
        output |= {f"{called}.name": said.call_name, f"{called}.arguments": said.call_json}
    finish = said.pick("stop", "tool_calls", "length", "content_filter")
    asked = "llm.input_messages.0.message"
    return {
        "input": {
            f"{asked}.role": "user",
            f"{asked}.content": said.question,
            "input.value": said.question,
        },
        "output": output,
        "metadata": {"openinference.span.kind": "LLM", "llm.finish_reason": finish},
    }


ATTRIBUTE_SPELLINGS: dict[str, Callable[[Exchange], Json]] = {
    "vercel_attributes": _vercel_attributes,
    "otel_messages": _otel_messages,
    "otel_numbered": _otel_numbered,
    "otel_events": _otel_events,
    "otel_event_content": _otel_event_content,
    "openinference": _openinference,
}
"""The fields of a model call's span, by semantic convention."""
