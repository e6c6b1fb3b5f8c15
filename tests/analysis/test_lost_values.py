"""Values that were known and then became null, empty or another one."""

from typing import Any

from app.analysis.analyse_trace import analyse_trace
from app.analysis.finding import Category, Finding
from app.opik.records import FeedbackScore, Span
from testkit.case_tables import each_case
from tests.analysis.timeline import span, trace

KNOWN = {"patient_id": "P-17", "ward": "4b"}


def lost(spans: list[Span], given: Any = None) -> list[Finding]:
    found = analyse_trace(trace(input=given), spans).findings
    return [finding for finding in found if finding.category is Category.LOST_VALUE]


def step(span_id: str, start: float, given: Any, returned: Any, kind: str = "general") -> Span:
    return span(span_id, start, start + 1, input=given, output=returned, type=kind)


@each_case(
    "handed_on, says",
    [
        (None, "returned nothing for it; "),
        ("", "returned nothing for it; "),
        ("unknown", "returned “unknown” for it"),
        ("P-99", "returned “P-99” for it"),
    ],
)
def test_the_step_that_dropped_a_value_is_named_before_those_that_missed_it(
    handed_on: str | None, says: str
) -> None:
    spans = [
        step("admit", 0, {"name": "x"}, KNOWN),
        step("hand_over", 2, KNOWN, {"note": "move to ward 5", "patient_id": handed_on}),
        step("book_bed", 4, {"patient_id": handed_on}, {"beds": []}, "tool"),
        step("book_meal", 6, {"patient_id": handed_on}, {"meals": []}, "tool"),
    ]
    (finding,) = lost(spans)
    assert finding.spans == ("hand_over", "book_bed", "book_meal")
    assert says in finding.sentence


@each_case(
    "returned, later",
    [
        (KNOWN, {"patient_id": "P-17"}),
        ({"note": "moved"}, {"patient_id": "P-17"}),
        ({"patient_id": None}, {"ward": "5"}),
        ({"patient_id": None}, {"patient_id": "P-17"}),
    ],
)
def test_a_value_that_no_later_step_misses_is_not_lost(returned: Any, later: Any) -> None:
    spans = [
        step("hand_over", 2, KNOWN, returned),
        step("book_bed", 4, later, {"bed": 3}, "tool"),
    ]
    assert lost(spans) == []


def test_a_step_that_masks_personal_data_loses_nothing() -> None:
    given = {"email": "a@b.org", "text": "hello"}
    spans = [
        step("mask_personal_data", 0, given, {"email": None, "text": "hello"}),
        step("send", 2, {"email": None}, {"sent": True}, "tool"),
    ]
    assert lost(spans) == []


def test_a_key_that_never_had_a_value_is_not_lost() -> None:
    spans = [
        step(f"book{i}", i * 2, {"voucher_id": None, "seat": i}, {"ok": True}) for i in range(4)
    ]
    assert lost(spans) == []


def calls_tool(arguments: str) -> dict[str, Any]:
    call = {"id": "c1", "function": {"name": "list_visits", "arguments": arguments}}
    return {"choices": [{"message": {"content": None, "tool_calls": [call]}}]}


def test_an_argument_for_everybody_is_traced_to_the_model_call_that_wrote_it() -> None:
    spans = [
        span("model", 0, 1, type="llm", output=calls_tool('{"patient_id": "all"}')),
        step("list_visits", 2, {"patient_id": "all"}, {"visits": ["a", "b"]}, "tool"),
    ]
    (finding,) = lost(spans, {"question": "my visits?", "patient_id": "P-17"})
    assert finding.spans == ("model", "list_visits")
    assert "“P-17”" in finding.sentence
    assert lost(spans, {"question": "all visits?"}) == []


def test_ids_of_several_subjects_are_no_loss() -> None:
    spans = [step("search", 0, {"q": "x"}, {"hits": [{"order_id": "A"}, {"order_id": "B"}]})]
    spans += [
        step(f"load{i}", 2 + i, {"order_id": order}, None, "tool") for i, order in enumerate("ABC")
    ]
    assert lost(spans, {"order_id": "A"}) == []


def test_the_ids_of_messages_are_not_read() -> None:
    message = {"type": "ai", "content": "hello", "user_id": None}
    spans = [
        step("chain", 0, {"user_id": "u1"}, {"messages": [message]}),
        step("parse", 2, {"messages": [message]}, "hello"),
    ]
    assert lost(spans) == []


def test_a_cleared_field_matters_only_where_the_trace_ends_badly() -> None:
    spans = [
        step("plan", 0, {"diet": "vegan"}, {"diet": None, "meals": 3}),
        step("order", 2, {"diet": None, "meals": 3}, {"ordered": True}, "tool"),
    ]
    assert lost(spans) == []
    rated = trace(feedback_scores=[FeedbackScore(name="stars", value=0)])
    found = analyse_trace(rated, spans).findings
    assert found[0].spans == ("plan", "order")


def test_an_argument_that_nobody_mentioned_is_found_where_another_was_given() -> None:
    given = {"question": "my visits?", "patient_id": "P-17"}
    spans = [
        span("model", 0, 1, type="llm", output=calls_tool('{"patient_id": "P-71"}')),
        step("list_visits", 2, {"patient_id": "P-71"}, {"visits": ["a"]}, "tool"),
    ]
    (finding,) = lost(spans, given)
    assert finding.spans == ("model", "list_visits")
    assert lost(spans, given | {"question": "are P-71 and I booked on the same day?"}) == []
