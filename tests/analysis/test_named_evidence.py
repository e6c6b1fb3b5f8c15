"""What findings say of the evidence that they rest on: matches, limits, empty values."""

from typing import Any

import pytest

from app.analysis.analyse_trace import analyse_trace
from app.analysis.finding import Category, Finding
from app.opik.records import ErrorInfo, Span
from tests.analysis.test_silent_failures import found, tool
from tests.analysis.timeline import at, span, trace

CUT = {"choices": [{"finish_reason": "length", "message": {"content": "The ferry leaves at"}}]}


def cut_reply(span_id: str, start: float, limit: int, **more: Any) -> Span:
    asked = {"messages": [{"role": "user", "content": "When?"}], "max_tokens": limit}
    fields: dict[str, Any] = {"type": "llm", "name": "write", "input": asked, "output": CUT} | more
    return span(span_id, start, start + 1, **fields)


def test_a_failed_guardrail_is_told_with_what_it_matched_and_not_with_what_passed() -> None:
    checks = [
        {"name": "TONE", "passed": True, "score": 0.03},
        {"name": "PII", "passed": False, "matches": [{"type": "IBAN", "text": "NO93 8601"}]},
    ]
    given: dict[str, Any] = {"type": "guardrail", "input": {"text": "to NO93 8601"}}
    guard = span("guard", 0, 1, output={"passed": False, "checks": checks}, **given)
    (finding,) = found([guard])
    assert "refused (passed: false; type: IBAN, text: NO93 8601)" in finding.sentence


def test_a_cut_reply_is_told_with_its_limit() -> None:
    (finding,) = found([cut_reply("a", 0, 90)])
    assert "finish reason length, at most 90 tokens were allowed" in finding.sentence


def test_a_reply_that_the_next_step_shows_with_an_ellipsis_was_meant_to_be_cut() -> None:
    shown = {"teaser": "The ferry leaves at…"}
    parent = span("p", 0, 9, input={"n": 1}, output=shown)
    reply = cut_reply("a", 1, 30, parent_span_id="p")
    given = {"text": "The ferry leaves at"}
    teaser = tool("teaser", 3, given, shown, parent_span_id="p")
    assert found([parent, reply, teaser]) == []
    assert len(found([parent, reply, tool("send", 3, given, {"ok": 1}, parent_span_id="p")])) == 1


def cut_within(allowed: int) -> Finding:
    around = span("plan", 0, 9, input={"boat": 4, "max_tokens": allowed})
    asked = {"messages": [{"role": "user", "content": "When?"}]}
    usage = {"prompt_tokens": 40, "completion_tokens": 90}
    reply = cut_reply("a", 1, 0, input=asked, usage=usage, parent_span_id="plan")
    (finding,) = found([around, reply])
    return finding


def test_a_cut_reply_is_told_with_the_span_around_it_that_set_the_limit() -> None:
    finding = cut_within(90)
    assert "at most 90 tokens were allowed by plan" in finding.sentence
    assert finding.spans == ("a", "plan")


def test_a_limit_that_a_cut_reply_did_not_reach_is_not_named() -> None:
    finding = cut_within(4_000)
    assert "allowed" not in finding.sentence
    assert finding.spans == ("a",)


@pytest.mark.parametrize(("checked", "is_named"), [("Sailing at noon", True), ("A Gun!", False)])
def test_a_match_that_the_checked_text_lacks_is_told_as_such(checked: str, is_named: bool) -> None:
    given: dict[str, Any] = {"type": "guardrail", "input": {"text": checked}}
    guard = span("guard", 0, 1, output={"passed": False, "matched": "gun"}, **given)
    (finding,) = found([guard])
    assert ("matched: gun (not in its input)" in finding.sentence) is is_named


def test_broken_arguments_are_told_with_the_place_at_which_they_break() -> None:
    call = {"function": {"name": "moor", "arguments": '{"pier": "the "old" one"}'}}
    reply = {"choices": [{"message": {"tool_calls": [call]}, "finish_reason": "tool_calls"}]}
    (finding,) = found([span("ask", 0, 1, type="llm", input={"n": 1}, output=reply)])
    assert "moor are not valid JSON: expecting ',' delimiter at character 15" in finding.sentence


def test_what_a_refusal_says_is_not_cut() -> None:
    text = "I'm sorry, but I can't help with that request: " + "it asks for a pilot's code " * 5
    asked = {"messages": [{"role": "user", "content": "Open the lock"}]}
    reply = {"choices": [{"message": {"refusal": text}, "finish_reason": "stop"}]}
    analysis = analyse_trace(trace(), [span("a", 0, 1, type="llm", input=asked, output=reply)])
    (finding,) = (*analysis.findings, *analysis.notes)
    assert text.strip() in finding.sentence


def test_a_date_that_was_turned_begins_with_who_wrote_it() -> None:
    question = {"role": "user", "content": "Is a berth free on 2027-09-04?"}
    call = {"function": {"name": "berths", "arguments": '{"day": "2027-04-09"}'}}
    reply = {"choices": [{"message": {"tool_calls": [call]}, "finish_reason": "tool_calls"}]}
    spans = [
        span("ask", 0, 1, type="llm", input={"messages": [question]}, output=reply),
        tool("berths", 2, {"day": "2027-04-09"}, {"free": []}),
        tool("berths_inside", 2, {"day": "2027-04-09"}, [], parent_span_id="berths"),
    ]
    analysis = analyse_trace(trace(), spans)
    (finding,) = analysis.findings
    assert finding.sentence.startswith("ask wrote 2027-04-09 and berths was given it, though")
    assert finding.spans == ("ask", "berths")
    assert analysis.notes == ()


def failed_calls(*docks: str, worked: str = "north") -> Finding:
    """A call that worked, then one for each of these docks, all of which fail."""
    broken = ErrorInfo(exception_type="TimeoutError", message="no reply of the crane")
    calls = [
        span(
            f"c{place}",
            place * 3,
            place * 3 + 1,
            name="crane",
            type="tool",
            input={"dock": dock, "call": place},
            output={"ok": 1} if place == 0 else None,
            error_info=broken if place else None,
            parent_span_id="job",
        )
        for place, dock in enumerate((worked, *docks))
    ]
    job = span("job", 0, 30, error_info=broken)
    return next(each for each in found([job, *calls]) if each.category is Category.ERROR_ORIGIN)


def test_calls_that_failed_alike_are_told_with_what_they_share() -> None:
    finding = failed_calls("south", "south", "south")
    assert "began in crane, in 3 calls, all with dock “south”;" in finding.sentence
    assert "; its 1 other call worked" in finding.sentence
    assert "all with" not in failed_calls("south", "east", "west").sentence
    assert "all with" not in failed_calls("north", "north").sentence


def test_a_call_that_failed_once_is_told_with_the_same_call_that_had_worked() -> None:
    broken = ErrorInfo(exception_type="AuthError", message="certificate revoked")
    job = span("job", 0, 9, error_info=broken)
    given = {"dock": "south"}

    def sentence(**first: Any) -> str:
        fields: dict[str, Any] = {"input": given, "output": {"ok": 1}} | first
        calls = [
            span("first", 1, 2, name="crane", type="tool", parent_span_id="job", **fields),
            span(
                "second",
                5,
                6,
                name="crane",
                type="tool",
                input=given,
                error_info=broken,
                parent_span_id="job",
            ),
        ]
        return " ".join(finding.sentence for finding in found([job, *calls]))

    assert "crane had worked with the same input 3.0 ms before" in sentence()
    assert "had worked" not in sentence(input={"dock": "east"})
    assert "had worked" not in sentence(output={"error": "no crane"})


def test_a_file_in_another_format_is_another_try() -> None:
    broken = ErrorInfo(exception_type="FormatError", message="cannot decode it")

    def notes(second: str) -> str:
        spans = [
            span("step", 0, 20, output={"ok": 1}),
            tool("scan", 1, {"file": "store://maps/harbour.tiff"}, None, parent_span_id="step"),
            tool("convert", 3, {"to": "png"}, {"bytes": 41}, parent_span_id="step"),
            tool("scan2", 5, {"file": second}, {"piers": 3}, parent_span_id="step", name="scan"),
        ]
        spans[1] = spans[1].model_copy(update={"error_info": broken})
        analysis = analyse_trace(trace(end=20), spans)
        return " ".join(each.sentence for each in (*analysis.findings, *analysis.notes))

    assert "scan worked when called again" in notes("store://maps/harbour.png")
    assert "when called again" not in notes("store://maps/river.png")


@pytest.mark.parametrize(
    ("known", "asked", "is_told"),
    [
        ({"valid_list": "fares_2031"}, "What is the fare?", True),
        ({"valid_list": "fares_2031"}, {"list": "fares_2027"}, False),
        ({"valid_list": "fares_2031", "old_list": "fares_2027"}, "What is the fare?", False),
        ({"lists": ["fares_2031", "fares_2030"]}, "What is the fare?", False),
        ({"valid_list": "zones_2031"}, "What is the fare?", False),
    ],
)
def test_an_empty_search_is_told_with_the_other_version_that_was_known(
    known: Any, asked: Any, is_told: bool
) -> None:
    given = {"query": "fare of a bicycle on the evening ferry", "list": "fares_2027"}
    reply = {
        "choices": [{"message": {"content": "A bicycle costs four crowns on each of the ferries."}}]
    }
    question = {"messages": [{"role": "user", "content": "What does a bicycle cost?"}]}
    spans = [
        tool("settings", 0, {"port": "east"}, known),
        tool("search", 2, given, {"hits": []}),
        span("write", 4, 5, type="llm", input=question, output=reply),
    ]
    findings = analyse_trace(trace(input=asked), spans).findings
    text = " ".join(each.sentence for each in findings)
    assert "search found nothing" in text
    assert ("settings had returned “fares_2031” as valid_list" in text) is is_told


def test_a_loop_is_told_with_the_remark_that_its_result_makes() -> None:
    given, returned = {"code": "KX1"}, {"hits": [], "hint": "codes of piers have six letters"}
    calls = [tool(f"c{i}", 10 * i, given, returned, name="find_pier") for i in range(6)]
    (finding,) = found([each.model_copy(update={"parent_span_id": "job"}) for each in calls])
    assert "; find_pier returned “codes of piers have six letters”;" in finding.sentence


@pytest.mark.parametrize(("end", "is_beside"), [(30, True), (5, False)])
def test_a_retry_that_nothing_waited_for_is_told_as_such(end: float, is_beside: bool) -> None:
    broken = ErrorInfo(exception_type="TimeoutError", message="no reply of the crane")
    given = {"dock": "south"}
    spans = [
        span("job", 0, 31, output={"ok": 1}),
        tool("long", 0.5, {"n": 1}, {"ok": 1}, parent_span_id="job"),
        tool("c1", 1, given, None, name="crane", parent_span_id="job"),
        tool("c2", 6, given, {"ok": 1}, name="crane", parent_span_id="job"),
    ]
    spans[1] = spans[1].model_copy(update={"end_time": at(end)})
    spans[2] = spans[2].model_copy(update={"error_info": broken})
    notes = analyse_trace(trace(end=31), spans).notes
    text = next(each.sentence for each in notes if each.category is Category.ERROR_SURVIVED)
    assert ("both ran beside the critical path" in text) is is_beside
