"""The stand-in's chat proxy: frames of each generation, and what passes to each provider."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from standin.app import create_app
from standin.chat import (
    ChatError,
    Chunk,
    ScriptedChat,
    finish,
    text,
    tool_arguments,
    tool_call,
    usage,
)
from standin.faults import ChatCutAfter, ChatErrorAfter, Fault
from standin.record_store import Records
from standin.switches import Generation, Switches, WorkspaceKey
from testkit.service import serving

PATH = "/v1/private/chat/completions"
USER = {"role": "user", "content": "Hi"}
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {}}}]
SCRIPT: list[Chunk | ChatError] = [
    text("Hel"),
    text("lo"),
    tool_call(0, "call_1", "look"),
    tool_arguments(0, "{}"),
    finish("tool_calls"),
    usage(3, 2),
]
PROVIDERS = {
    "openai": (WorkspaceKey("openai"), "gpt-4.1"),
    "openai-responses": (WorkspaceKey("openai", responses_mode=True), "gpt-4.1"),
    "anthropic": (WorkspaceKey("anthropic"), "claude-sonnet-4-5"),
    "gemini": (WorkspaceKey("gemini"), "gemini-2.5-pro"),
    "openrouter": (WorkspaceKey("openrouter"), "openai/gpt-4.1"),
    "custom-llm": (
        WorkspaceKey("custom-llm", name="lab", models=("custom-llm/lab/llama",)),
        "custom-llm/lab/llama",
    ),
}


async def post(
    chat: ScriptedChat, switches: Switches, *, path: str = PATH, **body: Any
) -> httpx.Response:
    app = create_app(Records(), chat=chat, switches=switches)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://standin"
    ) as http:
        return await http.post(path, json={"model": "gpt-4.1", "messages": [USER], **body})


async def ask(provider: str, **body: Any) -> tuple[httpx.Response, ScriptedChat]:
    key, model = PROVIDERS[provider]
    chat = ScriptedChat(SCRIPT)
    switches = Switches(keys=[key])
    return await post(chat, switches, model=model, **body), chat


def frames(response: httpx.Response) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in response.text.splitlines() if line]
    return [json.loads(line) for line in lines if line != "[DONE]"]


@pytest.mark.parametrize(
    ("generation", "body"),
    [
        ("A", b'{"choices":[{"index":0,"delta":{"role":"assistant","content":"a"}}]}\r\n'),
        (
            "C",
            b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"a"}}]}\n\n'
            b"data: [DONE]\n\n",
        ),
    ],
)
async def test_each_generation_has_its_own_frames(generation: Generation, body: bytes) -> None:
    response = await post(
        ScriptedChat([text("a")]), Switches(generation=generation), stream=True, path=f"/api{PATH}"
    )
    assert response.content == body
    assert response.headers["x-opik-provider"] == "openai"


@pytest.mark.parametrize(
    ("generation", "frame"),
    [
        ("A", {"code": 401, "message": "bad key", "details": "invalid_api_key"}),
        ("B", {"code": 403, "message": "bad key", "details": "invalid_api_key"}),
        ("C", {"error": {"message": "bad key", "type": "server_error", "code": "403"}}),
    ],
)
async def test_a_failure_in_the_stream_is_a_frame_of_the_generation(
    generation: Generation, frame: dict[str, Any]
) -> None:
    chat = ScriptedChat([text("a"), ChatError(403, "bad key", "invalid_api_key")])
    response = await post(chat, Switches(generation=generation), stream=True)
    assert response.status_code == 200
    assert frames(response)[1:] == [frame]
    assert ("[DONE]" in response.text) == (generation != "A")


async def test_usage_is_streamed_only_when_it_was_asked_for() -> None:
    without, _ = await ask("openai", stream=True)
    asked, _ = await ask("openai", stream=True, stream_options={"include_usage": True})
    assert not [frame for frame in frames(without) if "usage" in frame]
    assert frames(asked)[-1]["usage"]["total_tokens"] == 5


@pytest.mark.parametrize("provider", ["openai", "openrouter", "custom-llm"])
async def test_native_tools_pass_both_ways(provider: str) -> None:
    response, chat = await ask(provider, stream=True, tools=TOOLS, stop=["x"])
    assert chat.requests[0]["tools"] == TOOLS
    assert chat.requests[0]["model"] in ("gpt-4.1", "llama", "openai/gpt-4.1")
    assert "call_1" in response.text


@pytest.mark.parametrize("provider", ["anthropic", "gemini"])
async def test_these_providers_get_no_tools_and_stream_text_without_a_finish(provider: str) -> None:
    response, chat = await ask(provider, stream=True, tools=TOOLS)
    assert "tools" not in chat.requests[0]
    streamed = frames(response)
    assert [frame["choices"][0]["delta"]["content"] for frame in streamed] == ["Hel", "lo", ""]
    assert "finish_reason" not in response.text
    assert "index" not in response.text
    assert streamed[-1]["usage"]["total_tokens"] == 5


async def test_anthropic_never_sees_tool_messages_and_refuses_empty_ones() -> None:
    with_call = {"role": "assistant", "content": "I look", "tool_calls": [{"id": "1"}]}
    answered = {"role": "tool", "tool_call_id": "1", "content": "found"}
    _, chat = await ask("anthropic", messages=[USER, with_call, answered])
    assert chat.requests[0]["messages"] == [USER, {"role": "assistant", "content": "I look"}]
    refused, _ = await ask("anthropic", messages=[USER, {**with_call, "content": None}])
    assert refused.status_code == 400


async def test_gemini_refuses_tool_messages_in_its_own_words_only_in_a_stream() -> None:
    messages = [USER, {"role": "tool", "tool_call_id": "1", "content": "found"}]
    streamed, _ = await ask("gemini", messages=messages, stream=True)
    assert frames(streamed)[0]["error"]["message"] == "unexpected role 'TOOL'"
    whole, _ = await ask("gemini", messages=messages)
    assert whole.json() == {"code": 500, "message": "Unexpected error calling LLM provider"}


async def test_responses_mode_loses_tool_calls_in_a_stream_and_keeps_them_without() -> None:
    streamed, _ = await ask("openai-responses", stream=True, tools=TOOLS)
    assert "call_1" not in streamed.text
    assert '"finish_reason":"tool_calls"' in streamed.text
    whole, _ = await ask("openai-responses", tools=TOOLS)
    assert whole.json()["choices"][0]["message"]["tool_calls"][0]["id"] == "call_1"


async def test_a_whole_answer_has_no_object_field() -> None:
    response, _ = await ask("openai")
    body = response.json()
    assert "object" not in body
    assert body["choices"][0]["message"]["content"] == "Hello"
    assert body["usage"]["total_tokens"] == 5


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"model": ""}, "model not supported"),
        ({"model": "gpt-99"}, "model not supported gpt-99"),
        (
            {"model": "openai/gpt-4.1"},
            "API key not configured for LLM. provider='openrouter', model='openai/gpt-4.1'",
        ),
        ({"messages": [{"role": "developer", "content": "x"}]}, "Unable to process JSON"),
        ({"messages": [{"role": "system", "content": [{}]}]}, "Unable to process JSON"),
        ({"stop": "x"}, "Unable to process JSON"),
    ],
)
async def test_what_the_proxy_refuses_is_a_status_before_any_stream(
    body: dict[str, Any], message: str
) -> None:
    chat = ScriptedChat(SCRIPT)
    response = await post(chat, Switches(), stream=True, **body)
    assert response.status_code == 400
    assert response.json()["code"] == 400
    assert response.json()["message"].startswith(message)
    assert chat.requests == []


async def test_a_stream_can_fail_or_end_early_where_a_test_wants_it() -> None:
    switches = Switches(faults=[Fault(ChatErrorAfter(1, 429, "slow down"), PATH, times=1)])
    failed = await post(ScriptedChat(SCRIPT), switches, stream=True)
    assert [list(frame) for frame in frames(failed)] == [["choices"], ["error"]]
    switches.faults = [Fault(ChatCutAfter(2), PATH)]
    cut = await post(ScriptedChat(SCRIPT), switches, stream=True)
    assert len(frames(cut)) == 2
    assert "[DONE]" not in cut.text


class EndlessChat:
    """Talks until no client listens any more."""

    async def reply(self, request: dict[str, Any], /) -> AsyncIterator[Chunk]:
        while True:
            yield text(str(request["model"]))
            await asyncio.sleep(0.01)


async def test_a_closed_connection_ends_the_model_call_and_is_counted() -> None:
    switches = Switches()
    app = create_app(Records(), chat=EndlessChat(), switches=switches)
    body = {"model": "gpt-4.1", "messages": [USER], "stream": True}
    async with serving(app, grace=1) as url, httpx.AsyncClient() as http:
        async with http.stream("POST", url + PATH, json=body) as response:
            await anext(response.aiter_lines())
            assert switches.chats.running == 1
        async with asyncio.timeout(60):
            while switches.chats.running:  # noqa: ASYNC110 - the counter has no event
                await asyncio.sleep(0.01)
    assert switches.chats.cancelled == 1
