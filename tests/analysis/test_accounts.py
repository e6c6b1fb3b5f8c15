"""One fault is told once, by the finding that says most of it."""

from collections.abc import Sequence
from typing import Any

from app.analysis.analyse_trace import analyse_trace
from app.analysis.trace_analysis import TraceAnalysis
from app.opik.records import ErrorInfo, Span
from tests.analysis.timeline import span, trace

BROKEN = ErrorInfo(exception_type="JSONDecodeError", message="Unterminated string at char 19")
SLOW = ErrorInfo(exception_type="ReadTimeout", message="no answer from the lock within 30 s")


def analyse(spans: Sequence[Span], **more: Any) -> TraceAnalysis:
    return analyse_trace(trace(**more), spans)


def kinds(analysis: TraceAnalysis) -> tuple[list[str], list[str]]:
    """The categories of the findings and of the notes."""
    found, notes = analysis.findings, analysis.notes
    return [each.category.value for each in found], [each.category.value for each in notes]


def test_a_cut_reply_and_the_error_that_it_caused_are_one_finding() -> None:
    asked = {"messages": [{"role": "user", "content": "List the locks"}], "max_tokens": 90}
    text = '{"locks": ["Trollhä'
    cut = {"choices": [{"finish_reason": "length", "message": {"content": text}}]}
    spans = [
        span("root", 0, 9, error_info=BROKEN),
        span("write", 1, 2, type="llm", parent_span_id="root", input=asked, output=cut),
        span("parse", 3, 4, parent_span_id="root", input={"text": text}, error_info=BROKEN),
    ]
    analysis = analyse(spans, error_info=BROKEN)
    assert kinds(analysis)[0] == ["cause_of_error"]
    assert analysis.findings[0].spans[:2] == ("write", "parse")


def test_an_error_says_how_often_it_was_tried_and_how_long_that_took() -> None:
    given: dict[str, Any] = {"type": "tool", "name": "lock.open", "input": {"lock": "Åkers"}}
    spans = [
        span("root", 0, 99, error_info=SLOW),
        *(
            span(f"t{i}", 31 * i, 31 * i + 30, parent_span_id="root", error_info=SLOW, **given)
            for i in range(3)
        ),
    ]
    analysis = analyse(spans, error_info=SLOW)
    assert kinds(analysis)[0] == ["error_origin"]
    assert "it was tried 3 times, 92.0 ms lost." in analysis.findings[0].sentence


def test_a_retry_that_worked_is_one_note() -> None:
    given: dict[str, Any] = {"type": "tool", "name": "lock.open", "input": {"lock": "Åkers"}}
    spans = [
        span("root", 0, 9),
        span("a", 1, 2, parent_span_id="root", error_info=SLOW, **given),
        span("b", 3, 4, parent_span_id="root", output={"open": True}, **given),
    ]
    assert kinds(analyse(spans)) == ([], ["error_survived"])


def test_a_loop_of_empty_lookups_is_one_finding() -> None:
    given: dict[str, Any] = {"type": "tool", "name": "search_locks", "parent_span_id": "root"}
    spans = [
        span("root", 0, 900, output={"error": "gave up"}),
        *(
            span(f"t{i}", 60 * i, 60 * i + 50, input={"name": "Akers"}, output=[], **given)
            for i in range(7)
        ),
    ]
    assert kinds(analyse(spans))[0] == ["loop"]


def test_a_cache_that_always_misses_and_the_work_after_it_are_one_finding() -> None:
    spans = [span("root", 0, 120_000, output="The tides are drawn.")]
    for i in range(12):
        at = 10_000 * i
        key = {"key": f"tide:Ems:{1_780_000_000 + 977 * i}"}
        step: dict[str, Any] = {"parent_span_id": f"step{i}", "type": "tool"}
        around = {"name": "draw_tide", "input": {"sheet": i}, "parent_span_id": "root"}
        curve = {"high": 3.1, "low": 0.4, "curve": [0.4, 1.7, 3.1]}
        work = {"name": "tide_curve", "input": {"gauge": "Ems", "day": "Friday"}, "output": curve}
        spans += [
            span(f"step{i}", at, at + 9_000, **around),
            span(f"read{i}", at, at + 100, name="cache.get", input=key, output=None, **step),
            span(f"work{i}", at + 200, at + 9_000, **work, **step),
        ]
    analysis = analyse(spans)
    assert kinds(analysis)[0] == ["missed_lookups"]
    assert "nothing in all of its 12 calls in draw_tide" in analysis.findings[0].sentence
