"""Model calls of SDKs whose attributes Opik's ingestion has no rules for, so that it leaves them,
the reply included, in the input; and of frameworks that record their own classes."""

from collections.abc import Callable

from evals.small_cases.exchange import Exchange, Json


def _openai_message(said: Exchange) -> Json:
    message: Json = {"role": "assistant", "content": said.text or None}
    if said.call:
        function = {"name": said.call_name, "arguments": said.call_json}
        message["tool_calls"] = [{"id": "t7", "type": "function", "function": function}]
    return message


def _pydantic_events(said: Exchange) -> Json:
    asked = {"event.name": "gen_ai.user.message", "role": "user", "content": said.question}
    choice = {"event.name": "gen_ai.choice", "index": 0, "message": _openai_message(said)}
    finish = said.pick("stop", "tool_call", "length", "content_filter")
    return {
        "input": {"events": [asked, choice], "model_request_parameters": {"output_mode": "text"}},
        "metadata": {
            "gen_ai.operation.name": "chat",
            "gen_ai.response.finish_reasons": [finish],
        },
    }


def _logfire(said: Exchange) -> Json:
    return {
        "input": {
            "request_data": {"messages": said.chat_messages, "model": "gpt-4.1-mini"},
            "async": False,
            "response_data": {"message": _openai_message(said)},
        },
        "metadata": {"logfire.msg": "Chat Completion with 'gpt-4.1-mini'"},
    }


def _google_adk(said: Exchange) -> Json:
    part: Json = {"text": said.text}
    if said.call:
        part = {"function_call": {"id": "t7", "name": said.call_name, "args": said.call_arguments}}
    asked = {"role": "user", "parts": [{"text": said.question}]}
    given = {"model": "gemini-2.5-flash", "config": {}, "contents": [asked]}
    returned = {
        "content": {"role": "model", "parts": [part] if part != {"text": ""} else []},
        "finish_reason": said.pick("STOP", "STOP", "MAX_TOKENS", "SAFETY"),
    }
    at = "gcp.vertex.agent"
    return {
        "input": {
            f"{at}.invocation_id": "e-51",
            f"{at}.llm_request": given,
            f"{at}.llm_response": returned,
        },
        "metadata": {"gen_ai.operation.name": "generate_content"},
    }


def _vercel_in_input(said: Exchange) -> Json:
    given: Json = {
        "operation.name": "ai.streamText.doStream",
        "ai.operationId": "ai.streamText.doStream",
        "ai.prompt.messages": said.chat_messages,
        "ai.response.finishReason": said.pick("stop", "tool-calls", "length", "content-filter"),
        "ai.response.text": said.text,
    }
    if said.call:
        used = {"toolCallId": "c7", "toolName": said.call_name, "input": said.call_json}
        given["ai.response.toolCalls"] = [used]
    return {"input": given}


def _genkit(said: Exchange) -> Json:
    part: Json = {"text": said.text}
    if said.call:
        request = {"name": said.call_name, "ref": "0", "input": said.call_arguments}
        part = {"toolRequest": request}
    asked = {"role": "user", "content": [{"text": said.question}]}
    returned = {
        "message": {"role": "model", "content": [part] if part != {"text": ""} else []},
        "finishReason": said.pick("stop", "stop", "length", "blocked"),
    }
    return {
        "input": {
            "genkit:type": "action",
            "genkit:metadata:subtype": "model",
            "genkit:input": {"messages": [asked], "config": {}},
            "genkit:output": returned,
        },
    }


def _langfuse(said: Exchange) -> Json:
    at = "langfuse.observation"
    return {
        "input": {
            f"{at}.type": "generation",
            f"{at}.input": said.chat_messages,
            f"{at}.output": _openai_message(said),
        },
    }


def _livekit(said: Exchange) -> Json:
    asked = {"id": "i1", "type": "message", "role": "user", "content": [said.question]}
    returned: Json = {"lk.response.text": said.text, "lk.response.function_calls": []}
    if said.call:
        used = {"call_id": "t7", "name": said.call_name, "arguments": said.call_json}
        returned["lk.response.function_calls"] = [used]
    return {"input": {"lk.chat_ctx": {"items": [asked]}}, "output": returned}


def _haystack(said: Exchange) -> Json:
    parts: list[Json] = [{"text": said.text}] if said.text else []
    if said.call:
        used = {"tool_name": said.call_name, "arguments": said.call_arguments, "id": "t7"}
        parts.append({"tool_call": used})
    finish = said.pick("stop", "tool_calls", "length", "content_filter")
    asked = {"_role": "user", "_content": [{"text": said.question}], "_name": None, "_meta": {}}
    reply = {
        "_role": "assistant",
        "_content": parts,
        "_name": None,
        "_meta": {"finish_reason": finish},
    }
    return {"input": {"messages": [asked]}, "output": {"replies": [reply]}}


LEFT_SPELLINGS: dict[str, Callable[[Exchange], Json]] = {
    "pydantic_events": _pydantic_events,
    "logfire": _logfire,
    "google_adk": _google_adk,
    "vercel_in_input": _vercel_in_input,
    "genkit": _genkit,
    "langfuse": _langfuse,
    "livekit": _livekit,
    "haystack": _haystack,
}
"""The fields of a model call's span, by SDK."""
LEFT_WITHOUT_FINISH = frozenset(["logfire", "langfuse", "livekit"])
"""SDKs that record no finish reason."""
