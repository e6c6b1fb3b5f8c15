"""Errors that ended a trace, those that were handled, what caused them, and spans that hang."""

from collections.abc import Sequence
from typing import Any

from app.analysis.analyse_trace import analyse_trace
from app.analysis.finding import Category, Finding
from app.opik.records import ErrorInfo, FeedbackScore, Span, Trace
from testkit.case_tables import each_case
from tests.analysis.timeline import draw, span, trace


def found(spans: Sequence[Span], record: Trace | None = None) -> list[Finding]:
    return list(analyse_trace(record or trace(), spans).findings)


def culprits(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    return [(each.category.value, each.spans[0]) for each in findings]


def child(span_id: str, start: float, **more: Any) -> Span:
    return span(span_id, start, start + 1, **({"parent_span_id": "root"} | more))


def broke(kind: str, message: str) -> dict[str, Any]:
    return {"error_info": ErrorInfo(exception_type=kind, message=message)}


TIMED_OUT = broke("TimeoutError", "no answer within 2 s")


@each_case(
    "spans",
    [
        [
            child("a", 0, name="read", type="tool", input={"q": "x"}, **TIMED_OUT),
            child("b", 2, name="read", type="tool", input={"q": "x"}, output="fine"),
        ],
        [child("rerank", 0, type="tool", input={"documents": ["x"]}, **TIMED_OUT)],
        [
            child("retrieve", 0, output={"output": ["a", "b"]}),
            span("fetch", 0, 1, parent_span_id="retrieve", type="tool", **TIMED_OUT),
        ],
        [
            child("big", 0, type="llm", input={"messages": ["hi"], "model": "a"}, **TIMED_OUT),
            child("small", 2, type="llm", input={"messages": ["hi"], "model": "b"}, output="hi"),
        ],
        [child("a", 0, type="tool", **broke("CancelledError", ""))],
        [child("a", 0, type="tool", **broke("langgraph.errors.ParentCommand", "goto: b"))],
    ],
)
def test_an_error_that_was_made_good_for_is_no_finding(spans: list[Span]) -> None:
    assert found([span("root", 0, 9, output="All is done."), *spans]) == []


def test_a_tool_that_failed_for_the_model_is_a_finding_unless_the_trace_was_rated_well() -> None:
    call = {"id": "c", "function": {"name": "track", "arguments": "{}"}}
    spans = [
        span("root", 0, 9, output={"answer": "It arrives tomorrow."}),
        child("model", 0, type="llm", output={"choices": [{"message": {"tool_calls": [call]}}]}),
        child("track", 2, type="general", **broke("ConnectionRefusedError", "carrier:8443")),
    ]
    assert culprits(found(spans)) == [("error_survived", "track")]
    assert found(spans, trace(feedback_scores=[FeedbackScore(name="stars", value=1)])) == []


def test_an_error_of_a_guardrail_goes_back_to_the_check_that_failed() -> None:
    spans = [
        span("root", 0, 9, **broke("GuardrailBlocked", "Validation failed: TOPIC")),
        child("load_notes", 0, type="tool", input={"user": "u"}, output={"output": []}),
        child("check", 2, **broke("GuardrailBlocked", "Validation failed: TOPIC")),
        span(
            "guard",
            2,
            3,
            parent_span_id="check",
            type="guardrail",
            output={"validation_passed": False, "guardrail_result": "failed"},
        ),
    ]
    assert culprits(found(spans)) == [("failed_guardrail", "guard"), ("error_origin", "check")]


def test_a_check_that_passed_when_the_answer_was_written_anew_is_a_note() -> None:
    failed = {"input": {"text": "a"}, "output": {"passed": False}, "type": "guardrail"}
    passed = {"input": {"text": "b"}, "output": {"passed": True}, "type": "guardrail"}
    spans = [
        span("root", 0, 9, output="b"),
        child("one", 0, name="guard", **failed),
        child("two", 2, name="guard", **passed),
    ]
    assert found(spans) == []
    assert culprits(found(spans[:2])) == [("failed_guardrail", "one")]


KEY_ERROR = broke("KeyError", "'fare'")


@each_case(
    "lookup, error, cause",
    [
        ({"output": {"sailing": "F1", "source": "cache"}}, KEY_ERROR, True),
        ({"output": {"rates": {}, "sailing": "F1"}}, KEY_ERROR, True),
        ({"output": {"sailing": "F1", "fare": 18}}, KEY_ERROR, False),
        ({"output": None}, broke("TypeError", "'NoneType' object is not subscriptable"), True),
        ({"output": {"rates": {}}}, broke("PermissionError", "access denied"), False),
        ({"output": {"rates": {}}}, broke("ConnectionError", "no route, 503 unavailable"), False),
    ],
)
def test_an_error_about_what_is_missing_goes_back_to_the_lookup_that_lacked_it(
    lookup: dict[str, Any], error: dict[str, Any], cause: bool
) -> None:
    spans = [
        span("root", 0, 9, **error),
        child("check_user", 0, type="tool", input={"user": 7}, output={"allowed": True}),
        child("load_sailing", 2, type="tool", input={"sailing": "F1"}, **lookup),
        child("price", 4, input={"seats": 2}, **error),
    ]
    first = culprits(found(spans))[0]
    assert first == (("cause_of_error", "load_sailing") if cause else ("error_origin", "price"))


def test_a_result_that_was_asked_for_what_the_error_names_is_the_cause() -> None:
    spans = [span("root", 0, 90, **broke("KeyError", "'north'"))]
    for place, region in enumerate(["east", "north", "south", "west"]):
        rows = 0 if region == "north" else 9
        fields = {"name": "fetch", "type": "tool", "input": {"region": region}}
        spans.append(child(region, place * 2, **fields, output={"rows": rows}))
    spans.append(child("sum_up", 20, **broke("KeyError", "'north'")))
    assert culprits(found(spans))[0] == ("cause_of_error", "north")


def test_a_name_that_does_not_exist_goes_back_to_the_model_call_that_wrote_it() -> None:
    call = {"id": "c", "function": {"name": "query", "arguments": '{"table": "salez"}'}}
    spans = [
        span("root", 0, 9, **broke("SqlError", "table 'salez' does not exist")),
        child("model", 0, type="llm", output={"choices": [{"message": {"tool_calls": [call]}}]}),
        child("query", 2, type="tool", **broke("SqlError", "table 'salez' does not exist")),
    ]
    assert culprits(found(spans))[0] == ("cause_of_error", "model")
    asked = trace(input={"question": "sum up the table salez"})
    assert culprits(found(spans, asked))[0] == ("error_origin", "query")


@each_case(
    "picture, trace_ends, is_finding",
    [
        ("root |------|\n  tool |-----", True, True),
        ("root |------|\n  tool |-----", False, True),
        ("root |------\n  tool |-----", False, False),
        ("root |------\n  step |-----", False, True),
        ("root |------|\n  tool |----|", True, False),
    ],
)
def test_a_span_without_an_end_is_wrong_unless_the_trace_may_still_be_running(
    picture: str, trace_ends: bool, is_finding: bool
) -> None:
    picture = picture.replace("root |", "root   |")
    spans = draw(picture, tool={"type": "tool"})
    assert bool(found(spans, trace(end=9 if trace_ends else None))) is is_finding


def test_wrong_arguments_go_back_to_the_model_call_that_wrote_them() -> None:
    call = {"id": "c", "function": {"name": "book", "arguments": '{"seats": 2}'}}
    wrong = broke("TypeError", "book() missing 1 required positional argument: 'date'")
    spans = [
        span("root", 0, 9, **wrong),
        child("model", 0, type="llm", output={"choices": [{"message": {"tool_calls": [call]}}]}),
        child("book", 2, type="tool", input={"seats": 2}, **wrong),
    ]
    assert culprits(found(spans))[0] == ("cause_of_error", "model")


def test_a_check_without_a_type_counts_where_the_turn_ended_with_it() -> None:
    spans = [
        span("root", 0, 9, output="Please ask something else."),
        child("moderation", 0, output={"flagged": True, "category": "drugs"}),
    ]
    assert culprits(found(spans)) == [("failed_guardrail", "moderation")]
    later = child("model", 2, type="llm", output={"content": "Here is your answer."})
    assert found([*spans, later]) == []


def test_a_step_that_ran_out_of_time_names_the_call_that_it_waited_for() -> None:
    late = broke("TimeoutError", "speech service: no answer within 30 s")
    spans = [
        span("root", 0, 9, **late),
        child("speak", 0, **late),
        span(
            "synthesise",
            0,
            1,
            parent_span_id="speak",
            type="tool",
            **broke("asyncio.CancelledError", ""),
        ),
    ]
    first = found(spans)[0]
    assert culprits([first]) == [("error_origin", "synthesise")]
    assert "no answer within 30 s" in first.sentence


def test_a_second_engine_that_took_over_makes_good_for_the_first() -> None:
    page = {"page": 3, "file": "a.pdf"}
    spans = [
        span("root", 0, 9, output="done"),
        child("ocr_fast", 0, type="tool", input=page, **broke("OcrError", "blurred")),
        child("ocr_accurate", 2, type="tool", input=page | {"dpi": 600}, output={"text": "x"}),
    ]
    assert found(spans) == []
    other = child("store_page", 2, type="tool", input={"text": "x"}, output={"ok": True})
    assert culprits(found([*spans[:2], other])) == [("error_survived", "ocr_fast")]


def test_calls_for_one_item_after_another_make_good_for_none_of_them() -> None:
    spans = [span("root", 0, 90, output="done")]
    for place in range(8):
        fields = TIMED_OUT if place == 2 else {"output": "fine"}
        spans.append(child(f"c{place}", place * 2, name="load", type="tool", **fields))
    assert culprits(found(spans)) == [("error_survived", "c2")]
    assert found([spans[0], *spans[3:5]]) == []


@each_case(
    "why, silent, given, is_finding",
    [
        ("one got a value like the others", 1, 3.4, False),
        ("one got nothing", 1, None, True),
        ("one got a zero, the others did not", 1, 0.0, True),
        ("most are silent", 6, 3.4, True),
    ],
)
def test_one_item_of_many_that_got_a_value_all_the_same_is_a_note(
    why: str, silent: int, given: float | None, is_finding: bool
) -> None:
    spans = [span("root", 0, 30, output="The mean is 3.2 m.")]
    for number in range(8):
        failed = TIMED_OUT if number < silent else {"output": 3.1}
        asked = {"gauge": f"G-{number}"}
        result = given if number < silent else 3.1
        spans.append(child(f"l{number}", 2 * number, name="level", input=asked, output=result))
        reading = {"parent_span_id": f"l{number}", "type": "tool", "input": asked} | failed
        spans.append(span(f"r{number}", 2 * number, 2 * number + 1, name="read", **reading))
    assert bool(found(spans)) is is_finding, why


def test_errors_that_differ_in_what_each_call_was_given_are_one_note() -> None:
    """Three calls each fail for the berth they were given and work when called again."""
    spans = [span("root", 0, 9, output="All is done.")]
    for at, berth in enumerate(("North quay", "Old mole", "Pier 7b")):
        given = {"name": "read_gauge", "type": "tool", "input": {"berth": berth}}
        spans += [
            child(f"a{at}", at * 2, **given, **broke("OSError", f"no line to {berth} now")),
            child(f"b{at}", at * 2 + 1, **given, output={"level": 2 + at}),
        ]
    notes = analyse_trace(trace(), spans).notes
    survived = [note for note in notes if note.category is Category.ERROR_SURVIVED]
    assert [note.numbers["calls"] for note in survived] == [3]


def test_a_span_without_an_end_is_told_with_the_one_around_it_that_ended() -> None:
    spans = draw("""
        root      |-----------|
          gather   |----|
            slow    |-----
    """)
    (finding,) = found(spans, trace(end=12))
    assert "gather ended without it, 4.0 ms after its start" in finding.sentence
    assert finding.spans == ("slow", "gather")
