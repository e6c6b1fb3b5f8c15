"""Requests as each provider, framework and convention records them."""

import json
from typing import Any

from app.analysis.recorded.request import RecordedRequest
from testkit.case_tables import each_case

ASKED = "Where is parcel 7?"
TOOL = {"type": "function", "function": {"name": "track", "parameters": {"type": "object"}}}
PLAIN = [{"role": "system", "content": "Be short."}, {"role": "user", "content": ASKED}]


def event(name: str, **attributes: Any) -> dict[str, Any]:
    return {"name": name, "time_unix_nano": 1, "attributes": attributes}


@each_case(
    "given, metadata",
    [
        (ASKED, None),
        ({"messages": PLAIN}, None),
        (json.dumps({"messages": PLAIN}), None),
        ({"messages": json.dumps(PLAIN)}, None),
        ({"args": {"body": {"messages": PLAIN}}}, None),
        ({"messages": [["system", "Be short."], ["user", ASKED]]}, None),
        ({"messages": [["human", ASKED]]}, None),
        ({"messages": [[["system", "Be short."], ["human", ASKED]]]}, None),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": ASKED}]}]}, None),
        ({"instructions": "Be short.", "input": ASKED}, None),
        (
            {"input": [{"role": "user", "content": [{"type": "input_text", "text": ASKED}]}]},
            None,
        ),
        ({"contents": [{"role": "user", "parts": [{"text": ASKED}]}]}, None),
        ({"contents": ASKED}, None),
        ({"messages": [{"role": "user", "content": [{"text": ASKED}]}], "modelId": "m"}, None),
        ({"prompt": ASKED, "temperature": 0}, None),
        ({"messages": [[{"type": "human", "content": ASKED, "additional_kwargs": {}}]]}, None),
        (
            {
                "messages": [
                    [
                        {
                            "lc": 1,
                            "type": "constructor",
                            "id": ["langchain", "schema", "messages", "HumanMessage"],
                            "kwargs": {"content": ASKED},
                        }
                    ]
                ]
            },
            None,
        ),
        ({"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": ASKED}, None),
        (
            {
                "gen_ai.prompt.0.role": "user",
                "gen_ai.prompt.0.content": ASKED,
                "gen_ai.completion.0.role": "assistant",
                "gen_ai.completion.0.content": "In Graz.",
            },
            None,
        ),
        (
            {
                "gen_ai.input.messages": [
                    {"role": "user", "parts": [{"type": "text", "content": ASKED}]}
                ]
            },
            None,
        ),
        (
            {
                "llm.input_messages.0.message.role": "user",
                "llm.input_messages.0.message.content": ASKED,
            },
            None,
        ),
        (
            {"gen_ai.request.top_p": 1},
            {
                "opentelemetry.events": [
                    event("gen_ai.system.message", content="Be short."),
                    event("gen_ai.user.message", content=ASKED),
                    event("gen_ai.choice", message={"content": "In Graz."}),
                ]
            },
        ),
    ],
)
def test_last_instruction_is_what_the_user_asked_last(given: Any, metadata: Any) -> None:
    assert RecordedRequest(given, metadata).last_instruction == ASKED


@each_case("listed", [[["user", ASKED]], [["system", "Be short."], ["user", ASKED]]])
def test_pair_of_role_and_text_is_one_message(listed: Any) -> None:
    messages = RecordedRequest({"messages": listed}, None).messages
    assert [[each.role, each.text] for each in messages] == listed


def test_list_of_two_texts_is_two_messages() -> None:
    listed = ["user", ASKED]
    messages = RecordedRequest({"messages": listed}, None).messages
    assert [each.text for each in messages] == listed


@each_case(
    "message",
    [
        {"role": "tool", "tool_call_id": "c1", "content": "In Graz."},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "In Graz."}],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "c1",
                    "content": [{"type": "text", "text": "In Graz."}],
                }
            ],
        },
        {
            "role": "user",
            "content": [{"toolResult": {"toolUseId": "c1", "content": [{"text": "In Graz."}]}}],
        },
        {"type": "function_call_output", "call_id": "c1", "output": "In Graz."},
        {
            "role": "user",
            "parts": [{"functionResponse": {"id": "c1", "response": {"result": "In Graz."}}}],
        },
        {
            "role": "tool",
            "parts": [{"type": "tool_call_response", "id": "c1", "response": "In Graz."}],
        },
        {"type": "tool", "content": "In Graz.", "tool_call_id": "c1", "name": "track"},
    ],
)
def test_result_of_a_tool_is_no_instruction_of_the_user(message: Any) -> None:
    request = RecordedRequest({"messages": [*PLAIN, message]}, None)
    last = request.messages[-1]
    assert (last.role, last.text, last.call_id) == ("tool", "In Graz.", "c1")
    assert request.last_instruction == ASKED


def test_calls_of_the_history_are_read() -> None:
    said = {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", **TOOL}]}
    said["tool_calls"][0]["function"] = {"name": "track", "arguments": '{"n": 7}'}
    (message,) = RecordedRequest({"messages": [said]}, None).messages
    assert [(call.name, call.arguments) for call in message.calls] == [("track", {"n": 7})]


def test_message_that_is_json_keeps_its_text() -> None:
    messages = [{"role": "user", "content": '{"city": "Graz"}'}]
    assert RecordedRequest({"messages": messages}, None).last_instruction == '{"city": "Graz"}'


@each_case(
    "given, metadata, tools, hosted",
    [
        ({"tools": [TOOL]}, None, {"track"}, False),
        ({}, {"tools": [TOOL]}, {"track"}, False),
        ({"ai.prompt.tools": [json.dumps({"name": "track"})]}, None, {"track"}, False),
        ({"tools": [{"type": "function", "name": "track"}]}, None, {"track"}, False),
        ({"tools": [{"type": "web_search"}, TOOL]}, None, {"track"}, True),
        ({"tools": [{"name": "track", "input_schema": {}}]}, None, {"track"}, False),
        (
            {"config": {"tools": [{"functionDeclarations": [{"name": "track"}]}]}},
            None,
            {"track"},
            False,
        ),
        ({"toolConfig": {"tools": [{"toolSpec": {"name": "track"}}]}}, None, {"track"}, False),
        ({"functions": [{"name": "track"}]}, None, {"track"}, False),
        ({"tools": {"track": {"description": "d", "inputSchema": {}}}}, None, {"track"}, False),
        (
            {"tools": {"track": {"parameters": {}}, "find": {"type": "provider", "args": {}}}},
            None,
            {"track"},
            True,
        ),
        ({"config": {"tools": [{"googleSearch": {}}]}}, None, set(), True),
        ({"messages": PLAIN}, None, set(), False),
    ],
)
def test_offered_tools_are_named(given: Any, metadata: Any, tools: set[str], hosted: bool) -> None:
    request = RecordedRequest(given, metadata)
    assert (request.tools, request.has_hosted_tools) == (tools, hosted)


@each_case(
    "given, metadata, wants_json",
    [
        ({"response_format": {"type": "json_object"}}, None, True),
        ({}, {"response_format": {"type": "json_schema", "json_schema": {}}}, True),
        ({"text": {"format": {"type": "json_schema", "schema": {}}}}, None, True),
        ({"generationConfig": {"responseMimeType": "application/json"}}, None, True),
        ({"format": "json"}, None, True),
        ({"response_format": {"type": "text"}}, None, False),
        ({"messages": [{"role": "user", "content": "Answer as JSON."}]}, None, False),
    ],
)
def test_json_format_is_read_where_it_was_set(given: Any, metadata: Any, wants_json: bool) -> None:
    assert RecordedRequest(given, metadata).wants_json == wants_json


def test_token_limit_is_read() -> None:
    assert RecordedRequest({"inferenceConfig": {"maxTokens": 50}}, None).token_limit == 50
    assert RecordedRequest({}, {"max_completion_tokens": 70}).token_limit == 70
    asked = RecordedRequest({"max_tokens": 100}, {"ls_max_tokens": 4_096})
    assert (asked.token_limit, asked.settings["max_tokens"]) == (100, 100)
    assert RecordedRequest({"max_tokens": True}, None).token_limit is None
