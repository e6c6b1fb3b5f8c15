"""How providers and frameworks record the same exchange: a question, and a text or a tool call.

Each spelling gives the fields of a model call's span as Opik holds them: from the SDK's
integrations, or from OpenTelemetry attributes after its ingestion (texts that are JSON are opened,
`gen_ai.usage.*` becomes usage, unknown attributes land in the input).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]
Finish = Literal["stop", "tool", "length", "filter"]


@dataclass(frozen=True)
class Exchange:
    """What is to be recorded; `call` is the name of a tool with its arguments."""

    question: str
    text: str
    finish: Finish
    call: tuple[str, Json] | None = None

    def pick(self, stop: str, tool: str, length: str, filtered: str) -> str:
        """The provider's word for the finish reason."""
        return {"stop": stop, "tool": tool, "length": length, "filter": filtered}[self.finish]

    @property
    def chat_messages(self) -> list[Json]:
        return [{"role": "user", "content": self.question}]

    @property
    def call_name(self) -> str:
        return self.call[0] if self.call else ""

    @property
    def call_arguments(self) -> Json:
        return self.call[1] if self.call else {}

    @property
    def call_json(self) -> str:
        return json.dumps(self.call_arguments, ensure_ascii=False)


def _openai_chat(said: Exchange) -> Json:
    message: Json = {"role": "assistant", "content": said.text or None, "refusal": None}
    if said.call:
        function = {"name": said.call_name, "arguments": said.call_json}
        message["tool_calls"] = [{"id": "call_7", "type": "function", "function": function}]
    finish = said.pick("stop", "tool_calls", "length", "content_filter")
    return {
        "input": {"messages": said.chat_messages},
        "output": {"choices": [{"index": 0, "message": message, "finish_reason": finish}]},
        "metadata": {"created_from": "openai", "type": "openai_chat"},
    }


def _openai_responses(said: Exchange) -> Json:
    items: list[Json] = [{"type": "reasoning", "id": "rs_1", "summary": []}]
    if said.text:
        content = [{"type": "output_text", "text": said.text, "annotations": []}]
        items.append({"type": "message", "role": "assistant", "content": content})
    if said.call:
        called = {"call_id": "call_7", "name": said.call_name, "arguments": said.call_json}
        items.append({"type": "function_call", "status": "completed", **called})
    reason = said.pick("", "", "max_output_tokens", "content_filter")
    return {
        "input": {"input": said.chat_messages, "instructions": "Answer in one sentence."},
        "output": {
            "object": "response",
            "status": "incomplete" if reason else "completed",
            "incomplete_details": {"reason": reason} if reason else None,
            "output": items,
        },
        "metadata": {"created_from": "openai", "type": "openai_responses"},
    }


def _anthropic(said: Exchange) -> Json:
    blocks: list[Json] = [{"type": "text", "text": said.text}] if said.text else []
    if said.call:
        used = {"name": said.call_name, "input": said.call_arguments}
        blocks.append({"type": "tool_use", "id": "toolu_7", **used})
    return {
        "input": {"messages": said.chat_messages, "system": "You sell ferry tickets."},
        "output": {"role": "assistant", "type": "message", "content": blocks},
        "metadata": {
            "created_from": "anthropic",
            "stop_reason": said.pick("end_turn", "tool_use", "max_tokens", "refusal"),
        },
        "model": "claude-sonnet-4-5",
        "provider": "anthropic",
    }


def _gemini(said: Exchange) -> Json:
    parts: list[Json] = [{"text": said.text}] if said.text else []
    if said.call:
        parts.append({"functionCall": {"name": said.call_name, "args": said.call_arguments}})
    candidate = {
        "content": {"role": "model", "parts": parts},
        "finishReason": said.pick("STOP", "STOP", "MAX_TOKENS", "SAFETY"),
        "index": 0,
    }
    return {
        "input": {"contents": [{"role": "user", "parts": [{"text": said.question}]}]},
        "output": {"candidates": [candidate], "modelVersion": "gemini-2.5-flash"},
        "model": "gemini-2.5-flash",
        "provider": "google_ai",
    }


def _google_adk(said: Exchange) -> Json:
    parts: list[Json] = [{"text": said.text}] if said.text else []
    if said.call:
        called = {"id": "adk-7", "name": said.call_name, "args": said.call_arguments}
        parts.append({"function_call": called})
    return {
        "input": {"contents": [{"role": "user", "parts": [{"text": said.question}]}]},
        "output": {
            "content": {"role": "model", "parts": parts},
            "finish_reason": said.pick("STOP", "STOP", "MAX_TOKENS", "PROHIBITED_CONTENT"),
            "partial": False,
        },
        "metadata": {"created_from": "google-adk"},
        "model": "gemini-2.5-pro",
        "provider": "google_vertexai",
    }


def _bedrock(said: Exchange) -> Json:
    blocks: list[Json] = [{"text": said.text}] if said.text else []
    if said.call:
        used = {"toolUseId": "tu-7", "name": said.call_name, "input": said.call_arguments}
        blocks.append({"toolUse": used})
    return {
        "input": {"messages": [{"role": "user", "content": [{"text": said.question}]}]},
        "output": {
            "output": {"message": {"role": "assistant", "content": blocks}},
            "stopReason": said.pick("end_turn", "tool_use", "max_tokens", "guardrail_intervened"),
        },
        "model": "eu.amazon.nova-pro-v1:0",
        "provider": "bedrock",
    }


def _vercel(said: Exchange) -> Json:
    output: Json = {"finishReason": said.pick("stop", "tool-calls", "length", "content-filter")}
    output["text"] = said.text
    if said.call:
        used = {"toolCallId": "c7", "toolName": said.call_name, "args": said.call_json}
        output["toolCalls"] = [{"toolCallType": "function", **used}]
    content = [{"type": "text", "text": said.question}]
    return {
        "input": {"messages": [{"role": "user", "content": content}]},
        "output": output,
        "metadata": {"model": "gpt-4.1-mini"},
    }


def _vercel_content_parts(said: Exchange) -> Json:
    parts: list[Json] = [{"type": "text", "text": said.text}] if said.text else []
    if said.call:
        used = {"toolCallId": "c7", "toolName": said.call_name, "input": said.call_arguments}
        parts.append({"type": "tool-call", **used})
    finish = said.pick("stop", "tool-calls", "length", "content-filter")
    return {
        "input": {"prompt": said.question},
        "output": {"content": parts, "finishReason": finish},
        "metadata": {"ai.operationId": "ai.streamText.doStream"},
    }


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


def _langchain(said: Exchange) -> Json:
    tool_calls = []
    if said.call:
        tool_calls.append({"name": said.call_name, "args": said.call_arguments, "id": "call_7"})
    finish = said.pick("stop", "tool_calls", "length", "content_filter")
    message = {
        "lc": 1,
        "type": "constructor",
        "id": ["langchain", "schema", "messages", "AIMessage"],
        "kwargs": {
            "content": said.text,
            "type": "ai",
            "additional_kwargs": {"refusal": None},
            "response_metadata": {"finish_reason": finish, "logprobs": None},
            "tool_calls": tool_calls,
            "invalid_tool_calls": [],
        },
    }
    generation = {"text": said.text, "generation_info": None, "message": message}
    asked = {"content": said.question, "type": "human", "additional_kwargs": {}}
    return {
        "input": {"messages": [[asked]]},
        "output": {"generations": [[generation]], "llm_output": None, "type": "LLMResult"},
        "metadata": {"created_from": "langchain", "ls_model_type": "chat"},
    }


def _langgraph_state(said: Exchange) -> Json:
    tool_calls = []
    if said.call:
        tool_calls.append({"name": said.call_name, "args": said.call_arguments, "id": "call_7"})
    stop = said.pick("end_turn", "tool_use", "max_tokens", "refusal")
    message = {
        "content": said.text,
        "type": "ai",
        "response_metadata": {"stop_reason": stop},
        "tool_calls": tool_calls,
        "invalid_tool_calls": [],
    }
    return {
        "input": {"messages": [{"content": said.question, "type": "human"}]},
        "output": {"messages": [message]},
        "metadata": {"created_from": "langchain", "langgraph_node": "agent"},
    }


def _llama_index(said: Exchange) -> Json:
    blocks: list[Json] = [{"block_type": "text", "text": said.text}] if said.text else []
    if said.call:
        used = {"tool_name": said.call_name, "tool_kwargs": said.call_arguments}
        blocks.append({"block_type": "tool_call", "tool_call_id": "c7", **used})
    finish = said.pick("stop", "tool_calls", "length", "content_filter")
    return {
        "input": {"messages": [{"role": "user", "blocks": [{"text": said.question}]}]},
        "output": {
            "message": {"role": "assistant", "additional_kwargs": {}, "blocks": blocks},
            "raw": {"choices": [{"index": 0, "finish_reason": finish}]},
            "delta": None,
        },
        "metadata": {"created_from": "llama_index"},
    }


def _ollama(said: Exchange) -> Json:
    message: Json = {"role": "assistant", "content": said.text}
    if said.call:
        function = {"name": said.call_name, "arguments": said.call_arguments}
        message["tool_calls"] = [{"function": function}]
    done = said.pick("stop", "stop", "length", "content_filter")
    return {
        "input": {"messages": said.chat_messages},
        "output": {"message": message, "done": True, "done_reason": done},
        "model": "qwen3:8b",
        "provider": "ollama",
    }


def _cohere(said: Exchange) -> Json:
    message: Json = {"role": "assistant", "content": []}
    if said.text:
        message["content"] = [{"type": "text", "text": said.text}]
    if said.call:
        function = {"name": said.call_name, "arguments": said.call_json}
        message["tool_calls"] = [{"id": "c7", "type": "function", "function": function}]
    finish = said.pick("COMPLETE", "TOOL_CALL", "MAX_TOKENS", "ERROR_TOXIC")
    return {
        "input": {"messages": said.chat_messages},
        "output": {"message": message, "finish_reason": finish},
        "model": "command-a-03-2025",
        "provider": "cohere",
    }


def _pydantic_ai(said: Exchange) -> Json:
    parts: list[Json] = [{"part_kind": "text", "content": said.text}] if said.text else []
    if said.call:
        used = {"tool_name": said.call_name, "args": said.call_arguments}
        parts.append({"part_kind": "tool-call", "tool_call_id": "c7", **used})
    finish = said.pick("stop", "tool_call", "length", "content_filter")
    return {
        "input": {"messages": [{"kind": "request", "parts": [{"content": said.question}]}]},
        "output": {"kind": "response", "parts": parts, "finish_reason": finish},
    }


def _haystack(said: Exchange) -> Json:
    content: list[Json] = [{"text": said.text}] if said.text else []
    if said.call:
        used = {"tool_name": said.call_name, "arguments": said.call_arguments, "id": "c7"}
        content.append({"tool_call": used})
    finish = said.pick("stop", "tool_calls", "length", "content_filter")
    reply = {"role": "assistant", "content": content, "meta": {"finish_reason": finish}}
    return {"input": {"messages": said.chat_messages}, "output": {"replies": [reply]}}


SPELLINGS: dict[str, Callable[[Exchange], Json]] = {
    "openai_chat": _openai_chat,
    "openai_responses": _openai_responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "google_adk": _google_adk,
    "bedrock": _bedrock,
    "vercel": _vercel,
    "vercel_content_parts": _vercel_content_parts,
    "vercel_attributes": _vercel_attributes,
    "otel_messages": _otel_messages,
    "otel_numbered": _otel_numbered,
    "otel_events": _otel_events,
    "openinference": _openinference,
    "langchain": _langchain,
    "langgraph_state": _langgraph_state,
    "llama_index": _llama_index,
    "ollama": _ollama,
    "cohere": _cohere,
    "pydantic_ai": _pydantic_ai,
    "haystack": _haystack,
}
"""The fields of a model call's span, by provider or framework."""
