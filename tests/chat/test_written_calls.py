"""Calls behind a sentence that announces them, and texts that only look like that."""

import json

from hypothesis import given
from hypothesis import strategies as st

from app.chat.reply_text import ReplyTextReader
from app.messages import Reply
from testkit.case_tables import each_case
from tests.chat.proxy import reading_options

TOOLS = ("get_span", "find_text")
OBJECT = '{"name": "get_span", "arguments": {"id": "s1"}}'
TAGGED = f"<tool_call>\n{OBJECT}\n</tool_call>"
PARTS = (TAGGED, "<tool_call>", "</think>", "Look.", "\n", "[s1]", "```", "> ", "<", "[TOOL", " ")


def read(text: str, size: int, tools: tuple[str, ...] = TOOLS) -> tuple[str, list[tuple[str, str]]]:
    shown: list[str] = []
    reader = ReplyTextReader(reading_options(*tools, on_withdrawn=shown.clear))
    for at in range(0, len(text), size):
        piece = reader.feed(text[at : at + size])  # may withdraw what was shown
        shown.append(piece)
    shown.append(reader.end())
    reply = reader.reply(Reply(text))
    assert reply.text == "".join(shown)
    return reply.text, [(call.name, call.arguments) for call in reply.calls]


@each_case(
    "sentence, call",
    [
        ("I read the span first.\n\n", TAGGED),
        ("I read `it`:\n", f"{TAGGED}\n\n"),
        ("First [s1], then this.\n", f"<tool_call>{OBJECT}"),
        ("```\nlog\n```\n\n", TAGGED),
        ("I look.\n", '<function=get_span>\n<parameter=id>\ns1\n</parameter>\n</function>'),
        ("I look.\n", "<tool_call>get_span\n<arg_key>id</arg_key><arg_value>s1</arg_value>"
                      "</tool_call>"),
        ("I look.\n\n", '<minimax:tool_call>\n<invoke name="get_span"><parameter name="id">s1'
                        "</parameter></invoke>\n</minimax:tool_call>"),
        ("I look.\n\n", '<function_calls><invoke name="get_span"><parameter name="id">s1'
                        "</parameter></invoke></function_calls>"),
        ("I look.\n", '<｜DSML｜tool_calls><｜DSML｜invoke name="get_span"><｜DSML｜parameter '
                      'name="id" string="true">s1</｜DSML｜parameter></｜DSML｜invoke>'
                      "</｜DSML｜tool_calls>"),
        ("I look.\n", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_span<｜tool▁sep｜>"
                      '{"id": "s1"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>'),
        ("I look.\n", f"[TOOL_CALLS][{OBJECT}]</s>"),
        ("I look.\n", "<|tool_call_start|>[get_span(id='s1')]<|tool_call_end|><|im_end|>"),
        ("I look.\n  ", TAGGED),
        ("I look.", TAGGED),
        ("我先看。", TAGGED),
        ("I look at [s1]!", '<function=get_span><parameter=id>s1</parameter></function>'),
        ("I look.", f"<|action_start|><|plugin|>\n{OBJECT}<|action_end|>\n"),
        ("I look. ", f"<|action_start|><|plugin|>\n{OBJECT}<|action_end|><|im_end|>"),
        ("I look", '[TOOL_CALLS]get_span[ARGS]{"id": "s1"}</s>'),
        ("I look:", f"[TOOL_CALLS][{OBJECT}]"),
        ("I look", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_span<｜tool▁sep｜>"
                   '{"id": "s1"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>'),
        ("I look.\nNow", "<|tool_calls_section_begin|><|tool_call_begin|>functions.get_span:0"
                         '<|tool_call_argument_begin|>{"id": "s1"}<|tool_call_end|>'
                         "<|tool_calls_section_end|>"),
        ("I look.", "<|tool_call_start|>[get_span(id='s1')]<|tool_call_end|>"),
        ("I look.", f"<|python_tag|>{OBJECT}<|eom_id|>"),
        ("<b>I look.</b> See <tool_call>.\n", TAGGED),
    ],
)  # fmt: skip
def test_a_call_behind_a_sentence_runs_and_the_sentence_stays(sentence: str, call: str) -> None:
    text = sentence + call
    for size in [*range(1, 60), len(text)]:
        assert read(text, size) == (sentence, [("get_span", '{"id": "s1"}')]), size


@each_case(
    "text",
    [
        f"The reply was:\n\n{TAGGED}\n\nNothing ran it.",
        f"The reply was:\n\n```xml\n{TAGGED}\n```\n",
        f"The reply was:\n\n```xml\n{TAGGED}\n```\n\nNothing ran it.",
        f"The reply was:\n\n> {TAGGED}",
        f"The reply was:\n\n    {TAGGED}",
        f"The reply was {TAGGED}",
        f"The reply was{TAGGED}",
        f"The reply was:{TAGGED}",
        f"This was written. {TAGGED}",
        f"The reply was <|action_start|><|plugin|>{OBJECT}<|action_end|>",
        f'It wrote "<|action_start|><|plugin|>{OBJECT}<|action_end|>"',
        f"It wrote (<|action_start|><|plugin|>{OBJECT}<|action_end|>)",
        f"It stops.<|action_start|><|plugin|>{OBJECT}<|action_end|> was all.",
        f"It stops.{TAGGED} was all.",
        f"It stops.{TAGGED}\n\nNothing ran it.",
        f"It wrote `x.{TAGGED}`",
        f"It wrote its result as well.\n{TAGGED}\n<tool_response>[]</tool_response>\nNothing ran.",
        f"The reply was:\n{TAGGED}\n<tool_response>[]</tool_response>",
        f"> It stops.{TAGGED}",
        f"> It stops.<|action_start|><|plugin|>{OBJECT}<|action_end|>",
        f"```\nIt stops.{TAGGED}\n```",
        f"The template writes: [TOOL_CALLS][{OBJECT}]",
        "It begins with [TOOL_CALLS]",
        'It stops.<tool_call>{"name": "charge_card", "arguments": {}}</tool_call>',
        "It stops.<|tool_call_start|>[charge_card(id='s1')]<|tool_call_end|>",
        f"The reply was:\n`{TAGGED}`",
        f"The reply was:\n{OBJECT}",
        f"The reply was:\n```json\n{OBJECT}\n```",
        'The reply was:\n<tool_call>{"name": "charge_card", "arguments": {}}</tool_call>',
        'The reply was:\n<invoke name="charge_card"></invoke>',
        "The reply was:\n[get_span(id='s1')]",
        "The reply was:\n<tool_call>",
        'The reply was:\n<tool_call>{"name": "get_span", "arguments": {"id": ',
        "The reply ends with\n<tool_call> and no name.",
        "Two tags:\n<function=\n<invoke>\n<tool_call>\n",
        "Look at\n[s1] and [s2].\n[TOOL] is a word.",
        "It says\n<OrderId> is empty.\n<",
        "\n<tool_call>" * 40,
    ],
)
def test_a_text_about_calls_stays_an_answer(text: str) -> None:
    for size in [*range(1, 60), len(text)]:
        assert read(text, size) == (text, []), size


def test_without_tools_a_call_behind_a_sentence_is_text() -> None:
    text = f"I look.\n{TAGGED}"
    assert read(text, 5, tools=()) == (text, [])


def test_reasoning_before_an_announced_call_is_withdrawn() -> None:
    text = f"Which one?\n</think>\nI look.\n{TAGGED}"
    for size in range(1, len(text) + 1):
        assert read(text, size) == ("I look.\n", [("get_span", '{"id": "s1"}')]), size


def test_text_before_an_announced_call_is_shown_at_once() -> None:
    reader = ReplyTextReader(reading_options(*TOOLS))
    assert reader.feed("I look [s1") == "I look [s1"
    assert reader.feed("].\n\n<tool") == "].\n\n"
    assert reader.feed("_call>\n{") == ""


def test_a_tag_that_no_call_follows_is_shown_at_once() -> None:
    reader = ReplyTextReader(reading_options(*TOOLS))
    assert reader.feed("I look.\n<tool_call> wa") == "I look.\n<tool_call> wa"
    assert reader.feed("s left.\n<or") == "s left.\n"
    assert reader.feed("der>") == "<order>"


def test_many_tags_at_the_beginnings_of_lines_are_soon_let_through() -> None:
    text = "Look:\n" + "<tool_call>\n{\n" * 20_000
    assert read(text, 5_000) == (text, [])


@given(st.lists(st.sampled_from(PARTS)), st.integers(1, 30))
def test_any_split_of_any_text_gives_the_same(parts: list[str], size: int) -> None:
    text = "".join(parts)
    shown, calls = read(text, size)
    assert (shown, calls) == read(text, max(1, len(text)))
    assert all(isinstance(json.loads(arguments), dict) for _, arguments in calls)
