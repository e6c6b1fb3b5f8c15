"""Effects outside that happened twice, with the model calls that asked for them again."""

from typing import Any

from app.analysis.analyse_trace import analyse_trace
from app.analysis.finding import Category, Finding
from app.opik.records import Span
from tests.analysis.timeline import span, trace

SECOND = 1_000.0
GIVEN = {"account": "A-1", "cents": 900}


def find_repeats(*results: Any) -> list[Finding]:
    """The findings where a model asks for one refund after another, with these results."""
    spans: list[Span] = [span("root", 0, 30 * SECOND, input={"question": "Refund A-1, please."})]
    for place, result in enumerate(results):
        at = 2 * place * SECOND
        called = {"role": "assistant", "tool_calls": [{"id": "c", "function": _call()}]}
        asked = {"messages": [{"role": "user", "content": "Refund A-1, please."}]}
        below = {"parent_span_id": "root"}
        spans += [
            span(f"m{place}", at, at + SECOND, type="llm", input=asked, output=called, **below),
            span(
                f"t{place}",
                at + SECOND,
                at + 2 * SECOND,
                name="issue_refund",
                type="tool",
                input=GIVEN,
                output=result,
                **below,
            ),
        ]
    found = analyse_trace(trace(), spans).findings
    return [finding for finding in found if finding.category is Category.REPEATED_EFFECT]


def _call() -> dict[str, Any]:
    return {"name": "issue_refund", "arguments": GIVEN}


def test_all_calls_are_named_and_the_model_calls_that_asked_again() -> None:
    (found,) = find_repeats({"refund": "R-10"}, {"refund": "R-11"}, {"refund": "R-12"})
    assert found.spans[0] == "t1"
    assert set(found.spans) == {"t0", "t1", "t2", "m1", "m2"}
    assert "R-10, R-11, R-12" in found.sentence
    assert found.numbers == {"calls": 3, "again": 2}


def test_a_call_that_was_honoured_is_not_made_again() -> None:
    assert find_repeats({"refund": "R-10"}, {"refund": "R-10"}) == []


def test_a_call_after_one_that_did_nothing_is_the_first_that_worked() -> None:
    assert find_repeats({"state": "rejected"}, {"refund": "R-10"}) == []
    assert find_repeats({"error": "the ledger is locked"}, {"refund": "R-10"}) == []
