"""Questions to begin with and to go on with."""

from dataclasses import replace
from typing import Any

import pytest

from app.analysis.baseline import Usual, Window
from app.analysis.baseline_findings import with_usual
from app.analysis.finding import Category, Finding
from app.analysis.trace_analysis import Examination, examine
from app.opik.records import ErrorInfo
from app.tools.suggestions import follow_ups, starters
from app.web.markdown.allowed_links import urls_in
from tests.analysis.timeline import at, draw, span, trace
from tests.tools.desk import a_span, desk_with

HEALTHY = """
    root  |---------|
      ask  |-------|
"""
FAILED = """
    root*  |---------|
      ask*   |----|
"""


def look(picture: str, /, *, about: Any = None, **more: Any) -> Examination:
    return examine(about or trace(), draw(picture, **more))


def name(span_id: str) -> str:
    return span_id


def test_a_failed_trace_is_asked_for_its_cause_first() -> None:
    questions = starters(look(FAILED, about=trace(error_info=ErrorInfo(message="m"))), name)
    assert questions[:2] == (
        "What caused this error?",
        "Why did “ask” fail, and what would prevent it?",
    )


def test_an_unfinished_trace_is_asked_how_far_it_got() -> None:
    questions = starters(look("\n    root  |-----\n", about=trace(end=None)), name)
    assert "How far did this trace get, and what is it waiting for?" in questions
    assert "What was “root” doing when it broke off?" in questions


def test_a_healthy_trace_is_asked_for_its_time_its_cost_and_its_course() -> None:
    costs = {"ask": {"total_estimated_cost": 0.25}}
    assert starters(look(HEALTHY, **costs), name) == (
        "Why does “ask” take 8.0 ms of the 10.0 ms?",
        "What drives the cost of $0.25?",
        "What does this trace do, step by step?",
    )


def test_a_trace_of_a_thread_is_asked_for_the_users_wish() -> None:
    questions = starters(look(HEALTHY, about=trace(thread_id="t-1")), name)
    assert questions[:2] == (
        "What did the user want here, and did the answer give it?",
        "How did this conversation go so far?",
    )
    after = follow_ups(look(FAILED, about=trace(thread_id="t-1")), name)
    assert "How did this conversation go so far?" in after
    assert after[0] == "Why did “ask” fail, and what would prevent it?"


def test_a_failed_trace_is_compared_with_healthy_ones_where_there_are_some() -> None:
    seen = look(FAILED, about=trace(error_info=ErrorInfo(message="m")))
    question = "What do healthy runs do that this one does not?"
    window = Window(at(0), at(9))
    assert question not in follow_ups(seen, name)
    assert question in follow_ups(with_usual(seen, Usual(window, 30, 2)), name)
    assert question not in follow_ups(with_usual(seen, Usual(window, 30, 30)), name)


@pytest.mark.parametrize(
    "seen",
    [
        examine(trace(), []),
        look(HEALTHY),
        look(FAILED),
        examine(trace(end=None), [span("a", 0, None)]),
    ],
)
def test_there_are_always_three_different_questions(seen: Examination) -> None:
    for questions in (starters(seen, name), follow_ups(seen, lambda _: None)):
        assert len(set(questions)) == 3
        assert all(each.endswith("?") and len(each) <= 120 for each in questions)


@pytest.mark.parametrize("category", list(Category))
def test_each_kind_of_finding_has_its_one_question(category: Category) -> None:
    other = Category.UNFINISHED if category is not Category.UNFINISHED else Category.LOOP
    findings = [
        Finding(category, 0.9, "said", ("ask",)),
        Finding(category, 0.8, "said", ("root",)),
        Finding(other, 0.7, "said", ("root",)),
        Finding(category, 0.6, "said", ()),
    ]
    questions = follow_ups(replace(look(HEALTHY), findings=tuple(findings)), name)
    about_the_trace = category in (
        Category.GUARDRAIL,
        Category.LOW_SCORE,
        Category.SLOWER_THAN_USUAL,
        Category.COSTLIER_THAN_USUAL,
    )
    assert ("“ask”" in questions[0]) != about_the_trace
    assert "“root”" in questions[1]
    assert "NAME" not in "".join(questions)


def test_a_finding_about_no_span_is_about_the_trace() -> None:
    findings = (Finding(Category.EMPTY_RESULT, 0.9, "said", ()),)
    questions = follow_ups(replace(look(HEALTHY), findings=findings), name)
    assert questions[0] == "Why did this trace return nothing, and what came of it?"


def test_hostile_names_stay_one_bounded_line_of_plain_text() -> None:
    evil = "NAME {x} %s\n![](http://evil/)\u202e\u0000" + "n" * 9_000
    questions = follow_ups(look(FAILED), lambda _: evil)
    assert questions[0].startswith("Why did “NAME {x} %s ![](http: //evil/)\\x00nnn")
    assert all("\n" not in each and len(each) <= 120 for each in questions)


@pytest.mark.parametrize(
    "address", ["https://evil.example/p", "FTP://evil.example/p", "www.evil.example", "WWW.evil.x"]
)
def test_an_address_in_a_name_is_none_in_a_question(address: str) -> None:
    seen = look(FAILED, about=trace(error_info=ErrorInfo(message="m")))
    asked = [*starters(seen, lambda _: f"see {address} now"), *follow_ups(seen, lambda _: address)]
    assert any("evil" in each for each in asked)
    assert not urls_in(" ".join(asked))


async def test_an_opened_trace_offers_both() -> None:
    error = {"exception_type": "E", "message": "m"}
    async with desk_with(a_span(1, name="agent {x}", error_info=error)) as desk:
        assert desk.ready.starters[0] == "What caused this error?"
        assert "“agent {x}”" in desk.ready.suggestions[0]
