"""A conversation with a tool, as each integration of Opik and each convention stores it."""

import json
from typing import Any

from app.analysis.recorded.request import RecordedRequest
from testkit.case_tables import each_case

ASKED = "Where is parcel 7?"
SYSTEM = "Be short."
ARGUMENTS = {"n": 7}
RESULT = {"city": "Graz", "n": 7}
RESULT_JSON = json.dumps(RESULT)
OPENAI_CALL = {
    "id": "c1",
    "type": "function",
    "function": {"name": "track", "arguments": json.dumps(ARGUMENTS)},
}
OPENAI_CHAT = [
    {"role": "user", "content": ASKED},
    {"role": "assistant", "content": None, "tool_calls": [OPENAI_CALL]},
    {"role": "tool", "tool_call_id": "c1", "content": RESULT_JSON},
]


def gemini(call: str, response: str) -> list[dict[str, Any]]:
    called = {call: {"id": "c1", "name": "track", "args": ARGUMENTS}}
    answered = {response: {"id": "c1", "name": "track", "response": RESULT}}
    return [
        {"role": "user", "parts": [{"text": ASKED}]},
        {"role": "model", "parts": [called]},
        {"role": "user", "parts": [answered]},
    ]


def otel(key: str, result: Any) -> list[dict[str, Any]]:
    called = {"type": "tool_call", "id": "c1", "name": "track", "arguments": ARGUMENTS}
    answered = {"type": "tool_call_response", "id": "c1", key: result}
    return [
        {"role": "user", "parts": [{"type": "text", "content": ASKED}]},
        {"role": "assistant", "parts": [called]},
        {"role": "tool", "parts": [answered]},
    ]


def anthropic(result: Any, *more: dict[str, Any]) -> list[dict[str, Any]]:
    called = {"type": "tool_use", "id": "c1", "name": "track", "input": ARGUMENTS}
    answered = {"type": "tool_result", "tool_use_id": "c1", "content": result}
    return [
        {"role": "user", "content": ASKED},
        {"role": "assistant", "content": [{"type": "text", "text": "I look."}, called]},
        {"role": "user", "content": [answered, *more]},
    ]


def bedrock(result: Any) -> list[dict[str, Any]]:
    called = {"toolUse": {"toolUseId": "c1", "name": "track", "input": ARGUMENTS}}
    answered = {"toolResult": {"toolUseId": "c1", "status": "success", "content": [result]}}
    return [
        {"role": "user", "content": [{"text": ASKED}]},
        {"role": "assistant", "content": [called]},
        {"role": "user", "content": [answered]},
    ]


def vercel(given: str, answered: dict[str, Any]) -> list[dict[str, Any]]:
    named = {"toolCallId": "c1", "toolName": "track"}
    return [
        {"role": "user", "content": [{"type": "text", "text": ASKED}]},
        {"role": "assistant", "content": [{"type": "tool-call", **named, given: ARGUMENTS}]},
        {"role": "tool", "content": [{"type": "tool-result", **named, **answered}]},
    ]


def haystack(prefix: str) -> list[dict[str, Any]]:
    called = {"tool_name": "track", "arguments": ARGUMENTS, "id": "c1"}
    answered = {"result": RESULT_JSON, "origin": called, "error": False}
    parts: list[tuple[str, dict[str, Any]]] = [
        ("user", {"text": ASKED}),
        ("assistant", {"tool_call": called}),
        ("tool", {"tool_call_result": answered}),
    ]
    return [
        {f"{prefix}role": role, f"{prefix}content": [part], f"{prefix}meta": {}}
        for role, part in parts
    ]


def listed_events(*more: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"event.name": "gen_ai.user.message", "role": "user", "content": ASKED},
        {
            "event.name": "gen_ai.assistant.message",
            "role": "assistant",
            "tool_calls": [OPENAI_CALL],
        },
        {"event.name": "gen_ai.tool.message", "role": "tool", "id": "c1", "content": RESULT},
        *more,
    ]


def span_event(name: str, **attributes: Any) -> dict[str, Any]:
    return {"name": f"gen_ai.{name}", "time_unix_nano": 1, "attributes": attributes}


def span_events(asked: Any, called: dict[str, Any], answered: dict[str, Any]) -> dict[str, Any]:
    events = [
        span_event("user.message", content=asked),
        span_event("assistant.message", **called),
        span_event("tool.message", **answered),
    ]
    return {"opentelemetry.events": events}


def genkit() -> dict[str, Any]:
    called = {"toolRequest": {"name": "track", "ref": "c1", "input": ARGUMENTS}}
    answered = {"toolResponse": {"name": "track", "ref": "c1", "output": RESULT}}
    messages = [
        {"role": "user", "content": [{"text": ASKED}]},
        {"role": "model", "content": [called]},
        {"role": "tool", "content": [answered]},
    ]
    return {"genkit:name": "m", "genkit:input": {"messages": messages}, "genkit:output": {}}


OPENINFERENCE = {
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.content": ASKED,
    "llm.input_messages.1.message.role": "assistant",
    "llm.input_messages.1.message.tool_calls.0.tool_call.id": "c1",
    "llm.input_messages.1.message.tool_calls.0.tool_call.function.name": "track",
    "llm.input_messages.1.message.tool_calls.0.tool_call.function.arguments": json.dumps(ARGUMENTS),
    "llm.input_messages.2.message.role": "tool",
    "llm.input_messages.2.message.tool_call_id": "c1",
    "llm.input_messages.2.message.content": RESULT_JSON,
}
DOTTED = [
    {"message.role": "user", "message.content": ASKED},
    {
        "message.role": "assistant",
        "message.tool_calls": [
            {
                "tool_call.id": "c1",
                "tool_call.function.name": "track",
                "tool_call.function.arguments": json.dumps(ARGUMENTS),
            }
        ],
    },
    {"message.role": "tool", "message.tool_call_id": "c1", "message.content": RESULT_JSON},
]
LIVEKIT = [
    {"id": "i1", "type": "message", "role": "user", "content": [ASKED], "interrupted": False},
    {
        "id": "i2",
        "type": "function_call",
        "call_id": "c1",
        "name": "track",
        "arguments": '{"n": 7}',
    },
    {"id": "i3", "type": "function_call_output", "call_id": "c1", "output": RESULT_JSON},
]
LLAMA_INDEX = [
    {"role": "user", "blocks": [{"block_type": "text", "text": ASKED}]},
    {"role": "assistant", "blocks": [], "additional_kwargs": {"tool_calls": [OPENAI_CALL]}},
    {
        "role": "tool",
        "blocks": [{"block_type": "text", "text": RESULT_JSON}],
        "additional_kwargs": {"tool_call_id": "c1", "name": "track"},
    },
]
COHERE = [
    *OPENAI_CHAT[:2],
    {
        "role": "tool",
        "tool_call_id": "c1",
        "content": [{"type": "document", "document": {"data": RESULT_JSON}}],
    },
]
ADK = "gcp.vertex.agent.llm_request"
GOOGLE = {"model": "m", "contents": gemini("function_call", "function_response")}
STRANDS = span_events(
    [{"text": ASKED}],
    {"content": bedrock({"text": RESULT_JSON})[1]["content"]},
    {"content": bedrock({"text": RESULT_JSON})[2]["content"]},
)

CONVERSATIONS: dict[str, tuple[Any, Any]] = {
    "OpenAI": ({"messages": OPENAI_CHAT}, None),
    "OpenTelemetry": ({"gen_ai.input.messages": otel("response", RESULT)}, None),
    "OpenTelemetry, older key": ({"gen_ai.input.messages": otel("result", RESULT_JSON)}, None),
    "Gemini": ({"contents": gemini("functionCall", "functionResponse")}, None),
    "Google ADK": (GOOGLE, None),
    "Google ADK's attribute": ({ADK: GOOGLE}, None),
    "Google ADK's attribute as text": ({ADK: json.dumps(GOOGLE)}, None),
    "Anthropic": ({"messages": anthropic(RESULT_JSON)}, None),
    "Anthropic's blocks": ({"messages": anthropic([{"type": "text", "text": RESULT_JSON}])}, None),
    "Anthropic with a text": (
        {"messages": anthropic(RESULT_JSON, {"type": "text", "text": ASKED})},
        None,
    ),
    "Bedrock": ({"messages": bedrock({"json": RESULT})}, None),
    "Bedrock's invoke": ({"body": json.dumps({"messages": anthropic(RESULT_JSON)})}, None),
    "Vercel, older": ({"ai.prompt.messages": vercel("args", {"result": RESULT})}, None),
    "Vercel": (
        {
            "operation.name": "ai.generateText.doGenerate",
            "ai.prompt.messages": vercel("input", {"output": {"type": "json", "value": RESULT}}),
        },
        None,
    ),
    "Haystack's dataclasses": ({"messages": haystack("_"), "generation_kwargs": None}, None),
    "Haystack": ({"messages": haystack("")}, None),
    "Pydantic AI": ({"events": listed_events()}, None),
    "Pydantic AI as text": ({"events": json.dumps(listed_events())}, None),
    "events of a span": (
        None,
        span_events(
            ASKED, {"tool_calls": [OPENAI_CALL]}, {"id": "c1", "role": "tool", "content": RESULT}
        ),
    ),
    "Strands": (None, STRANDS),
    "an event with details": (
        None,
        {
            "opentelemetry.events": [
                span_event(
                    "client.inference.operation.details",
                    **{"gen_ai.input.messages": otel("response", RESULT)},
                )
            ]
        },
    ),
    "OpenInference": (OPENINFERENCE | {"input.value": ASKED}, None),
    "OpenInference after its value": ({"input.value": ASKED} | OPENINFERENCE, None),
    "OpenInference as lists": ({"llm.input_messages": DOTTED}, None),
    "Logfire": ({"request_data": {"messages": OPENAI_CHAT}, "async": False}, None),
    "LiveKit": ({"lk.chat_ctx": {"items": LIVEKIT}}, None),
    "LlamaIndex": ({"messages": LLAMA_INDEX}, None),
    "Cohere": ({"messages": COHERE}, None),
    "Genkit": (genkit(), None),
    "Langfuse": ({"langfuse.observation.input": OPENAI_CHAT}, None),
    "MLflow": ({"mlflow.spanInputs": {"messages": OPENAI_CHAT}}, None),
    "Braintrust": ({"braintrust.input_json": OPENAI_CHAT}, None),
}


@each_case("name", list(CONVERSATIONS))
def test_conversation_with_a_tool(name: str) -> None:
    messages = RecordedRequest(*CONVERSATIONS[name]).messages
    assert ("user", ASKED) in [(message.role, message.text.strip()) for message in messages]
    calls = [call for message in messages for call in message.calls]
    assert [(call.name, call.arguments) for call in calls] == [("track", ARGUMENTS)]
    (answer,) = [message for message in messages if message.role == "tool"]
    assert "Graz" in answer.text
    assert answer.call_id in ("c1", calls[0].call_id)


def test_results_of_several_calls_are_several_messages() -> None:
    given = anthropic(RESULT_JSON, {"type": "tool_result", "tool_use_id": "c2", "content": "none"})
    answers = [
        (message.call_id, message.text)
        for message in RecordedRequest({"messages": given}, None).messages
        if message.role == "tool"
    ]
    assert answers == [("c1", RESULT_JSON), ("c2", "none")]


@each_case(
    "given, metadata",
    [
        ({"contents": ASKED, "config": {"system_instruction": SYSTEM}}, None),
        ({ADK: GOOGLE | {"config": {"system_instruction": SYSTEM}}}, None),
        ({"input": ASKED}, {"type": "response", "instructions": SYSTEM}),
        ({"system_prompt_preview": SYSTEM, "new_context": ASKED}, None),
        (
            {"lk.chat_ctx": {"items": [{"role": "system", "content": [SYSTEM]}, *LIVEKIT]}},
            None,
        ),
    ],
)
def test_instructions_beside_the_messages(given: Any, metadata: Any) -> None:
    messages = RecordedRequest(given, metadata).messages
    assert [message.text for message in messages if message.role == "system"] == [SYSTEM]


@each_case(
    "given",
    [
        {
            "gen_ai.system": "openai",
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": ASKED,
        },
        {"body": {"inputText": ASKED}},
        {"inputText": ASKED},
        {"message": ASKED, "chat_history": []},
        {"chat_history": [], "input": ASKED},
        {"prompts": [{"text": ASKED}]},
        {"input.value": ASKED, "input.mime_type": "text/plain"},
        {"new_context": ASKED, "model": "m"},
        {"metadata": {"messages": ["not a request"]}, "input": ASKED},
        {"events": [{"title": "Fair", "start": "10:00"}], "prompt": ASKED},
    ],
)
def test_request_of_one_text(given: Any) -> None:
    found = [(message.role, message.text) for message in RecordedRequest(given, None).messages]
    assert found == [("user", ASKED)]


@each_case(
    "given, metadata",
    [
        ({}, {"gen_ai.tool.definitions": [{"type": "function", "name": "track"}]}),
        ({"tools": [{"json_schema": {"function": {"name": "track"}}}]}, None),
        ({"tools": [{"name": "track", "json_schema": {}}]}, None),
        ({"lk.function_tools": ["track"]}, None),
        ({"model_request_parameters": {"function_tools": [{"name": "track"}]}}, None),
        ({ADK: {"config": {"tools": [{"function_declarations": [{"name": "track"}]}]}}}, None),
        ({"llm.request.functions.0.name": "track"}, None),
    ],
)
def test_offered_tools(given: Any, metadata: Any) -> None:
    assert RecordedRequest(given, metadata).tools == {"track"}
