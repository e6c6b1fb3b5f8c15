"""Questions to begin with and to go on with."""

from dataclasses import replace
from typing import Any

import pytest

from app.analysis.analyse_trace import analyse_trace
from app.analysis.baseline import Baseline, BaselineWindow
from app.analysis.baseline_findings import add_baseline_findings
from app.analysis.finding import Category, Finding, Standing
from app.analysis.trace_analysis import TraceAnalysis
from app.opik.records import ErrorInfo
from app.tools.suggestions import suggest_first_questions, suggest_next_questions
from app.web.markdown.allowed_links import find_urls
from testkit.case_tables import each_case
from tests.analysis.timeline import at, draw, span, trace
from tests.tools.trace_harness import a_span, opened_trace_of

HEALTHY = """
    root  |---------|
      ask  |-------|
"""
FAILED = """
    root*  |---------|
      ask*   |----|
"""


def look(picture: str, /, *, about: Any = None, **more: Any) -> TraceAnalysis:
    return analyse_trace(about or trace(), draw(picture, **more))


def name(span_id: str) -> str:
    return span_id


def test_a_failed_trace_is_asked_for_its_cause_first() -> None:
    questions = suggest_first_questions(
        look(FAILED, about=trace(error_info=ErrorInfo(message="m"))), name
    )
    assert questions[:2] == (
        "What caused this error?",
        "Why did “ask” fail, and what would prevent it?",
    )


def test_an_unfinished_trace_is_asked_how_far_it_got() -> None:
    questions = suggest_first_questions(look("\n    root  |-----\n", about=trace(end=None)), name)
    assert "How far did this trace get, and what is it waiting for?" in questions
    assert "What was “root” doing when it broke off?" in questions


def test_a_healthy_trace_is_asked_for_its_time_its_cost_and_its_course() -> None:
    assert suggest_first_questions(analyse_seconds(total_estimated_cost=0.25), name) == (
        "Why does “ask” take 8.00 s of the 10.00 s?",
        "What drives the cost of $0.25?",
        "What does this trace do, step by step?",
    )


def analyse_seconds(*, notes: tuple[Finding, ...] = (), **more: Any) -> TraceAnalysis:
    """A healthy trace of ten seconds with a call of eight."""
    spans = [span("root", 0, 10_000), span("ask", 1_000, 9_000, parent_span_id="root", **more)]
    return replace(analyse_trace(trace(end=10_000), spans), notes=notes)


@each_case(
    "more, asked",
    [
        ({"total_estimated_cost": 0.000026}, None),
        ({"total_estimated_cost": 0.02}, "What drives the cost of $0.02?"),
        ({"usage": {"total_tokens": 75}}, None),
        ({"usage": {"total_tokens": 75_000}}, "Where do the 75,000 tokens go?"),
    ],
)
def test_amounts_too_small_for_a_question_are_not_asked_about(
    more: dict[str, Any], asked: str | None
) -> None:
    questions = suggest_next_questions(analyse_seconds(**more), name)
    about_amounts = [each for each in questions if "cost of" in each or "tokens" in each]
    assert about_amounts == ([asked] if asked else [])


def test_a_short_trace_is_not_asked_where_its_time_goes() -> None:
    assert not any("take" in each for each in suggest_next_questions(look(HEALTHY), name))


def test_notes_are_asked_about_after_findings_and_suppose_no_fault() -> None:
    notes = (
        Finding(Category.FAILURE_TEXT, 0.9, "sentence", ("ask",), standing=Standing.NOTE),
        Finding(Category.RETRIES, 0.9, "sentence", ("ask",), standing=Standing.NOTE),
    )
    questions = suggest_next_questions(analyse_seconds(notes=notes), name)
    assert questions[:2] == (
        "What happened in “ask”, and did it matter?",
        "Why was “ask” tried again, and how much time did that take?",
    )
    found = (Finding(Category.LOOP, 0.9, "sentence", ("root",)),)
    assert suggest_next_questions(replace(analyse_seconds(notes=notes), findings=found), name)[
        :2
    ] == ("Why does “root” run again and again?", questions[0])


def test_a_trace_of_a_thread_is_asked_for_the_users_wish() -> None:
    questions = suggest_first_questions(look(HEALTHY, about=trace(thread_id="t-1")), name)
    assert questions[:2] == (
        "What did the user want here, and did the answer give it?",
        "How did this conversation go so far?",
    )
    after = suggest_next_questions(look(FAILED, about=trace(thread_id="t-1")), name)
    assert "How did this conversation go so far?" in after
    assert after[0] == "Why did “ask” fail, and what would prevent it?"


def test_a_failed_trace_is_compared_with_healthy_ones_where_there_are_some() -> None:
    analysis = look(FAILED, about=trace(error_info=ErrorInfo(message="m")))
    question = "What do healthy runs do that this one does not?"
    window = BaselineWindow(at(0), at(9))
    assert question not in suggest_next_questions(analysis, name)
    assert question in suggest_next_questions(
        add_baseline_findings(analysis, Baseline(window, 30, 2)), name
    )
    assert question not in suggest_next_questions(
        add_baseline_findings(analysis, Baseline(window, 30, 30)), name
    )


@pytest.mark.parametrize(
    "analysis",
    [
        analyse_trace(trace(), []),
        look(HEALTHY),
        look(FAILED),
        analyse_trace(trace(end=None), [span("a", 0, None)]),
    ],
)
def test_there_are_always_three_different_questions(analysis: TraceAnalysis) -> None:
    for questions in (
        suggest_first_questions(analysis, name),
        suggest_next_questions(analysis, lambda _: None),
    ):
        assert len(set(questions)) == 3
        assert all(each.endswith("?") and len(each) <= 120 for each in questions)


@pytest.mark.parametrize("category", list(Category))
def test_each_kind_of_finding_has_its_one_question(category: Category) -> None:
    other = Category.UNFINISHED if category is not Category.UNFINISHED else Category.LOOP
    findings = [
        Finding(category, 0.9, "sentence", ("ask",)),
        Finding(category, 0.8, "sentence", ("root",)),
        Finding(other, 0.7, "sentence", ("root",)),
        Finding(category, 0.6, "sentence", ()),
    ]
    questions = suggest_next_questions(replace(look(HEALTHY), findings=tuple(findings)), name)
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
    findings = (Finding(Category.EMPTY_RESULT, 0.9, "sentence", ()),)
    questions = suggest_next_questions(replace(look(HEALTHY), findings=findings), name)
    assert questions[0] == "Why did this trace return nothing, and what came of it?"


def test_hostile_names_stay_one_bounded_line_of_plain_text() -> None:
    evil = "NAME {x} %s\n![](http://evil/)\u202e\u0000" + "n" * 9_000
    questions = suggest_next_questions(look(FAILED), lambda _: evil)
    assert questions[0].startswith("Why did “NAME {x} %s ![](http: //evil/)\\x00nnn")
    assert all("\n" not in each and len(each) <= 120 for each in questions)


@pytest.mark.parametrize(
    "address", ["https://evil.example/p", "FTP://evil.example/p", "www.evil.example", "WWW.evil.x"]
)
def test_an_address_in_a_name_is_none_in_a_question(address: str) -> None:
    analysis = look(FAILED, about=trace(error_info=ErrorInfo(message="m")))
    asked = [
        *suggest_first_questions(analysis, lambda _: f"see {address} now"),
        *suggest_next_questions(analysis, lambda _: address),
    ]
    assert any("evil" in each for each in asked)
    assert not find_urls(" ".join(asked))


async def test_an_opened_trace_offers_both() -> None:
    error = {"exception_type": "E", "message": "m"}
    async with opened_trace_of(a_span(1, name="agent {x}", error_info=error)) as harness:
        assert harness.context.starting_questions[0] == "What caused this error?"
        assert "“agent {x}”" in harness.context.suggestions[0]
