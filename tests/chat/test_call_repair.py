"""Names and arguments of calls as models misspell them."""

import json

from app.chat.call_repair import repair_calls
from app.messages import ToolCall
from testkit.case_tables import each_case

TOOLS = ("get_span", "find_text")
ID = '{"id": 1}'


def repaired(name: str, arguments: str) -> list[tuple[str, str, str]]:
    calls = repair_calls([ToolCall("a", name, arguments, "theirs")], TOOLS, lambda: "own")
    return [(call.name, call.arguments, call.provider_id) for call in calls]


@each_case(
    "name",
    [
        "functions.get_span",
        "default_api.get_span",
        "tools/get_span",
        "functions.get_span:0",
        "mcp__traces__get_span",
        "get_span<|channel|>commentary",
        "<|constrain|>get_span",
        "get_spanget_span",
        " get_span\n",
        "Get-Span",
    ],
)
def test_a_misspelt_name_is_that_of_the_offered_tool(name: str) -> None:
    assert repaired(name, ID) == [("get_span", ID, "theirs")]


@each_case("name", ["get_spans", "span", "get_span.find_text", "delete", "", "." * 500])
def test_a_name_that_means_no_tool_or_two_stays(name: str) -> None:
    assert repaired(name, ID) == [(name, ID, "theirs")]


@each_case(
    "arguments",
    [
        json.dumps(ID),
        json.dumps(json.dumps(ID)),
        ID + ID,
        "{}" + ID,
        ID + "}",
        ID + "<|call|>",
        f"[{ID}]",
        f"```json\n{ID}\n```",
        f'{{"name": "get_span", "arguments": {ID}}}',
        f'{{"tool": "functions.get_span", "parameters": {ID}}}',
    ],
)
def test_arguments_that_are_wrapped_or_repeated_are_read(arguments: str) -> None:
    assert repaired("get_span", arguments) == [("get_span", ID, "theirs")]


@each_case(
    "arguments",
    [
        f"```json\n{ID}\n```\nI read the first span.",
        f"```\n{ID}\n```  with the id of the span",
        f"Here's what I ask for:\n\n```json\n{ID}\n```",
        "The arguments are\n```python\n{'id': 1}\n```\nand nothing else.",
    ],
)
def test_words_around_fenced_arguments_are_dropped(arguments: str) -> None:
    assert repaired("get_span", arguments) == [("get_span", ID, "theirs")]


@each_case(
    "arguments",
    [
        f"```json\n{ID}\n```\nor\n```json\n{{}}\n```",
        f'```json\n{ID}\nthen {{"id": 2}}\n```',
        '```json\n{"id": \n```\nThe id is missing.',
        f"{ID} and nothing else",
        f"I ask for {ID}",
        '{"text": "```json {} ```',
    ],
)
def test_arguments_among_other_text_stay(arguments: str) -> None:
    assert repaired("get_span", arguments) == [("get_span", arguments, "theirs")]


@each_case("text", ["```json\n{}\n```", "Take ```{}``` words"])
def test_a_fence_inside_of_an_argument_stays(text: str) -> None:
    whole = json.dumps({"name": text})
    assert repaired("get_span", whole) == [("get_span", whole, "theirs")]


@each_case(
    "arguments, meant",
    [
        ("{'id': 's1'}", {"id": "s1"}),
        ("{'words': \"don't stop\", 'deep': True, 'span': None, }", {
            "words": "don't stop", "deep": True, "span": None
        }),
        ('{"id": "s1", "deep": false, }', {"id": "s1", "deep": False}),
        ("[{'id': 's1'}]", {"id": "s1"}),
        ("```json\n{'id': 's1'}\n```", {"id": "s1"}),
        (json.dumps("{'id': 's1'}"), {"id": "s1"}),
        ("{'name': 'get_span', 'arguments': {'id': 's1'}}", {"id": "s1"}),
    ],
)  # fmt: skip
def test_arguments_in_python_are_read(arguments: str, meant: object) -> None:
    [(_, read, _)] = repaired("get_span", arguments)
    assert json.loads(read) == meant


def test_two_different_arguments_behind_each_other_are_two_calls() -> None:
    assert repaired("get_span", f'{ID}{{"id": 2}}') == [
        ("get_span", ID, "theirs"),
        ("get_span", '{"id": 2}', ""),
    ]


@each_case(
    "arguments",
    [
        ID,
        '{"id":1}',
        '{"text": "{\\"id\\": 1}"}',
        '{"name": "x"}',
        '{"id": 1',
        "{id}",
        "[1]",
        "",
        "7",
        '"words"',
        ID + " and more",
        '{"id": NaN}',
        "{'id': open('x')}",
        "{'words': 'don't stop'}",
        "[" * 100_000,
    ],
)
def test_arguments_that_are_right_or_cannot_be_read_stay(arguments: str) -> None:
    assert repaired("get_span", arguments) == [("get_span", arguments, "theirs")]


def names_and_arguments(*calls: tuple[str, str]) -> list[tuple[str, str, str]]:
    built = [ToolCall(str(at), name, text, f"p{at}") for at, (name, text) in enumerate(calls)]
    found = repair_calls(built, TOOLS, lambda: "own")
    return [(call.name, call.arguments, call.provider_id) for call in found]


@each_case("names", [("get_", "span"), ("g", "et_s", "pan"), ("get_s", "get_span")])
def test_a_name_that_comes_in_pieces_is_joined(names: tuple[str, ...]) -> None:
    *begun, last = names
    pieces = [*((name, "") for name in begun), (last, ID), ("find_text", ID)]
    found = names_and_arguments(*pieces)
    assert found == [("get_span", ID, "p0"), ("find_text", ID, f"p{len(names)}")]


@each_case(
    "calls",
    [
        [("get_", ID), ("span", ID)],
        [("get_spans", ""), ("find_text", ID)],
        [("get_span", ID), ("find_", "")],
        [("get_span", ""), ("get_span", ID)],
        [("span", ""), ("get_span", ID)],
        [("delete", ""), ("all", ID)],
    ],
)
def test_names_that_join_to_no_offered_tool_stay(calls: list[tuple[str, str]]) -> None:
    assert [call[:2] for call in names_and_arguments(*calls)] == calls


@each_case("name", ["multi_tool_use.parallel", "multi_tool_use_parallel", "parallel", "batch"])
@each_case(
    "arguments",
    [
        {"tool_uses": [{"recipient_name": "functions.get_span", "parameters": {"id": 1}},
                       {"recipient_name": "functions.find_text", "parameters": {}}]},
        {"calls": [{"tool": "get_span", "arguments": {"id": 1}}, {"tool": "find_text"}]},
        {"tool_calls": [{"name": "get_span", "input": {"id": 1}}, {"name": "find_text"}]},
    ],
)  # fmt: skip
def test_calls_that_are_listed_in_another_one_are_made(name: str, arguments: object) -> None:
    assert repaired(name, json.dumps(arguments)) == [
        ("get_span", ID, "theirs"),
        ("find_text", "{}", ""),
    ]


@each_case(
    "arguments",
    [
        "",
        "{}",
        '{"tool_uses": []}',
        '{"tool_uses": [1]}',
        '{"tool_uses": [{"recipient_name": "delete", "parameters": {}}]}',
        '{"tool_uses": [{"recipient_name": "get_span", "parameters": "x"}]}',
        '{"tool_uses": [{"recipient_name": "get_span"}], "why": "x"}',
        '{"tool_uses": [{"recipient_name": "get_span"}',
    ],
)
def test_what_lists_no_offered_calls_stays(arguments: str) -> None:
    assert repaired("multi_tool_use.parallel", arguments) == [
        ("multi_tool_use.parallel", arguments, "theirs")
    ]
