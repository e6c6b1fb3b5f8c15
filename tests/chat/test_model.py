"""One reply over HTTP: what is sent, and which fall-back follows which answer."""

import gzip
import json
import re
from typing import Any

import httpx
import pytest
import respx

from app.chat.capabilities import Capabilities, LearnedCapabilities
from app.errors import ModelFailed
from app.messages import TokenUsage
from testkit import credentials
from testkit.limits import chat_options
from tests.chat.proxy import (
    OUR_ID,
    ModelProbe,
    finish_frame,
    in_chunks,
    replayed,
    sent,
    streamed,
    text_frame,
    whole,
)
from tests.chat.recordings import body

CALL = {"id": "a", "type": "function", "function": {"name": "get_span", "arguments": "{}"}}
STREAM = {"Content-Type": "text/event-stream"}


async def test_a_request_carries_the_callers_headers_and_asks_for_a_plain_stream(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=replayed("text.sse"))
    await ModelProbe(http).reply()
    headers = proxy.calls.last.request.headers
    assert headers["Cookie"] == f"sessionToken={credentials.SESSION}"
    assert headers["Comet-Workspace"] == "team"
    assert headers["Accept-Encoding"] == "identity"
    assert headers["Content-Type"] == "application/json"
    assert sent(proxy, 0) == {
        "model": "gpt-4.1",
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens": 8192,
        "messages": [{"role": "user", "content": "Why is it slow?"}],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "get_span",
                    "description": "Reads one span.",
                    "parameters": {"type": "object", "properties": {}},
                },
            }
        ],
    }


async def test_configured_parameters_are_sent_and_a_request_without_tools_has_none(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=replayed("text.sse"))
    options = chat_options(temperature=0.2, reasoning_effort="low", max_completion_tokens=100)
    await ModelProbe(http, options=options).reply(tools=())
    data = sent(proxy, 0)
    assert (data["temperature"], data["reasoning_effort"]) == (0.2, "low")
    assert data["max_completion_tokens"] == 100
    assert "tools" not in data


async def test_the_model_that_answered_is_the_one_of_the_header(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    answer = replayed("text.sse")
    answer.headers["X-Opik-Actual-Model"] = "gpt-4.1-mini"
    proxy.mock(return_value=answer)
    assert (await ModelProbe(http).reply()).model == "gpt-4.1-mini"


async def test_text_is_shown_as_it_comes(http: httpx.AsyncClient, proxy: respx.Route) -> None:
    proxy.mock(return_value=streamed(text_frame("Hel"), text_frame("lo"), finish_frame("stop")))
    probe = ModelProbe(http)
    await probe.reply()
    assert probe.shown == ["Hel", "lo"]


async def test_a_compressed_answer_is_read_all_the_same(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    content = gzip.compress(body("text.sse"))
    headers = STREAM | {"Content-Encoding": "gzip"}
    proxy.mock(return_value=httpx.Response(200, headers=headers, content=in_chunks([content])))
    assert (await ModelProbe(http).reply()).text.startswith("Hello, I'm here")


async def test_calls_announced_but_not_streamed_are_asked_for_once_more(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(side_effect=[replayed("calls-announced-but-lost.sse"), whole("No.", calls=[CALL])])
    probe = ModelProbe(http)
    reply = await probe.reply()
    assert [call.name for call in reply.calls] == ["get_span"]
    assert reply.text == "".join(probe.shown) == "Let me look."
    assert reply.usage == TokenUsage(prompt_tokens=20, completion_tokens=8)
    first, second = sent(proxy, 0), sent(proxy, 1)
    assert second == {k: v for k, v in first.items() if k != "stream_options"} | {"stream": False}


async def test_a_repetition_that_answers_with_another_text_takes_the_place_of_the_first(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(side_effect=[replayed("calls-announced-but-lost.sse"), whole("Done.")])
    probe = ModelProbe(http)
    reply = await probe.reply()
    assert reply.text == "".join(probe.shown) == "Done."


async def test_announced_calls_do_not_matter_where_no_tools_were_offered(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=replayed("calls-announced-but-lost.sse"))
    assert (await ModelProbe(http).reply(tools=())).text == "Let me look."
    assert proxy.call_count == 1


@pytest.mark.parametrize(
    "empty",
    [
        streamed(finish_frame("stop")),
        streamed(),
        streamed(done=False),
        streamed({"choices": [], "usage": {"prompt_tokens": 9}}),
        streamed({"ping": True}),
        httpx.Response(200, headers=STREAM, content=b'data: {"choices":[{"del'),
        httpx.Response(204),
    ],
)
async def test_a_stream_with_nothing_in_it_is_repeated_as_a_whole(
    empty: httpx.Response, http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(side_effect=[empty, whole("Hello")])
    probe = ModelProbe(http)
    reply = await probe.reply()
    assert reply.text == "Hello"
    assert probe.shown == ["Hello"]
    assert reply.complete
    assert [sent(proxy, n)["stream"] for n in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("finish", "reason", "words"),
    [
        ("stop", "provider_error", "empty answer"),
        ("length", "provider_error", "longer replies"),
        ("content_filter", "content_filter", "content filter"),
    ],
)
async def test_an_answer_that_stays_empty_fails(
    finish: str, reason: str, words: str, http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(side_effect=[streamed(), whole("", finish=finish)])
    with pytest.raises(ModelFailed, match=words) as failure:
        await ModelProbe(http).reply()
    assert failure.value.reason == reason
    assert proxy.call_count == 2


async def test_a_filtered_stream_is_not_repeated(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=streamed(finish_frame("content_filter")))
    with pytest.raises(ModelFailed) as failure:
        await ModelProbe(http).reply()
    assert failure.value.reason == "content_filter"
    assert proxy.call_count == 1


@pytest.mark.parametrize("form", ["status", "frame"])
async def test_a_refused_parameter_is_left_out_from_then_on(
    form: str, http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    words = {"code": 400, "message": "Unsupported value: 'temperature' does not support 0.2."}
    refusal = httpx.Response(400, json=words) if form == "status" else streamed(words)
    proxy.mock(side_effect=[refusal, replayed("cut.sse"), replayed("cut.sse")])
    probe = ModelProbe(http, options=chat_options(temperature=0.2, reasoning_effort="low"))
    await probe.reply()
    await probe.reply()
    assert ["temperature" in sent(proxy, n) for n in range(3)] == [True, False, False]
    assert all("reasoning_effort" in sent(proxy, n) for n in range(3))
    assert probe.pauses == []


async def test_what_simultaneous_turns_learn_of_a_model_is_all_remembered(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    learned = LearnedCapabilities()
    probes = [ModelProbe(http, learned=learned) for _ in range(3)]
    texts = ("does not support tools", "temperature is not supported", "unknown: stream_options")
    for probe, text in zip(probes, texts, strict=True):
        refusal = httpx.Response(400, json={"code": 400, "message": text})
        proxy.mock(side_effect=[refusal, replayed("text.sse")])
        await probe.reply()
    assert learned.get("team", "gpt-4.1") == Capabilities(
        native_tools=False, refused=frozenset({"temperature", "stream_options"})
    )


async def test_a_parameter_that_is_refused_again_fails(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    words = {"code": 400, "message": "Unsupported value: 'temperature'"}
    proxy.mock(return_value=httpx.Response(400, json=words))
    with pytest.raises(ModelFailed) as failure:
        await ModelProbe(http, options=chat_options(temperature=0.2)).reply()
    assert failure.value.reason == "provider_error"
    assert proxy.call_count == 2


async def test_a_whole_answer_to_a_streaming_request_is_a_reply(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=whole("Hello"))
    probe = ModelProbe(http)
    assert (await probe.reply()).text == "Hello"
    assert probe.shown == ["Hello"]


async def test_a_stream_that_calls_itself_json_is_a_reply(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    data = body("oldest-backend.sse")
    headers = {"Content-Type": "application/json;charset=utf-8"}
    proxy.mock(return_value=httpx.Response(200, headers=headers, content=data))
    reply = await ModelProbe(http).reply()
    assert (reply.text, reply.complete) == ("Hello", True)


def unmarked(provider: str | None) -> httpx.Response:
    answer = replayed("oldest-backend-without-any-mark.sse")
    if provider:
        answer.headers["X-Opik-Provider"] = provider
    return answer


@pytest.mark.parametrize(
    ("model", "provider", "complete"),
    [
        ("anthropic/claude-sonnet-4-5", None, True),
        ("gemini/gemini-2.5-pro", None, True),
        ("custom-llm/x", "anthropic", True),
        ("openai/gpt-4.1", None, False),
        ("claude-by-another-name", "openai", False),
    ],
)
async def test_a_bare_stream_without_any_mark_is_whole_only_for_providers_that_send_none(
    model: str, provider: str | None, complete: bool, http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=unmarked(provider))
    reply = await ModelProbe(http, model=model).reply()
    assert (reply.text, reply.complete) == ("Hello", complete)


async def test_an_event_stream_without_any_mark_is_cut_for_every_provider(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=replayed("cut.sse"))
    assert not (await ModelProbe(http, model="anthropic/claude-sonnet-4-5").reply()).complete


async def test_a_reply_over_its_limit_ends_the_stream_and_is_incomplete(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=streamed(*[text_frame("word ") for _ in range(100)]))
    probe = ModelProbe(http, options=chat_options(reply_bytes=12))
    reply = await probe.reply()
    assert reply.text == "".join(probe.shown) == "word word wo"
    assert not reply.complete


async def test_ids_of_calls_are_our_own(http: httpx.AsyncClient, proxy: respx.Route) -> None:
    calls: list[dict[str, Any]] = [CALL, CALL | {"id": "b"}]
    proxy.mock(return_value=whole(calls=calls, finish="tool_calls"))
    reply = await ModelProbe(http).reply()
    assert [call.provider_id for call in reply.calls] == ["a", "b"]
    ids = [call.id for call in reply.calls]
    assert len(set(ids)) == 2
    assert all(re.fullmatch(OUR_ID, each) for each in ids)
    assert not any(each in json.dumps(sent(proxy, 0)) for each in ids)


async def test_a_session_is_not_in_the_repr_of_a_model(http: httpx.AsyncClient) -> None:
    probe = ModelProbe(http)
    assert credentials.SESSION not in f"{probe.model!r} {vars(probe.model)!r}"
