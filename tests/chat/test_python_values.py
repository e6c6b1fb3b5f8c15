"""Values and calls that models write as Python."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.chat.python_values import find_end, read_python_calls, read_python_value
from testkit.case_tables import each_case


@each_case(
    "text, value",
    [
        ("{'id': 's1'}", {"id": "s1"}),
        ("{'note': \"it's late\", 'last': True, }", {"note": "it's late", "last": True}),
        ("{\"a\": null, 'b': [1, -2.5, (3,)],}", {"a": None, "b": [1, -2.5, [3]]}),
        (r"{'regex': '\.\\.\\\.', 'path': 'c:\\d'}", {"regex": "\\.\\.\\\\.", "path": "c:\\d"}),
        (r"{'words': 'a\'b', 'regex': '\d+\n'}", {"words": "a'b", "regex": "\\d+\n"}),
        ("{'words': 'two\nlines ) ]'}", {"words": "two\nlines ) ]"}),
        ("{'words': '''two\nlines'''}", {"words": "two\nlines"}),
        ("[{'id': false}]", [{"id": False}]),
        ("{}", {}),
    ],
)
def test_a_python_value_is_read_up_to_its_end(text: str, value: Any) -> None:
    assert read_python_value(text) == (value, len(text))
    assert read_python_value(f"- {text}</tool_call> {text}", 2) == (value, len(text) + 2)


@each_case(
    "text",
    [
        "{id: 1}",
        "{'id': open('x')}",
        "{'id': x}",
        "{'id': 1e999}",
        "{'id': f'{x}'}",
        "{'id': 1 + 2}",
        "{1: 2}",
        "{**{}}",
        "{'id'}",
        "{'id': 'what's new'}",
        "{'id': 's1'",
        "{'id': ]}",
        "{'id': b'x'}",
        "{'id': 1j}",
        "{'id': ...}",
        "[" * 100_000,
        "[" * 5_000 + "]" * 5_000,
        "{'id': '" + "x" * 70_000 + "'}",
        "{'id': '\0'}",
    ],
)
def test_what_is_no_literal_is_refused(text: str) -> None:
    try:
        value = read_python_value(text)
    except ValueError:
        return
    raise AssertionError(value)


@each_case(
    "text, calls",
    [
        ("look(id='s1')", [("look", {"id": "s1"})]),
        ("[look(id='s1, s2'), wait()]", [("look", {"id": "s1, s2"}), ("wait", {})]),
        ("print(default_api.look(ids=['s1'],\n  deep=True))", [
            ("default_api.look", {"ids": ["s1"], "deep": True})
        ]),
        ("look(id='a'), wait()", [("look", {"id": "a"}), ("wait", {})]),
        ("[]", []),
    ],
)  # fmt: skip
def test_calls_with_named_arguments_are_read(text: str, calls: Any) -> None:
    assert read_python_calls(text) == calls


@each_case(
    "text",
    ["look('s1')", "look(**x)", "look(id=x)", "look(id=y())", "x = look()", "look", "[1]", "a()()"],
)
def test_other_expressions_are_no_calls(text: str) -> None:
    try:
        calls = read_python_calls(text)
    except ValueError:
        return
    raise AssertionError(calls)


@each_case("text, end", [("(a)b", 3), ("[')']x", 5), ("{", -1), ("(a", -1), ("('", -1)])
def test_the_end_of_a_bracket_is_found(text: str, end: int) -> None:
    assert find_end(text) == end


@given(st.text(st.sampled_from("[](){}'\"\\,:a1 \n.=")))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (read_python_value, read_python_calls):
        try:
            read(text)
        except ValueError:
            continue
