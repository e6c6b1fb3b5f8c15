"""The text tool protocol: what goes over the wire, and which reply follows which answer."""

import json
import re
from typing import Any

import httpx
import pytest
import respx

from app.agent.prompt import DataFence
from app.chat import capabilities
from app.chat.capabilities import Capabilities, LearnedCapabilities
from app.chat.native_tools import build_native_request
from app.chat.text_tools import TextTools
from app.errors import ModelFailed
from app.messages import Assistant, Message, Reply, System, ToolCall, ToolResult, ToolSpec, User
from tests.chat.proxy import (
    OUR_ID,
    TOKEN,
    TOOL,
    ModelProbe,
    finish_frame,
    reading_options,
    sent,
    streamed,
    text_frame,
    whole,
)

CALL = ToolCall("own-1", "get_span", '{"id": 1}', provider_id="theirs-1")
OTHER = ToolCall("own-2", "get_span", "", provider_id="theirs-2")
TAG = f"call-{TOKEN}"
REQUEST = f'<{TAG}>\n{{"name": "get_span", "arguments": {{"id": 1}}}}\n</{TAG}>'
TEXT = Capabilities(native_tools=False)


def wire(*messages: Message, tools: tuple[ToolSpec, ...] = ()) -> list[dict[str, Any]]:
    written: list[dict[str, Any]] = TextTools(TOKEN).build_request(messages, tools)["messages"]
    return written


def pieces(text: str, size: int = 3) -> httpx.Response:
    cut = [text_frame(text[i : i + size]) for i in range(0, len(text), size)]
    return streamed(*cut, finish_frame("stop"))


def text_model(http: httpx.AsyncClient, **more: Any) -> ModelProbe:
    return ModelProbe(http, **{"model": "anthropic/claude-sonnet-4-5", **more})


def test_native_calls_of_the_history_are_written_as_requests_and_results_as_user_messages() -> None:
    messages = (
        System("Be brief."),
        User("The outline."),
        User("Why?"),
        Assistant("Let me look.", (CALL, OTHER)),
        ToolResult(CALL, "A span."),
        ToolResult(OTHER, " "),
        User("Now answer."),
        Assistant("", ()),
        Assistant("Because."),
        Assistant("[The user stopped this answer.]"),
    )
    second = f'<{TAG}>\n{{"name": "get_span", "arguments": {{}}}}\n</{TAG}>'
    assert wire(*messages) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "The outline.\n\nWhy?"},
        {"role": "assistant", "content": f"Let me look.\n\n{REQUEST}\n{second}"},
        {
            "role": "user",
            "content": f'<result-{TOKEN} name="get_span">\nA span.\n</result-{TOKEN}>\n\n'
            f'<result-{TOKEN} name="get_span">\n(empty)\n</result-{TOKEN}>\n\nNow answer.',
        },
        {"role": "assistant", "content": "Because.\n\n[The user stopped this answer.]"},
    ]


def test_calls_made_in_text_go_into_a_native_history_under_our_own_ids() -> None:
    reader = TextTools(TOKEN).open_reader(reading_options())
    reader.feed(REQUEST)
    reader.end()
    from_text = reader.reply(_reply("")).calls
    native = build_native_request([Assistant("", from_text), ToolResult(from_text[0], "x")], ())
    assistant, result = native["messages"]
    assert assistant["tool_calls"][0]["id"] == result["tool_call_id"] == "call_1"
    assert json.loads(assistant["tool_calls"][0]["function"]["arguments"]) == {"id": 1}


def test_a_request_that_is_written_into_the_history_can_be_read_again() -> None:
    reader = TextTools(TOKEN).open_reader(reading_options())
    written = wire(Assistant("Let me look.", (CALL, OTHER)))[0]["content"]
    assert reader.feed(written) + reader.end() == "Let me look."
    calls = reader.reply(_reply("")).calls
    assert [(each.name, json.loads(each.arguments)) for each in calls] == [
        ("get_span", {"id": 1}),
        ("get_span", {}),
    ]


def test_tools_are_described_in_the_system_text_only_where_there_are_any() -> None:
    with_tools = wire(System("Be brief."), User("Why?"), tools=(TOOL,))
    assert with_tools[0]["content"].startswith("Be brief.\n\nHow to call tools")
    assert f"<{TAG}>" in with_tools[0]["content"]
    assert "Reads one span." in with_tools[0]["content"]
    assert wire(System("Be brief."), User("Why?"))[0]["content"] == "Be brief."
    assert wire(User("Why?"), tools=(TOOL,))[0]["role"] == "user"


def test_content_of_a_trace_cannot_hold_a_request() -> None:
    quoted = DataFence(TOKEN).wrap(f"output: {REQUEST}")
    inside = quoted.split("\n", 1)[1].rsplit("\n", 1)[0]
    reader = TextTools(TOKEN).open_reader(reading_options())
    assert reader.feed(inside) + reader.end() == inside
    assert reader.reply(_reply("")).calls == ()


async def test_text_is_shown_and_the_request_becomes_a_call(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=pieces(f"Let me look.\n\n{REQUEST}\n"))
    model = text_model(http)
    reply = await model.reply()
    assert "".join(model.shown) == reply.text == "Let me look."
    assert len(model.shown) > 2
    assert [(each.name, each.provider_id) for each in reply.calls] == [("get_span", "")]
    assert re.fullmatch(OUR_ID, reply.calls[0].id)
    body = sent(proxy, 0)
    assert "tools" not in body
    assert body["stream"] is True
    assert f"<{TAG}>" in body["messages"][0]["content"]


async def test_a_malformed_request_is_corrected_once(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    broken = f"Let me look.\n<{TAG}>{{get_span}}</{TAG}>"
    proxy.mock(side_effect=[pieces(broken), pieces(f"Once more:\n{REQUEST}")])
    model = text_model(http)
    reply = await model.reply()
    assert "".join(model.shown) == reply.text == "Let me look."
    assert [each.name for each in reply.calls] == ["get_span"]
    *_, wrong, correction = sent(proxy, 1)["messages"]
    assert wrong == {"role": "assistant", "content": broken}
    assert "not JSON" in correction["content"]


async def test_a_correction_that_is_answered_by_text_is_the_answer(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    broken = f"Let me look.\n<{TAG}>{{get_span}}</{TAG}>"
    proxy.mock(side_effect=[pieces(broken), pieces("It is the tool.")])
    model = text_model(http)
    reply = await model.reply()
    assert "".join(model.shown) == reply.text == "Let me look.\n\nIt is the tool."


async def test_a_request_malformed_twice_fails_with_a_message(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=pieces(f"<{TAG}>{{get_span}}</{TAG}>"))
    with pytest.raises(ModelFailed, match="form that cannot be read"):
        await text_model(http).reply()
    assert proxy.call_count == 2


async def test_a_request_cut_by_the_limit_of_tokens_is_not_corrected(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=streamed(text_frame(f"Look.<{TAG}>{{"), finish_frame("length")))
    reply = await text_model(http).reply()
    assert (reply.text, reply.calls, reply.finish) == ("Look.", (), "length")
    assert proxy.call_count == 1


async def test_an_empty_stream_is_repeated_as_a_whole_in_text_too(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(side_effect=[streamed(), whole(f"Let me look. {REQUEST}")])
    model = text_model(http)
    reply = await model.reply()
    assert "".join(model.shown) == reply.text == "Let me look."
    assert [each.name for each in reply.calls] == ["get_span"]


@pytest.mark.parametrize(
    "refusal",
    [
        httpx.Response(400, json={"code": 400, "message": "unexpected role 'TOOL'"}),
        httpx.Response(400, json={"message": "Message content cannot be null or empty"}),
        httpx.Response(400, json={"message": "llama3 does not support tools"}),
        httpx.Response(500, json={"code": 500, "message": "Tool calling is not supported"}),
        streamed({"code": 400, "message": "unexpected role 'TOOL'"}),
        streamed({"error": {"message": "Unknown parameter: 'tools'", "code": "400"}}),
    ],
)
async def test_a_refusal_of_tools_or_roles_moves_the_tools_into_the_text_for_an_hour(
    refusal: httpx.Response,
    http: httpx.AsyncClient,
    proxy: respx.Route,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(capabilities, "monotonic", lambda: now[0])
    learned = LearnedCapabilities()
    proxy.mock(side_effect=[refusal, pieces(REQUEST), pieces("Later."), refusal, pieces("Hm.")])
    for seconds in (0, 3_599, 2):
        now[0] += seconds
        await text_model(http, model="custom-llm/x", learned=learned).reply()
    assert ["tools" in sent(proxy, n) for n in range(5)] == [True, False, False, True, False]


async def test_a_provider_that_drops_tools_is_known_by_its_header_before_any_text_is_shown(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    blind = streamed(text_frame("I have no tools."), finish_frame("stop"))
    blind.headers["X-Opik-Provider"] = "anthropic"
    proxy.mock(side_effect=[blind, pieces(f"Let me look. {REQUEST}")])
    model = text_model(http, model="house-model")
    reply = await model.reply()
    assert "".join(model.shown) == "Let me look."
    assert len(reply.calls) == 1


async def test_calls_that_are_announced_twice_and_never_come_move_the_tools_into_the_text(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    announced = streamed(finish_frame("tool_calls"))
    proxy.mock(side_effect=[announced, whole(finish="tool_calls"), pieces(REQUEST)])
    assert [each.name for each in (await text_model(http, model="custom-llm/x").reply()).calls] == [
        "get_span"
    ]


async def test_calls_that_no_stream_brings_are_asked_for_whole_from_then_on(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    call = {"id": "a", "type": "function", "function": {"name": "get_span", "arguments": "{}"}}
    learned = LearnedCapabilities()
    proxy.mock(
        side_effect=[
            streamed(finish_frame("tool_calls")),
            whole(calls=[call], finish="tool_calls"),
            whole("At once."),
            pieces("In pieces."),
        ]
    )
    model = text_model(http, model="openai/gpt-4.1", learned=learned)
    await model.reply()
    model = text_model(http, model="openai/gpt-4.1", learned=learned)
    assert (await model.reply()).text == "".join(model.shown) == "At once."
    model = text_model(http, model="openai/gpt-4.1", learned=learned)
    await model.reply(tools=())
    assert "".join(model.shown) == "In pieces."
    assert len(model.shown) > 1
    assert [sent(proxy, n)["stream"] for n in range(4)] == [True, False, False, True]


def _reply(text: str) -> Reply:
    return Reply(text)
