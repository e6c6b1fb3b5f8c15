"""What findings say of the evidence that they rest on: matches, limits, empty values."""

from typing import Any

from app.opik.records import ErrorInfo, Span
from tests.analysis.test_silent_failures import found, tool
from tests.analysis.timeline import span

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


def test_an_error_of_missing_data_goes_back_to_the_step_whose_result_was_empty_first() -> None:
    missing = ErrorInfo(exception_type="KeyError", message="'north'")
    spans = [
        tool("collect", 0, {"since": "monday"}, {"state": "ok", "tides": {}}),
        tool("smooth", 2, {"tides": {}}, {"curve": {}}),
        span("plan", 4, 5, input={"curve": {}, "side": "north"}, error_info=missing),
    ]
    first = found(spans)[0]
    assert first.spans[:3] == ("collect", "smooth", "plan")
    assert "its curve is empty" in first.sentence
