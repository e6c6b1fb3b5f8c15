"""Messages as they go over the wire, in the native dialect."""

import json

import pytest

from app.backend_http import encode_json
from app.chat.native_tools import build_native_request, remove_provider_prefix
from app.messages import Assistant, Message, System, ToolCall, ToolResult, ToolSpec, User

CALL = ToolCall("own-1", "get_span", '{"id":1}', provider_id="theirs-1")


def wire(*messages: Message) -> object:
    return build_native_request(messages, ())["messages"]


def arguments_on_the_wire(arguments: str) -> str:
    request = build_native_request([Assistant("", (ToolCall("a", "f", arguments),))], ())
    sent: str = request["messages"][0]["tool_calls"][0]["function"]["arguments"]
    return sent


def test_a_conversation_with_a_call_is_written_in_native_roles() -> None:
    assert wire(
        System("Be brief."),
        User("Why?"),
        Assistant("Let me look.", (CALL,)),
        ToolResult(CALL, "A span."),
        Assistant("Because."),
    ) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Why?"},
        {
            "role": "assistant",
            "content": "Let me look.",
            "tool_calls": [
                {
                    "id": "theirs-1",
                    "type": "function",
                    "function": {"name": "get_span", "arguments": '{"id":1}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "theirs-1", "content": "A span."},
        {"role": "assistant", "content": "Because."},
    ]


def test_calls_without_a_text_have_null_content() -> None:
    message = build_native_request([Assistant("", (CALL,))], ())["messages"][0]
    assert message["content"] is None


def test_our_own_id_is_sent_where_the_provider_gave_none() -> None:
    call = ToolCall("own-2", "get_span", "{}")
    assistant, result = build_native_request([Assistant("", (call,)), ToolResult(call, "x")], ())[
        "messages"
    ]
    assert assistant["tool_calls"][0]["id"] == result["tool_call_id"] == "own-2"


def test_an_assistant_message_with_neither_text_nor_calls_is_left_out() -> None:
    assert wire(Assistant(""), User("Why?")) == [{"role": "user", "content": "Why?"}]


def test_an_empty_tool_result_still_has_content() -> None:
    assert wire(ToolResult(CALL, "")) == [
        {"role": "tool", "tool_call_id": "theirs-1", "content": "(empty)"}
    ]


@pytest.mark.parametrize("arguments", ["", "  \n"])
def test_blank_arguments_are_sent_as_an_empty_object(arguments: str) -> None:
    assert arguments_on_the_wire(arguments) == "{}"


@pytest.mark.parametrize("arguments", ['{"id":1', "[1]", "null", "é"])
def test_broken_arguments_are_sent_as_an_object_that_quotes_them(arguments: str) -> None:
    assert json.loads(arguments_on_the_wire(arguments)) == {"not_json": arguments}


def test_tools_are_functions_and_are_left_out_when_there_are_none() -> None:
    tools = (ToolSpec("look", "Looks.", {"type": "object"}), ToolSpec("wait", "Waits."))
    assert build_native_request((), tools)["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "look",
                "description": "Looks.",
                "parameters": {"type": "object"},
            },
        },
        {
            "type": "function",
            "function": {
                "name": "wait",
                "description": "Waits.",
                "parameters": {"type": "object", "properties": {}},
            },
        },
    ]
    assert "tools" not in build_native_request((), ())


def test_halves_of_characters_are_encoded_without_an_error() -> None:
    body = encode_json({"text": "a\ud83d\ude00b\ud83dc\udc00 é"})
    assert body == '{"text":"a😀b\ufffdc\ufffd é"}'.encode()


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("openai/gpt-4.1", "gpt-4.1"),
        ("anthropic/claude-sonnet-4-5", "claude-sonnet-4-5"),
        ("gemini/gemini-2.5-pro", "gemini-2.5-pro"),
        ("gpt-4.1", "gpt-4.1"),
        ("openrouter/openai/gpt-4.1", "openrouter/openai/gpt-4.1"),
        ("custom-llm/openai/gpt-4.1", "custom-llm/openai/gpt-4.1"),
        ("meta-llama/llama-3.3-70b", "meta-llama/llama-3.3-70b"),
        ("openai/", "openai/"),
    ],
)
def test_a_model_is_sent_by_the_name_that_the_proxy_routes(name: str, sent: str) -> None:
    assert remove_provider_prefix(name) == sent


@pytest.mark.parametrize(
    ("name", "written"),
    [("tools.delete all", "tools_delete_all"), ("", "unknown"), ("x" * 99, "x" * 64)],
)
def test_the_name_of_a_refused_call_is_one_that_providers_accept(name: str, written: str) -> None:
    request = build_native_request([Assistant("", (ToolCall("a", name, "{}"),))], ())
    assert request["messages"][0]["tool_calls"][0]["function"]["name"] == written
