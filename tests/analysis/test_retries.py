"""Calls that failed and were tried again."""

from collections.abc import Sequence
from typing import Any

from app.analysis.analyse_trace import analyse_trace
from app.analysis.finding import Category, Finding
from app.opik.records import ErrorInfo, Span
from tests.analysis.timeline import span, trace

LIMITED = {"error_info": ErrorInfo(exception_type="RateLimitError", message="429 slow down")}
BROKEN = {"error_info": ErrorInfo(exception_type="ConnectError", message="connection reset")}


def step(span_id: str, start: float, end: float, /, **more: Any) -> Span:
    fields = {"type": "tool", "parent_span_id": "root", "name": "ask", "input": {"q": "x"}} | more
    return span(span_id, start, end, **fields)


def retries(spans: Sequence[Span], *, notes: bool = False, length: float = 60) -> list[Finding]:
    analysis = analyse_trace(trace(), [span("root", 0, length, input={"job": 1}), *spans])
    found = analysis.notes if notes else analysis.findings
    return [finding for finding in found if finding.category is Category.RETRIES]


def throttled(**more: Any) -> list[Span]:
    """Three attempts that were refused, with growing waits, and one that worked."""
    return [
        step("a", 0, 2, **(LIMITED | more)),
        step("b", 4, 6, **(LIMITED | more)),
        step("c", 14, 16, **(LIMITED | more)),
        step("d", 40, 50, **({"output": "fine"} | more)),
    ]


def test_failed_calls_that_are_tried_again_with_growing_waits_are_retries() -> None:
    (finding,) = retries(throttled())
    assert finding.spans[0] == "a"
    assert finding.numbers == {"attempts": 4, "failures": 3, "lost_ms": 40.0}
    assert "hit a rate limit 3 times in a row" in finding.sentence
    assert "growing waits, then worked" in finding.sentence


def test_attempts_are_found_whatever_wraps_or_numbers_them() -> None:
    wrapped = []
    for i, call in enumerate(throttled()):
        wrapper = {"name": f"attempt {i}", "type": None, "input": {"attempt": i}}
        wrapped += [
            call.model_copy(update=wrapper | {"id": f"w{i}", "error_info": None}),
            call.model_copy(update={"parent_span_id": f"w{i}"}),
        ]
    nested = []
    for i, call in enumerate(throttled()):
        level = {"name": "call", "type": None, "input": {"q": "x", "attempt": i}, "output": "fine"}
        parent = f"n{i - 1}" if i else "root"
        outer = {
            "id": f"n{i}",
            "parent_span_id": parent,
            "error_info": None,
            "end_time": throttled()[-1].end_time,
        }
        nested += [
            call.model_copy(update=level | outer),
            call.model_copy(update={"parent_span_id": f"n{i}"}),
        ]
    numbered = [call.model_copy(update={"name": f"try {i}"}) for i, call in enumerate(throttled())]
    pauses = [
        step(f"p{i}", at, at + 1, name="sleep", input={"s": i}) for i, at in enumerate((2, 6, 16))
    ]
    for spans in (wrapped, nested, numbered, [*throttled(), *pauses]):
        (finding,) = retries(spans)
        assert finding.spans[:4] == ("a", "b", "c", "d")


def test_a_refused_call_is_known_by_its_status_where_it_raised_nothing() -> None:
    for record in ({"output": {"status": 429}}, {"metadata": {"http.response.status_code": 429}}):
        spans = throttled(error_info=None, **record)
        spans[-1] = step("d", 40, 50, output={"status": 200})
        (finding,) = retries(spans)
        assert "hit a rate limit 3 times" in finding.sentence


def test_calls_that_never_worked_are_a_finding() -> None:
    (finding,) = retries([step(f"a{i}", 10 * i, 10 * i + 5, **BROKEN) for i in range(4)])
    assert "failed 4 times in a row" in finding.sentence
    assert "never worked" in finding.sentence


def test_retries_that_worked_soon_are_one_note() -> None:
    spans = []
    for i in range(22):
        same = {"name": f"upload {i % 2}", "input": {"file": i}}
        spans += [
            step(f"a{i}", 20 * i, 20 * i + 3, **same, **BROKEN),
            step(f"b{i}", 20 * i + 5, 20 * i + 15, **same, output="stored"),
        ]
    assert retries(spans, length=440 * 9) == []
    (note,) = retries(spans, notes=True, length=440 * 9)
    assert "22 calls failed and worked when tried again: upload # (22)" in note.sentence


def test_equal_throttling_of_many_calls_is_one_finding() -> None:
    spans = []
    for i in range(40):
        same = {"input": {"row": i}}
        spans += [
            step(f"a{i}", 20 * i, 20 * i + 1, **same, **LIMITED),
            step(f"b{i}", 20 * i + 15, 20 * i + 20, **same, output="fine"),
        ]
    (finding,) = retries(spans, length=800)
    assert "40 calls of it were retried" in finding.sentence


def test_the_same_call_of_another_task_is_no_further_attempt() -> None:
    spans = []
    for i, task in enumerate(("lamp", "table")):
        spans.append(
            step(f"t{i}", 20 * i, 20 * i + 9, name="task", type=None, input={"task": task})
        )
        spans.append(
            step(
                f"r{i}",
                20 * i,
                20 * i + 5,
                name="rates",
                parent_span_id=f"t{i}",
                **(LIMITED if i == 0 else {"output": 1}),
            )
        )
    assert retries(spans) == retries(spans, notes=True) == []
