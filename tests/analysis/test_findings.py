from collections.abc import Sequence
from typing import Any

import pytest

from app.analysis.analyse_trace import analyse_trace
from app.analysis.finding import Category, Finding
from app.opik.records import ErrorInfo, Span, Trace
from tests.analysis.timeline import draw, span, trace


def found(spans: Sequence[Span], record: Trace | None = None, **more: Any) -> list[Finding]:
    return list(analyse_trace(record or trace(), spans, **more).findings)


def culprits(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    return [(finding.category.value, finding.spans[0]) for finding in findings]


def tool(span_id: str, start: float, end: float, /, **more: Any) -> Span:
    return span(span_id, start, end, **({"type": "tool", "parent_span_id": "root"} | more))


def calls(name: str, count: int, *, length: float = 10, **more: Any) -> list[Span]:
    """Calls of one name one after another, with inputs and outputs of their own."""
    return [
        tool(
            f"{name}{i}",
            i * (length + 1),
            i * (length + 1) + length,
            **(
                {"name": name, "input": {"q": "xyzuvw"[i % 6] * 5}, "output": "abc" * (i + 1)}
                | more
            ),
        )
        for i in range(count)
    ]


def test_an_error_is_one_finding_with_its_deepest_span_first() -> None:
    spans = draw(
        """
        root*     |-------|
          step*    |----|
            call*   |--|
        """,
        root={"error_info": ErrorInfo(exception_type="ValueError", message="call broke")},
        step={"error_info": ErrorInfo(exception_type="ValueError", message="call broke")},
    )
    (finding,) = found(spans)
    assert finding.category is Category.ERROR_ORIGIN
    assert finding.spans == ("call", "step", "root")
    assert "step → root and ended the trace" in finding.sentence


def test_a_wrapping_error_goes_back_to_the_error_inside_it() -> None:
    spans = draw(
        """
        root*     |-------|
          call*    |-----|
        """,
        root={"error_info": ErrorInfo(exception_type="AgentFailed", message="gave up")},
    )
    assert culprits(found(spans)) == [("error_origin", "call")]


def test_a_failed_tool_without_which_the_program_continued_is_a_finding() -> None:
    picture = """
        root      |---------|
          call*    |--|
          next         |--|
    """
    (finding,) = found(draw(picture, call={"type": "tool"}))
    assert finding.category is Category.ERROR_SURVIVED
    assert "root continued after it" in finding.sentence
    assert found(draw(picture)) == []


def test_the_first_of_two_parallel_errors_is_the_origin_and_cancelled_spans_come_last() -> None:
    spans = draw(
        """
        root*     |----------|
          slow*    |--------|
          quick*   |---|
          stopped* |--|
        """,
        stopped={"error_info": ErrorInfo(exception_type="asyncio.CancelledError", message="")},
    )
    assert found(spans)[0].spans[0] == "quick"


def test_an_error_of_the_trace_alone_points_at_the_span_named_in_its_traceback() -> None:
    broken = ErrorInfo(
        exception_type="KeyError", message="x", traceback='  File "a.py", line 3, in fetch\n    y'
    )
    spans = [span("fetch", 0, 1), span("later", 2, 3)]
    assert culprits(found(spans, trace(error_info=broken))) == [("error_origin", "fetch")]


def test_an_error_about_missing_data_goes_back_to_the_empty_lookup() -> None:
    failed = ErrorInfo(exception_type="IndexError", message="list index out of range")
    spans = [
        span("root", 0, 30, error_info=failed),
        tool("search", 1, 5, input={"q": "x"}, output={"output": []}),
        tool("save", 6, 7, input={"q": "x"}, output=None),
        tool("prompt", 10, 12, input={"documents": []}, error_info=failed),
    ]
    assert found(spans)[0].category is Category.CAUSE_OF_ERROR
    assert found(spans)[0].spans[:2] == ("search", "prompt")


def test_an_error_about_the_input_is_not_blamed_on_an_empty_result() -> None:
    failed = ErrorInfo(exception_type="KeyError", message="'8812'")
    spans = [
        span("root", 0, 30, error_info=failed),
        tool("search", 1, 5, input={"q": "where is it?"}, output={"output": []}),
        tool("look_up", 10, 12, input={"order": {"id": "8812"}}, error_info=failed),
    ]
    assert culprits(found(spans))[0] == ("error_origin", "look_up")


def test_an_error_about_a_null_goes_back_to_the_result_that_held_it() -> None:
    failed = ErrorInfo(exception_type="TypeError", message="'NoneType' object is not iterable")
    spans = [
        span("root", 0, 30, error_info=failed),
        tool("order", 1, 5, input={"id": 4}, output={"id": 4, "lines": None, "state": "new"}),
        tool("total", 6, 7, input={"order": {"lines": None}}, error_info=failed),
    ]
    assert found(spans)[0].spans[0] == "order"


def test_broken_json_of_a_model_is_the_cause_of_the_parser_error_after_it() -> None:
    failed = ErrorInfo(exception_type="JSONDecodeError", message="Expecting ',' delimiter")
    spans = [
        span("root", 0, 30, error_info=failed),
        tool(
            "ask",
            1,
            5,
            type="llm",
            input={"response_format": {"type": "json_object"}},
            output={"choices": [{"message": {"content": '{"a": 1'}, "finish_reason": "stop"}]},
        ),
        tool("parse", 6, 7, input={"text": '{"a": 1'}, error_info=failed),
    ]
    assert found(spans)[0].spans[0] == "ask"


def test_an_empty_output_is_wrong_where_its_siblings_have_some() -> None:
    spans = [span("root", 0, 900), *calls("work", 6)]
    spans[3] = spans[3].model_copy(update={"output": {"output": None}})
    assert culprits(found(spans)) == [("empty_result", "work2")]


def test_a_function_that_never_returns_anything_is_healthy() -> None:
    assert found([span("root", 0, 100), *calls("save", 6, output={"output": None})]) == []


def test_a_wrapper_is_not_blamed_for_the_empty_result_it_passes_on() -> None:
    spans = [
        span("root", 0, 9, output={"output": []}, input={"q": "x"}),
        span("search_all", 0, 8, parent_span_id="root", input={"q": "x"}, output={"output": []}),
        tool("search", 1, 7, parent_span_id="search_all", input={"q": "x"}, output=[]),
    ]
    assert culprits(found(spans)) == [("empty_result", "search")]


def test_an_error_text_as_output_is_an_unmarked_failure() -> None:
    spans = [
        span("root", 0, 9, output={"output": "Sorry, something went wrong."}),
        tool("fetch", 1, 3, input={"u": 1}, output={"error": "503 from upstream"}),
    ]
    assert culprits(found(spans))[0] == ("failure_as_output", "fetch")


def test_an_error_field_that_is_null_is_no_failure() -> None:
    assert found([span("root", 0, 9, output={"error": None, "answer": "42"})]) == []


def test_a_reply_that_talks_about_errors_is_no_failure() -> None:
    said = {"content": "To fix the error, restart the server."}
    assert found([span("ask", 0, 9, type="llm", output=said)]) == []


def test_a_reply_cut_at_its_limit_is_found() -> None:
    said = {"content": [{"type": "text", "text": "and so"}], "stop_reason": "max_tokens"}
    assert culprits(found([span("ask", 0, 9, type="llm", output=said)])) == [
        ("reply_cut_at_limit", "ask")
    ]


def test_a_reply_of_tool_calls_only_is_not_empty() -> None:
    call = {"id": "1", "function": {"name": "f", "arguments": "{}"}}
    said = {"choices": [{"message": {"content": None, "tool_calls": [call]}}]}
    assert found([span("ask", 0, 9, type="llm", output=said)]) == []


def test_a_reply_without_text_or_calls_is_empty() -> None:
    said = {"choices": [{"message": {"content": "", "tool_calls": None}}]}
    assert culprits(found([span("ask", 0, 9, type="llm", output=said)])) == [
        ("empty_result", "ask")
    ]


def offered(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {"name": "x"}}}


def calling(name: str, arguments: str = "{}") -> dict[str, Any]:
    call = {"id": "1", "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"choices": [{"message": {"content": None, "tool_calls": [call]}}]}


def test_a_call_of_a_tool_that_was_not_offered_is_found() -> None:
    tools = {"messages": [], "tools": [offered("search"), offered("price")]}
    good = span("a", 0, 9, type="llm", input=tools, output=calling("price"))
    assert found([good]) == []
    bad = span("b", 0, 9, type="llm", input=tools, output=calling("refund"))
    assert culprits(found([bad])) == [("unknown_tool", "b")]


def test_tool_arguments_that_are_no_json_are_found() -> None:
    said = calling("price", '{"item": "lamp')
    assert culprits(found([span("a", 0, 9, type="llm", output=said)])) == [
        ("invalid_tool_call", "a")
    ]


@pytest.mark.parametrize(
    ("prompt", "reply", "broken"),
    [
        ("Answer as a JSON object.", "The answer is 42.", False),
        ("Answer as a JSON object.", 'Here you are: {"answer": 42}', False),
        ("Answer as a JSON object.", '```json\n{"answer": 42}\n```', False),
        ("What is JSON?", "A format for data.", False),
        ("What is 6 times 7?", '{"answer": 4', True),
    ],
)
def test_a_reply_is_broken_json_only_where_json_was_expected(
    prompt: str, reply: str, broken: bool
) -> None:
    given, said = {"messages": [{"role": "user", "content": prompt}]}, {"content": reply}
    findings = found([span("a", 0, 9, type="llm", input=given, output=said)])
    assert culprits(findings) == ([("invalid_json", "a")] if broken else [])


def test_an_answer_that_gives_up_goes_back_to_the_step_that_returned_nothing() -> None:
    spans = [
        span("root", 0, 9, output={"output": "I could not find any information on that."}),
        span("kb", 1, 3, parent_span_id="root", input={"q": "x"}, output={"output": []}),
    ]
    assert culprits(found(spans)) == [("empty_result", "kb")]


def test_prompt_growth_names_its_last_turn_first() -> None:
    spans = [span("root", 0, 100)]
    for i in range(8):
        tokens = {"prompt_tokens": 500 * (i + 1), "completion_tokens": 20}
        spans.append(tool(f"t{i}", i * 10, i * 10 + 9, name="think", type="llm", usage=tokens))
    (finding,) = found(spans)
    assert (finding.category, finding.spans[0]) == (Category.PROMPT_GROWTH, "t7")


def test_one_call_far_slower_than_its_peers_is_an_outlier() -> None:
    spans = [span("root", 0, 5_000), *calls("work", 8, type=None)]
    spans.append(tool("slow", 200, 4_200, name="work", type=None))
    (finding,) = found(spans)
    assert (finding.category, finding.spans[0]) == (Category.SLOW_OUTLIER, "slow")
    assert finding.numbers["ratio"] == 400


def test_spread_durations_without_a_gap_have_no_outlier() -> None:
    spans = [span("root", 0, 9_000)]
    start = 0.0
    for i in range(40):
        length = 20 * 1.12**i
        spans.append(tool(f"w{i}", start, start + length, name="work", type=None))
        start += length
    assert found(spans) == []


def test_a_call_by_a_more_expensive_model_than_its_peers_is_found() -> None:
    spans = [span("root", 0, 100)]
    for i in range(6):
        dear = i == 3
        spans.append(
            tool(
                f"c{i}",
                i * 10,
                i * 10 + 9,
                name="ask",
                type="llm",
                model="gpt-4.5" if dear else "gpt-4o-mini",
                usage={"prompt_tokens": 100, "completion_tokens": 10},
                total_estimated_cost=0.02 if dear else 0.0002,
            )
        )
    assert culprits(found(spans)) == [("costly_outlier", "c3")]


def test_the_deepest_unfinished_span_is_named_first() -> None:
    spans = draw("""
        root      |-----------
          step     |----------
            done    |--|
            hangs      |-----
    """)
    (finding,) = found(spans, trace(end=None))
    assert finding.spans == ("hangs", "step", "root")
    assert "the trace has not ended either" in finding.sentence


def test_failed_guardrails_of_the_trace_record_are_found_with_their_span() -> None:
    checks = [{"name": "PII", "result": "failed"}, {"name": "TOPIC", "result": "passed"}]
    record = trace(guardrails_validations=[{"span_id": "g", "checks": checks}])
    assert culprits(found([span("g", type="guardrail")], record)) == [("failed_guardrail", "g")]


def test_a_guardrail_span_that_refuses_is_found() -> None:
    spans = [span("g", type="guardrail", output={"passed": False})]
    assert culprits(found(spans)) == [("failed_guardrail", "g")]


def test_a_low_score_is_found_with_the_scorers_reason() -> None:
    score = {"name": "helpfulness", "value": 0.1, "reason": "ignores the question"}
    (finding,) = found([span("root")], trace(feedback_scores=[score]))
    assert finding.category is Category.LOW_SCORE
    assert "ignores the question" in finding.sentence


def test_a_low_score_of_something_bad_is_good() -> None:
    score = {"name": "hallucination", "value": 0.0}
    assert found([span("root")], trace(feedback_scores=[score])) == []


def test_one_bad_score_among_good_ones_of_its_kind_is_found_whichever_way_is_bad() -> None:
    for name, good, bad in (("hallucination", 0.05, 0.95), ("helpfulness", 0.95, 0.05)):
        spans = [
            span(f"s{n}", n, n + 1, feedback_scores=[{"name": name, "value": value}])
            for n, value in enumerate([good, good, 0.5, bad])
        ]
        assert culprits(found(spans)) == [("low_score", "s3")]


def test_words_inside_other_words_explain_no_error() -> None:
    for message, explained in (
        ("provider gave 402", False),
        ("la liste est vide", True),
        ("KeyError: 'quotation'", True),
        ("insufficient_quota", False),
    ):
        spans = [
            span("root", 0, 9),
            span("search_rows", 1, 2, parent_span_id="root", type="tool", input={"q": "ferry"}),
            span("write", 3, 4, parent_span_id="root", error_info={"message": message}),
        ]
        spans[1] = spans[1].model_copy(update={"output": {"rows": []}})
        given = {"exception_type": "RuntimeError", "message": message}
        first = found(spans, trace(error_info=given))[0]
        assert (first.category is Category.CAUSE_OF_ERROR) is explained, message


def test_no_finding_is_about_bodies_that_were_not_read() -> None:
    spans = [span("root", 0, 60), *calls("search", 5, input={"q": "x"}, output=[])]
    assert found(spans, bodies=["root"]) == []


def test_equal_traces_have_equal_findings_whatever_the_order_of_their_spans() -> None:
    spans = [span("root", 0, 60), *calls("search", 5, input={"q": "x"}, output=["a", "b"])]
    assert found(spans) == found(spans[::-1])


def test_examining_a_trace_changes_none_of_its_spans() -> None:
    spans = [span("root", 0, 60), *calls("search", 5, input={"q": ["x"]}, output=[{"a": []}])]
    before = [item.model_dump_json() for item in spans]
    found(spans)
    assert [item.model_dump_json() for item in spans] == before


def test_hostile_names_and_messages_stay_on_one_line() -> None:
    broken = ErrorInfo(exception_type="E", message="a\n\n# Findings: none\u202e\x1b[31m" * 50)
    (finding,) = found([span("x", name="{x}\n- [y](http://z)", error_info=broken)])
    assert "\n" not in finding.sentence
    assert "\u202e" not in finding.sentence
    assert "\x1b" not in finding.sentence
    assert len(finding.sentence) < 700


def test_an_error_whose_traceback_is_blank_is_still_an_error() -> None:
    error = ErrorInfo(traceback=" \n ")
    (finding,) = found([span("a", 0, 1, error_info=error)])
    assert finding.spans == ("a",)
