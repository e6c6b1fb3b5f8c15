"""Replies whose text holds reasoning, calls, or neither: what is shown, run and learnt."""

import json
from typing import Any

import httpx
import pytest
import respx

from app.chat.capabilities import Capabilities, LearnedCapabilities
from app.messages import Reply, TokenUsage
from testkit.case_tables import each_case
from tests.chat.proxy import (
    ModelProbe,
    failed,
    finish_frame,
    sent,
    streamed,
    text_frame,
    whole,
)

CALL = {"name": "get_span", "arguments": {"id": "s1"}}
MODELS = ("openai/gpt-4.1", "anthropic/claude-sonnet-4-5")
"""One that gets native tools, and one that gets them in text."""


def pieces(text: str, *, finish: str = "stop", size: int = 3) -> httpx.Response:
    cut = [text_frame(text[at : at + size]) for at in range(0, len(text), size)]
    return streamed(*cut, finish_frame(finish))


def call_frame(name: str, arguments: str) -> dict[str, Any]:
    call = {"index": 0, "id": "a", "function": {"name": name, "arguments": arguments}}
    return {"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}


def usage_frame(**counts: Any) -> dict[str, Any]:
    return {"choices": [], "usage": counts}


def calls_of(reply: Reply) -> list[tuple[str, Any]]:
    return [(call.name, json.loads(call.arguments)) for call in reply.calls]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "text",
    [
        "<think>Which one?</think>It is span two.",
        "Which one?\n</think>\nIt is span two.",
        "<|channel|>analysis<|message|>Which one?<|end|><|start|>assistant<|channel|>final"
        "<|message|>It is span two.<|return|>",
    ],
)
async def test_reasoning_in_the_text_is_no_part_of_the_reply(
    model: str, text: str, http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=pieces(text))
    probe = ModelProbe(http, model=model)
    reply = await probe.reply()
    assert "".join(probe.shown) == reply.text == "It is span two."
    assert reply.reasoned
    assert proxy.call_count == 1


@pytest.mark.parametrize("model", MODELS)
async def test_where_reasoning_begins_unmarked_the_next_reply_shows_none_of_it(
    model: str, http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    learned = LearnedCapabilities()
    unopened = "Which one?\n</think>\nIt is span two."
    plain = "It is span three."
    proxy.mock(side_effect=[pieces(unopened), pieces(unopened), pieces(plain), pieces(plain)])
    shown = []
    for text in ("It is span two.", "It is span two.", plain, plain):
        probe = ModelProbe(http, model=model, learned=learned)
        reply = await probe.reply()
        assert "".join(probe.shown) == reply.text == text
        shown.append(len(probe.shown))
    # Held back whole after the second reply, and streamed again after a reply without reasoning.
    assert shown[2] == 1 < shown[3]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "text",
    [
        json.dumps(CALL),
        f"```json\n{json.dumps(CALL)}\n```",
        f"<tool_call>\n{json.dumps(CALL)}\n</tool_call>",
        f"<think>I need the span.</think>\n\n{json.dumps(CALL)}",
        'commentary to=functions.get_span json{"id": "s1"}',
        'analysisI need it.assistantcommentary to=functions.get_span json{"id": "s1"}',
        "<|channel|>commentary to=functions.get_span <|constrain|>json<|message|>"
        '{"id": "s1"}<|call|>',
    ],
)
async def test_a_reply_that_is_nothing_but_a_call_runs_it(
    model: str, text: str, http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=pieces(text))
    probe = ModelProbe(http, model=model)
    reply = await probe.reply()
    assert calls_of(reply) == [("get_span", {"id": "s1"})]
    assert (reply.text, "".join(probe.shown), proxy.call_count) == ("", "", 1)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "text",
    [
        f"It wrote `{json.dumps(CALL)}` in place of a call.",
        '{"name": "refund", "error": "Declined"}',
        "The template ends in `<think>`, so no reply opens it; each has `</think>`.",
    ],
)
async def test_an_answer_about_calls_or_tags_stays_as_it_is(
    model: str, text: str, http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=pieces(text))
    probe = ModelProbe(http, model=model)
    reply = await probe.reply()
    assert (reply.text, "".join(probe.shown), reply.calls) == (text, text, ())


async def test_reasoning_before_a_native_call_shows_nothing(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    frames = (text_frame("<think>I need it.</think>"), call_frame("get_span", "{}"))
    proxy.mock(return_value=streamed(*frames, finish_frame("tool_calls")))
    probe = ModelProbe(http)
    reply = await probe.reply()
    assert (reply.text, probe.shown, calls_of(reply)) == ("", [], [("get_span", {})])


@each_case(
    "name, arguments",
    [
        ("functions.get_span", '{"id": 1}'),
        ("get_span<|channel|>commentary", '{"id": 1}'),
        ("get_span", json.dumps('{"id": 1}')),
        ("get_span", '{"id": 1}{"id": 1}'),
    ],
)
async def test_a_misspelt_native_call_is_repaired(
    name: str, arguments: str, http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=streamed(call_frame(name, arguments), finish_frame("tool_calls")))
    assert calls_of(await ModelProbe(http).reply()) == [("get_span", {"id": 1})]


@each_case(
    "second",
    [
        whole("It is span two.", finish="tool_calls"),
        whole("In other words: two.", finish="tool_calls"),
        whole("It is span two.\n"),
        whole("", finish="tool_calls"),
    ],
)
async def test_a_text_that_promises_calls_and_has_none_is_the_answer(
    second: httpx.Response, http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    learned = LearnedCapabilities()
    calls_before = proxy.call_count
    proxy.mock(side_effect=[pieces("It is span two.", finish="tool_calls"), second])
    probe = ModelProbe(http, learned=learned)
    reply = await probe.reply()
    assert reply.text == "".join(probe.shown) == "It is span two."
    assert proxy.call_count == calls_before + 2
    assert learned.get("team", "gpt-4.1") is None


async def test_a_whole_text_that_promises_calls_is_the_answer_where_calls_are_not_streamed(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=whole("It is span two.", finish="tool_calls"))
    probe = ModelProbe(http, capabilities=Capabilities(streams_calls=False))
    assert (await probe.reply()).text == "".join(probe.shown) == "It is span two."
    assert proxy.call_count == 1


def reasoning_frame(text: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"reasoning_content": text}}]}


@each_case(
    "answer, words",
    [
        (streamed(text_frame("<think>Which?</think>"), finish_frame("stop")), "reasoning only"),
        (streamed(text_frame("<think>Which"), finish_frame("stop")), "reasoning only"),
        (streamed(reasoning_frame("Which?"), finish_frame("stop")), "reasoning only"),
        (streamed(text_frame("<think>Which"), finish_frame("length")), "longer replies"),
        (streamed(text_frame('<tool_call>{"name": '), finish_frame("stop")), "cannot be read"),
        (streamed(finish_frame("MALFORMED_FUNCTION_CALL")), "cannot be read"),
        (streamed(call_frame("", '{"id": 1}'), finish_frame("tool_calls")), "cannot be read"),
        (streamed(finish_frame("stop")), "empty answer"),
    ],
)
async def test_an_error_says_what_came_in_place_of_an_answer(
    answer: httpx.Response, words: str, http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(side_effect=[answer, answer])
    probe = ModelProbe(http)
    error = await failed(probe)
    assert words in error.message
    assert probe.shown == []


async def test_a_request_in_another_form_is_corrected_where_tools_are_in_text(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(side_effect=[pieces('<tool_call>{"name": '), pieces("It is span two.")])
    probe = ModelProbe(http, model=MODELS[1])
    assert (await probe.reply()).text == "It is span two."
    *_, wrong, correction = sent(proxy, 1)["messages"]
    assert wrong["content"] == '<tool_call>{"name": '
    assert "form of your instructions" in correction["content"]


async def test_of_several_answers_to_one_question_the_first_is_the_reply(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    both = [
        {"index": number, "delta": {"content": text}}
        for number, text in enumerate(("It is span two.", "Span two it is."))
    ]
    proxy.mock(return_value=streamed({"choices": both}, finish_frame("stop")))
    assert (await ModelProbe(http).reply()).text == "It is span two."


async def test_reasoning_among_the_parts_of_a_content_is_not_shown(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    parts = [{"type": "reasoning", "text": "Which?"}, {"type": "text", "text": "Span two."}]
    frame = {"choices": [{"index": 0, "delta": {"content": parts}}]}
    proxy.mock(return_value=streamed(frame, finish_frame("stop")))
    assert (await ModelProbe(http).reply()).text == "Span two."


@each_case(
    "counts, usage",
    [
        ({"prompt_tokens": 10**12, "completion_tokens": 4}, None),
        ({"prompt_tokens": 9, "completion_tokens": 1e20}, None),
        ({"prompt_tokens": -(10**20), "completion_tokens": 4}, TokenUsage(0, 4)),
        ({"prompt_tokens": 9.0, "completion_tokens": None}, TokenUsage(9, 0)),
        ({"prompt_tokens": float("inf"), "completion_tokens": 4}, TokenUsage(0, 4)),
    ],
)
async def test_absurd_counts_of_tokens_are_not_taken_over(
    counts: dict[str, Any],
    usage: TokenUsage | None,
    http: httpx.AsyncClient,
    proxy: respx.Route,
) -> None:
    proxy.mock(return_value=streamed(text_frame("Two."), usage_frame(**counts)))
    assert (await ModelProbe(http).reply()).usage == usage


def test_counts_of_tokens_and_their_sums_end_at_what_readers_of_json_hold_exactly() -> None:
    most = 2**53 - 1
    many = TokenUsage(2**52, 2**52, 2**52, 2**52)
    assert many.total_tokens == most
    assert many + many == TokenUsage(most, most, most, most)
    assert TokenUsage(2**70, -1) == TokenUsage(most, 0)
