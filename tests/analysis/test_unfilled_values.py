"""Placeholders that a model or a tool was given in place of a value."""

import json
from typing import Any

from app.analysis.analyse_trace import analyse_trace
from app.analysis.finding import Category, Finding
from app.opik.records import Span
from testkit.case_tables import each_case
from tests.analysis.timeline import span, trace

FILLED = {"values": {"town": "Ulm", "tramLine": "T-4"}}


def unfilled(spans: list[Span], question: str = "When?") -> list[Finding]:
    found = analyse_trace(trace(input={"question": question}), spans).findings
    return [finding for finding in found if "never filled in" in finding.sentence]


def render(prompt: str, given: Any = FILLED) -> Span:
    return span("render", 0, 1, input=given, output={"prompt": prompt}, type="general")


def ask(prompt: str, reply: str = "At nine.") -> Span:
    return span("chat", 2, 3, type="llm", input={"messages": [_user(prompt)]}, output=_says(reply))


def look_up(argument: str, **more: Any) -> Span:
    fields = {"input": {"tram_line": argument}, "output": {"found": False}, "type": "tool"} | more
    return span("get_stops", 4, 5, **fields)


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def _says(text: str) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": text}}]}


@each_case(
    "placeholder",
    [
        "{{tram_line}}",
        "{{{ tramLine }}}",
        "{{ values.tram_line | upper }}",
        "${tramLine}",
        "#{tram_line}",
        "%(tram_line)s",
        "<%= tram_line %>",
        "{tram_line}",
        "line undefined.",
    ],
)
def test_a_step_that_had_the_value_is_named_before_those_that_were_given_the_placeholder(
    placeholder: str,
) -> None:
    prompt = f"You serve Ulm. The tram is {placeholder}"
    (found,) = unfilled([render(prompt), ask(prompt)])
    assert found.spans == ("render", "chat")
    assert found.category is Category.LOST_VALUE
    assert "tramLine “T-4”" in found.sentence


@each_case(
    "prompt, given, reply",
    [
        ("Greet {{tram_line}} in Ulm.", FILLED, "Hello {{tram_line}}!"),
        ("In Ulm write `{{tram_line}}`.", FILLED, "At nine."),
        ("In Ulm the tram is T-4.", FILLED, "At nine."),
        ("Form: {title}, {body}. Ulm, T-4.", FILLED, "At nine."),
        ("Explain {{tram_line}}", {"page": "All about {{tram_line}}", "tram": "T-4"}, "At nine."),
        ("Ulm: os is ${{ tram_line }}, T-4", FILLED, "At nine."),
        ("Tram: None", {"tram": None}, "At nine."),
    ],
)
def test_a_placeholder_that_is_meant_is_no_fault(prompt: str, given: Any, reply: str) -> None:
    assert not unfilled([render(prompt, given), ask(prompt, reply)])


def test_what_the_user_asks_about_is_no_fault() -> None:
    spans = [
        render("Explain {{tram_line}}"),
        ask("Explain {{tram_line}}"),
        look_up("{{tram_line}}"),
    ]
    assert not unfilled(spans, question="What is {{tram_line}}?")


@each_case(
    "argument", ["{{line}}", "lines/{line}", "/lines/None/stops", "undefined", "<bound method A.b>"]
)
def test_a_call_with_a_placeholder_that_came_to_nothing_is_found(argument: str) -> None:
    spans = [look_up(argument, input={"tram_account": argument})]
    (found,) = unfilled(spans)
    assert found.spans == ("get_stops",)
    assert not unfilled([look_up("T-4")])


def test_a_parameter_beside_the_path_fills_it() -> None:
    given = {"path": "/lines/{line}/stops", "line": 4}
    assert not unfilled([look_up("", input=given)])


def test_the_cause_of_an_error_is_the_step_that_left_the_placeholder() -> None:
    prompt = json.dumps({"tram": "{{tram_line}}"})
    failed = {"exception_type": "HTTPStatusError", "message": "404 Not Found"}
    spans = [render(prompt), ask(prompt), look_up("{{tram_line}}", error_info=failed)]
    (found,) = unfilled(spans)
    assert found.category is Category.CAUSE_OF_ERROR
    assert found.spans == ("render", "chat", "get_stops")
