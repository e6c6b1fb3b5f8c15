"""Texts that are nothing but calls, and texts that look like them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat.call_text import CALL_CHARACTERS, CallTextReader, find_callable
from app.messages import ToolCall, ToolResult, ToolSpec, User
from testkit.case_tables import each_case

TOOLS = ("get_span", "find_text")
ID = '{"id": "s1"}'
OBJECT = '{"name": "get_span", "arguments": {"id": "s1"}}'
OTHER = '{"name": "find_text", "arguments": {"words": "late"}}'

PARTS = (OBJECT, "<tool_call>", "</tool_call>", "```json\n", "get_span", "to=", " x", *'[]{}",:\n')


def read(text: str, size: int) -> tuple[str, list[tuple[str, str]], bool]:
    reader = CallTextReader(TOOLS)
    shown = "".join(reader.feed(text[at : at + size]) for at in range(0, len(text), size))
    shown += reader.end()
    return shown, reader.calls, reader.is_malformed


def sizes(text: str) -> list[int]:
    return [*range(1, min(40, len(text))), max(1, len(text))]


@each_case(
    "text",
    [
        OBJECT,
        f"\n{OBJECT}\n",
        f"[{OBJECT}]",
        f"```json\n{OBJECT}\n```",
        f"```\n{OBJECT}\n```\n",
        f"<tool_call>\n{OBJECT}\n</tool_call>",
        f"<tool_call>{OBJECT}",
        f"<|tool_call|>[{OBJECT}]<|end|>",
        f"<|python_tag|>{OBJECT}<|eom_id|>",
        f"[TOOL_CALLS][{OBJECT}]",
        f"[TOOL_CALLS] get_span[ARGS]{ID}",
        f"[TOOL_REQUEST]{OBJECT}[END_TOOL_REQUEST]",
        f"commentary to=functions.get_span json{ID}",
        f"assistantcommentary to=functions.get_span <|constrain|>json<|message|>{ID}<|call|>",
        f"to=functions.get_span {ID}",
        f"functions.get_span({ID})",
        f"get_span\n{ID}",
        f"<function=get_span>{ID}</function>",
        "<tool_call>\n<function=get_span>\n<parameter=id>\ns1\n</parameter>\n</function>"
        "\n</tool_call>",
        "<tool_call>get_span\n<arg_key>id</arg_key>\n<arg_value>s1</arg_value>\n</tool_call>",
        '<function_calls><invoke name="get_span"><parameter name="id">s1</parameter></invoke>'
        "</function_calls>",
        f"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_span\n```json\n{ID}\n```"
        "<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        f"<|tool_calls_section_begin|><|tool_call_begin|>functions.get_span:0"
        f"<|tool_call_argument_begin|>{ID}<|tool_call_end|><|tool_calls_section_end|>",
        '{"tool": "get_span", "parameters": {"id": "s1"}}',
        '{"action": "get_span", "action_input": {"id": "s1"}}',
        '{"arguments": {"id": "s1"}, "name": "default_api.get_span"}',
        '{"id": "c1", "type": "function", "function": {"name": "get_span", "arguments": '
        '"{\\"id\\": \\"s1\\"}"}}',
        f'{{"tool_calls": [{OBJECT}]}}',
        f'{{"get_span": {ID}}}',
        "{'name': 'get_span', 'arguments': {'id': 's1'}}",
        "<tool_call>{'name': 'get_span', 'arguments': {'id': 's1', }}</tool_call>",
        '\n```\n\n{"tool_calls": [{"id": "x", "function": {"name": "get_span"}, "parameters": '
        f"{ID}}}]}}\n\n```\n",
        f'{{"role": "assistant", "content": null, "tool_calls": [{OBJECT}]}}',
        f'{{"thought": "I look.", "tool_calls": [{OBJECT}]}}',
        f'{{"calls": [{OBJECT}]}}',
        '<| DSML | function_calls><| DSML | invoke name="get_span"><| DSML | parameter name="id">'
        "s1</| DSML | parameter></| DSML | invoke></| DSML | function_calls>",
        f'{{"tool_uses": [{{"recipient_name": "functions.get_span", "parameters": {ID}}}]}}',
        '<｜DSML｜function_calls>\n<｜DSML｜invoke name="get_span">\n<｜DSML｜parameter name="id" '
        'string="true">s1</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>',
        '<|DSML|tool_calls><|DSML|invoke name="get_span"><|DSML|parameter name="id" string="true">'
        "s1</|DSML|parameter></|DSML|invoke></|DSML|tool_calls>",
        '<minimax:tool_call>\n<invoke name="get_span">\n<parameter name="id">s1</parameter>\n'
        "</invoke>\n</minimax:tool_call>",
        '<vendor:function_calls><vendor:invoke name="get_span"><vendor:parameter name="id">s1'
        "</vendor:parameter></vendor:invoke></vendor:function_calls>",
        "<seed:tool_call>\n<function=get_span>\n<parameter=id>s1</parameter>\n</function>\n"
        "</seed:tool_call>",
        "<｜tool_calls_begin｜><｜tool_call_begin｜>function<｜tool_sep｜>"
        '<steptml:invoke name="get_span"><steptml:parameter name="id">s1</steptml:parameter>'
        "</steptml:invoke><｜tool_call_end｜><｜tool_calls_end｜>",
        "<longcat_tool_call>get_span\n<longcat_arg_key>id</longcat_arg_key>\n"
        "<longcat_arg_value>s1</longcat_arg_value>\n</longcat_tool_call>",
        "<tool_calls><tool_call>get_span<tool_sep>\n<arg_key>id</arg_key>\n"
        "<arg_value>s1</arg_value>\n</tool_call></tool_calls>",
        "<tool_call>\n<function=get_span>\n<parameter=id>\ns1\n</function>\n</tool_call>",
        f'<tool_call name="get_span">{ID}</tool_call>',
        f"<function=get_span{ID}</function>",
        f"<function=get_span>{ID}",
        "<tool_use><name>get_span</name><arguments><id>s1</id></arguments></tool_use>",
        f"<TOOLCALL>[{OBJECT}]</TOOLCALL>",
        f"<|START_ACTION|>[{OBJECT}]<|END_ACTION|>",
        f"<|action_start|><|plugin|>\n{OBJECT}<|action_end|>",
        f'<|tools_prefix|>[{{"get_span": {ID}}}]<|tools_suffix|>',
        f"functools[{OBJECT}]",
        f"[TOOL_CALLS]get_span[CALL_ID]a1b2[ARGS]{ID}</s>",
        '<|tool_call>call:get_span{id:<|"|>s1<|"|>}<tool_call|>',
        "<start_function_call>call:get_span{id:<escape>s1<escape>}<end_function_call>",
        "<|tool_call_start|>[get_span(id='s1')]<|tool_call_end|>",
        '<|python_start|>[get_span(id="s1")]<|python_end|><|eom|>',
        '<|python_tag|>get_span.call(id="s1")<|eom_id|>',
        '<function_calls>\nget_span(id="s1")\n</function_calls>',
        "<tool_call>get_span(id='s1')</tool_call>",
        '[get_span(id="s1")]',
        'get_span(id="s1")',
        "print(default_api.get_span(id='s1'))",
        "```tool_code\nprint(default_api.get_span(id='s1'))\n```",
        "```tool_code\nget_span(id='s1')\n```",
        "tool_code\nprint(default_api.get_span(id='s1'))\n",
        "<tool_code>\nprint(default_api.get_span(id='s1'))\n</tool_code>",
        f"<tool_call>{OBJECT}}}</tool_call>",
        f"```xml\n<tool_call>{OBJECT}</tool_call>\n```",
        "```python\nprint(default_api.get_span(id = 's1',))\n```\n",
        "```tool_call\n[get_span(id='s1')]\n```",
    ],
)
def test_a_text_that_is_nothing_but_a_call_is_that_call(text: str) -> None:
    for size in sizes(text):
        assert read(text, size) == ("", [("get_span", ID)], False), size


@each_case(
    "text",
    [
        f"[{OBJECT}, {OTHER}]",
        f"<tool_call>{OBJECT}</tool_call>\n<tool_call>{OTHER}</tool_call>",
        f"{OBJECT}\n{OTHER}",
        '[get_span(id="s1"), find_text(words="late, lost")]',
        "<|tool_call_start|>[get_span(id='s1'), find_text(words='a)')]<|tool_call_end|>",
        "<function_calls>\nget_span(id='s1')\nfind_text()\n</function_calls>",
        "```tool_code\nprint(default_api.get_span(id='s1'))\nprint(default_api.find_text())\n```",
        '<m:tool_call><invoke name="get_span"/><invoke name="find_text"></invoke></m:tool_call>',
    ],
)
def test_several_calls_are_all_found(text: str) -> None:
    shown, calls, _ = read(text, 9)
    assert (shown, [name for name, _ in calls]) == ("", ["get_span", "find_text"])


@each_case(
    "result",
    [
        "\n<tool_response>\n[]\n</tool_response>\n\nAll is well.",
        "<tool_response>",
        '\n<function_results>\n{"broken": \n</function_results>\nSo <tool_call> it.',
        "<|im_end|>\n<|im_start|>user\n<tool_response>[]</tool_response><|im_end|>\nAll is well.",
        "<|tool_response|>[]",
        "<｜tool▁outputs▁begin｜><｜tool▁output▁begin｜>[]<｜tool▁output▁end｜>",
        "<|observation|>\n[]\nAll is well.",
        "<|eom_id|><|start_header_id|>ipython<|end_header_id|>\n\n[]",
        f"\n<tool_result>[]</tool_result>\n<tool_call>{OTHER}</tool_call>",
    ],
)
def test_a_result_that_the_model_invents_is_dropped_and_the_call_is_made(result: str) -> None:
    calls = [f"<tool_call>\n{OBJECT}\n</tool_call>", f"<|tool_call|>[{OBJECT}]",
             "<function=get_span><parameter=id>s1</parameter>"]  # fmt: skip
    for text in (call + result for call in calls):
        for size in sizes(text):
            assert read(text, size) == ("", [("get_span", ID)], False), size


@each_case(
    "text",
    [
        f"{OBJECT}\n<tool_response>[]</tool_response>",
        f"<tool_call>{OBJECT}</tool_call>\nIt wrote <tool_response> itself.",
        f"```xml\n<tool_call>{OBJECT}</tool_call>\n<tool_response>[]</tool_response>\n```\nNo.",
        "<tool_response>[]</tool_response>\n\nThat is what it wrote.",
        '<tool_call>{"name": "charge_card", "arguments": {}}</tool_call><tool_response>[]',
        "<tool_call>\n<tool_response>[]</tool_response>",
    ],
)
def test_a_result_without_a_tagged_call_before_it_is_text(text: str) -> None:
    for size in sizes(text):
        assert read(text, size) == (text, [], False), size


@each_case(
    "value, read_value",
    [
        ('<parameter name="id">["s1", "s2"]</parameter>', ["s1", "s2"]),
        ("<parameter=id>\n['s1', 's2']\n</parameter>", ["s1", "s2"]),
        ("<parameter=id>s1</parameter><parameter=id>s2</parameter>", ["s1", "s2"]),
        ('<parameter name="id" string="true">12</parameter>', "12"),
        ('<parameter name="id" string="false">12</parameter>', 12),
        ("<parameter=id>a < b</parameter>", "a < b"),
        ("<parameter=id>{not json}</parameter>", "{not json}"),
        ("<parameter=id></parameter>", ""),
    ],
)
def test_values_between_tags_are_read(value: str, read_value: object) -> None:
    _, [(_, arguments)], _ = read(f'<invoke name="get_span">{value}</invoke>', 7)
    assert json.loads(arguments) == {"id": read_value}


@each_case(
    "text",
    [
        f"The model wrote this:\n\n```json\n{OBJECT}\n```\n\nand no tool ran [s1].",
        f"```json\n{OBJECT}\n```\n\nThis is what it wrote.",
        f"{OBJECT} never ran.",
        f"<tool_call>{OBJECT}</tool_call> is what the reply held.",
        '{"name": "charge_card", "error": "Declined"}',
        '{"name": "charge_card", "arguments": {"cents": 5}}',
        '{"name": "get_span", "error": "Declined"}',
        '{"name": "get_span"}',
        '{"type": "object", "id": 7}',
        '<tool_call>{"name": "charge_card", "arguments": {}}</tool_call>',
        "get_span",
        "get_span shows that the lookup failed.",
        "functions.get_span is never called.",
        "[s1] failed, [s2] did not.",
        "<function> is a tag.",
        "commentary to the trace",
        "```python\nget_span(1)\n```",
        "```python\nget_span(id='s1')\n```",
        "```\n[get_span(id='s1')]\n```",
        '[charge_card(cents=5), refund(id="a")]',
        '[get_span(id="s1"), charge_card(cents=5)]',
        "[get_span(id=span), find_text()]",
        "[get_span('s1')]",
        "get_span()",
        'get_span(id="s1") shows that the lookup failed, find_text(words="late") nothing.',
        '[get_span(id="s1")] is the call that it wrote.',
        "print(get_span)",
        "<minimax:tool_call> is a tag of MiniMax.",
        '<minimax:tool_call><invoke name="charge_card"></invoke></minimax:tool_call>',
        "<｜DSML｜function_calls> opens a call.",
        "<OrderId> is empty.",
        "{'name': 'charge_card', 'arguments': {'cents': 5}}",
        '{"content": "Late.", "tool_calls": []}',
        "<function>body</function>",
        "functools is a module.",
        "tool_code is the name of the fence.",
        f"```xml\n<tool_call>{OBJECT}</tool_call>\n```\n\nThat is what it wrote.",
        "```xml\n<tool_call>\n```",
        "```json\n[1, 2]\n```",
        "[",
        "{",
        "",
    ],
)
def test_an_answer_stays_an_answer(text: str) -> None:
    for size in sizes(text):
        assert read(text, size) == (text, [], False), size


@each_case(
    "text",
    [
        '<tool_call>{"name": "get_span", "arguments": {"id": </tool_call>',
        '{"name": "get_span", "arguments": {"id": "s1"',
        '```json\n{"name": "get_span", "arguments": {id: 1}}\n```',
        '[TOOL_CALLS][{"name": "get_span", "arguments"',
        "{'name': 'get_span', 'arguments': {'id': ",
        "<minimax:tool_call>{'name': </minimax:tool_call>",
    ],
)
def test_a_call_that_cannot_be_read_is_malformed_and_not_shown(text: str) -> None:
    for size in sizes(text):
        assert read(text, size) == ("", [], True), size


@each_case(
    "text, shown",
    [
        ("The ", "The "),
        ("[s1", "[s1"),
        ('{"span": ', '{"span": '),
        ("<order>", "<order>"),
        ("<tool_call> is", "<tool_call> is"),
        ("get_span(id='s1') shows", "get_span(id='s1') shows"),
        ("[get_span(id='s1')] i", "[get_span(id='s1')] i"),
        ("get_span('s1", "get_span('s1"),
    ],
)
def test_text_that_cannot_become_a_call_is_shown_at_once(text: str, shown: str) -> None:
    assert CallTextReader(TOOLS).feed(text) == shown


def test_json_of_another_name_is_shown_as_soon_as_the_name_is_known() -> None:
    reader = CallTextReader(TOOLS)
    assert reader.feed('{"name": "charge_') == ""
    assert reader.feed('card", "err') == '{"name": "charge_card", "err'


def test_a_long_quoted_body_is_shown_before_its_end() -> None:
    reader = CallTextReader(TOOLS)
    assert reader.feed('```json\n{"input": "' + "x" * 1_000) == ""
    assert "xxx" in reader.feed("x" * 1_500)
    assert reader.feed("more") == "more"


def test_an_endless_call_is_shown_after_all() -> None:
    reader = CallTextReader(TOOLS)
    assert reader.feed('{"name": "get_span", "arguments": {"id": "') == ""
    assert len(reader.feed("x" * CALL_CHARACTERS)) > CALL_CHARACTERS


@pytest.mark.parametrize("before", ["", "<tool_call>", "```tool_code\n"])
@pytest.mark.parametrize(
    "piece",
    [
        "[",
        "{",
        '{"name":',
        "<tool_call>",
        "get_span ",
        "```json\n",
        "get_span(",
        "[get_span(",
        "get_span()",
        "get_span(id='",
        '"',
        '"""',
        "<invoke name=get_span>",
        "<parameter=id>",
        "<arg_key>id</arg_key>",
        "call:",
        "</s>",
    ],
)
def test_repeated_beginnings_are_read_without_an_error(before: str, piece: str) -> None:
    read(before + piece * (CALL_CHARACTERS // len(piece) - 10), 4_096)


@given(st.lists(st.sampled_from(PARTS)))
def test_texts_of_any_kind_are_shown_or_called_or_malformed(parts: list[str]) -> None:
    text = "".join(parts)
    for size in (1, 7, max(1, len(text))):
        shown, calls, is_malformed = read(text, size)
        assert shown == ("" if calls or is_malformed else text)
        assert all(isinstance(json.loads(arguments), dict) for _, arguments in calls)


def test_tools_are_callable_in_text_where_they_are_offered_or_were_called() -> None:
    tools = [ToolSpec("get_span", "Reads one span.")]
    asked = User("Why is it slow?")
    result = ToolResult(ToolCall("a", "find_text", "{}"), "Nothing.")
    assert find_callable([asked], tools) == {"get_span"}
    assert find_callable([asked, result], ()) == {"find_text"}


@each_case(
    "question, names",
    [
        ("Write the JSON of a call of get_span.", set()),
        ("Use get_span.", {"get_span"}),
        ("How would I call get_span in Python?", set()),
        ("Why is the JSON broken?", {"get_span"}),
    ],
)
def test_who_asks_for_the_json_of_a_call_gets_it(question: str, names: set[str]) -> None:
    assert find_callable([User(question)], [ToolSpec("get_span", "Reads one span.")]) == names
