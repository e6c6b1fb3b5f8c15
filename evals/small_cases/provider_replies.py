"""How providers and frameworks record an exchange with a model.

Each spelling gives the fields of a model call's span as the integrations of Opik's SDKs send them.
"""

from collections.abc import Callable

from evals.small_cases.exchange import Exchange, Json


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


def _openai_agents(said: Exchange) -> Json:
    items: list[Json] = []
    if said.text:
        content = [{"type": "output_text", "text": said.text, "annotations": []}]
        items.append({"type": "message", "role": "assistant", "content": content})
    if said.call:
        called = {"call_id": "call_7", "name": said.call_name, "arguments": said.call_json}
        items.append({"type": "function_call", "status": "completed", **called})
    reason = said.pick("", "", "max_output_tokens", "content_filter")
    return {
        "input": {"input": said.chat_messages},
        "output": {"output": items},
        "metadata": {
            "object": "response",
            "status": "incomplete" if reason else "completed",
            "incomplete_details": {"reason": reason} if reason else None,
            "error": None,
        },
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
        "output": {"output": {"message": {"role": "assistant", "content": blocks}}},
        "metadata": {
            "created_from": "bedrock",
            "stopReason": said.pick("end_turn", "tool_use", "max_tokens", "guardrail_intervened"),
        },
        "model": "eu.amazon.nova-pro-v1:0",
        "provider": "bedrock",
    }


def _bedrock_stream(said: Exchange) -> Json:
    blocks: list[tuple[Json, list[Json]]] = []
    if said.text:
        blocks.append(({}, [{"text": said.text[:9]}, {"text": said.text[9:]}]))
    if said.call:
        begun = {"toolUse": {"toolUseId": "tu-7", "name": said.call_name}}
        blocks.append((begun, [{"toolUse": {"input": said.call_json}}]))
    events: list[Json] = [{"messageStart": {"role": "assistant"}}]
    for number, (begun, deltas) in enumerate(blocks):
        place = {"contentBlockIndex": number}
        events += [{"contentBlockStart": {"start": begun, **place}}] if begun else []
        events += [{"contentBlockDelta": {"delta": delta, **place}} for delta in deltas]
        events.append({"contentBlockStop": place})
    stop = said.pick("end_turn", "tool_use", "max_tokens", "guardrail_intervened")
    return {
        "input": {"messages": [{"role": "user", "content": [{"text": said.question}]}]},
        "output": {"output": [*events, {"messageStop": {"stopReason": stop}}]},
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
    unified = said.pick("stop", "tool-calls", "length", "content-filter")
    raw = said.pick("STOP", "STOP", "MAX_TOKENS", "SAFETY")
    return {
        "input": {"prompt": said.question},
        "output": {"content": parts, "finishReason": {"unified": unified, "raw": raw}},
        "metadata": {"ai.operationId": "ai.streamText.doStream"},
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
    message: Json = {"role": "assistant", "blocks": [{"block_type": "text", "text": said.text}]}
    if said.call:
        function = {"name": said.call_name, "arguments": said.call_json}
        message["tool_calls"] = [{"id": "call_7", "type": "function", "function": function}]
    asked = {"role": "user", "blocks": [{"block_type": "text", "text": said.question}]}
    return {
        "input": {"messages": [asked]},
        "output": {"output": message},
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


PROVIDER_SPELLINGS: dict[str, Callable[[Exchange], Json]] = {
    "openai_chat": _openai_chat,
    "openai_responses": _openai_responses,
    "openai_agents": _openai_agents,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "google_adk": _google_adk,
    "bedrock": _bedrock,
    "bedrock_stream": _bedrock_stream,
    "vercel": _vercel,
    "vercel_content_parts": _vercel_content_parts,
    "langchain": _langchain,
    "langgraph_state": _langgraph_state,
    "llama_index": _llama_index,
    "ollama": _ollama,
    "cohere": _cohere,
    "pydantic_ai": _pydantic_ai,
    "haystack": _haystack,
}
"""The fields of a model call's span, by provider or framework."""

WITHOUT_FINISH = frozenset({"llama_index"})
"""Spellings that do not record why a reply ended."""
