"""Results and replies that are wrong although no span is marked as failed."""

import json
from collections.abc import Sequence
from typing import Any

from app.analysis.analyse_trace import analyse_trace
from app.analysis.finding import Finding
from app.opik.records import ErrorInfo, FeedbackScore, Span, Trace
from testkit.case_tables import each_case
from tests.analysis.timeline import span, trace

LONG_ANSWER = "Every pump has a guarantee of ten years, also in commercial use."


def found(spans: Sequence[Span], record: Trace | None = None) -> list[Finding]:
    return list(analyse_trace(record or trace(), spans).findings)


def culprits(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    return [(each.category.value, each.spans[0]) for each in findings]


def scored(value: float) -> Trace:
    return trace(feedback_scores=[FeedbackScore(name="helpful", value=value)])


def model(span_id: str, start: float, text: str | None, **message: Any) -> Span:
    reply = {"choices": [{"message": {"role": "assistant", "content": text} | message}]}
    asked = {"messages": [{"role": "user", "content": "How long is the guarantee?"}]}
    return span(span_id, start, start + 1, type="llm", input=asked, output=reply)


def tool(span_id: str, start: float, given: Any, returned: Any, **more: Any) -> Span:
    return span(span_id, start, start + 1, type="tool", input=given, output=returned, **more)


def called(name: str, arguments: str) -> dict[str, Any]:
    return {"tool_calls": [{"id": "c", "function": {"name": name, "arguments": arguments}}]}


SEARCH = ({"query": "guarantee pump"}, {"hits": [], "total": 0})


def test_an_empty_search_is_described_by_what_it_searched_for() -> None:
    given = {"index": "docs", "query": "guarantee of pumps"}
    spans = [tool("search", 0, given, {"hits": []}), model("answer", 2, LONG_ANSWER)]
    sentences = " ".join(each.sentence for each in found(spans, scored(0)))
    assert "search found nothing for “guarantee of pumps”, index “docs”" in sentences


def test_an_answer_after_searches_that_all_found_nothing_is_unsupported() -> None:
    spans = [tool("search_kb", 0, *SEARCH), model("write", 2, LONG_ANSWER)]
    (finding,) = found(spans)
    assert finding.spans == ("search_kb", "write")
    assert "answered all the same" in finding.sentence
    (graver,) = [each for each in found(spans, scored(0)) if each.spans[:1] == ("search_kb",)][:1]
    assert graver.confidence > finding.confidence


@each_case(
    "spans",
    [
        [tool("load_memories", 0, {"user": "u", "limit": 5}, []), model("m", 2, LONG_ANSWER)],
        [tool("memory.search", 0, SEARCH[0], {"results": []}), model("m", 2, LONG_ANSWER)],
        [
            tool("search_kb", 0, *SEARCH),
            tool("search_web", 1, SEARCH[0], {"hits": ["ten years"]}),
            model("m", 3, LONG_ANSWER),
        ],
        [tool("search_kb", 0, *SEARCH), model("m", 2, "warranty")],
        [tool("search_kb", 0, SEARCH[0], None), model("m", 2, LONG_ANSWER)],
        [model("m", 0, LONG_ANSWER), tool("search_kb", 2, *SEARCH)],
    ],
)
def test_an_empty_lookup_on_which_no_answer_rests_is_no_finding(spans: list[Span]) -> None:
    assert found(spans) == []


def test_a_well_rated_answer_is_not_called_unsupported() -> None:
    spans = [tool("search_kb", 0, *SEARCH), model("write", 2, LONG_ANSWER)]
    assert found(spans, scored(1)) == []


@each_case(
    "text",
    [
        "I'm sorry, but I can't help with that request.",
        "Dabei kann ich leider nicht helfen.",
        "Je ne peux pas vous aider avec cette demande.",
        "Lo siento, no puedo ayudar con eso.",
        "抱歉，我无法提供帮助。",
        "申し訳ありませんが、お手伝いできません。",
    ],
)
def test_a_refusal_is_a_finding_where_nothing_comes_of_the_trace_or_it_is_used(text: str) -> None:
    refused = [model("write", 0, text), span("store", 2, 3, input={"n": 1}, output={"ok": 1})]
    empty = trace(output={"summary": "", "title": None})
    assert culprits(found(refused, empty)) == [("refusal", "write")]
    assert found(refused, trace(output={"summary": "done"})) == []
    used = [refused[0], span("store", 2, 3, input={"text": text}, output={"ok": 1})]
    assert culprits(found(used, trace(output={"summary": "done"}))) == [("refusal", "write")]


@each_case("text", ["I can't promise a seat by the window.", "We cannot refund this ticket."])
def test_an_answer_about_what_is_impossible_is_no_refusal(text: str) -> None:
    assert found([model("write", 0, text)], trace(output={"summary": "", "title": None})) == []


def test_code_that_failed_names_the_call_that_wrote_it_first() -> None:
    code = "import seats\nprint(seats.free())"
    crash = "Traceback (most recent call last):\n  ...\nNameError: seats"
    spans = [
        model("write", 0, f"```python\n{code}\n```"),
        tool("run_python", 2, {"code": code}, {"stdout": crash}),
    ]
    (finding,) = found(spans)
    assert finding.spans == ("write", "run_python")
    assert finding.sentence.startswith("write wrote what run_python ran, which failed without")
    again = [*spans, tool("run_python2", 4, {"code": code}, {"stdout": "3"}, name="run_python")]
    (corrected,) = found(again)
    assert corrected.confidence < finding.confidence
    assert "run_python worked when called again" in corrected.sentence


def test_a_failed_call_that_worked_when_tried_again_is_a_note() -> None:
    down = {"status": "error", "message": "503 service unavailable"}
    spans = [
        tool("a", 0, {"city": "Oslo"}, down, name="weather"),
        tool("b", 2, {"city": "Oslo"}, {"degrees": 4}, name="weather"),
    ]
    analysis = analyse_trace(trace(), spans)
    assert analysis.findings == ()
    assert any(
        "weather worked when called again with the same input" in note.sentence
        for note in analysis.notes
    )
    other = [spans[0], tool("b", 2, {"city": "Rome"}, {"degrees": 20}, name="weather")]
    assert culprits(found(other)) == [("failure_as_output", "a")]


@each_case(
    "name, given, result, is_finding",
    [
        ("edit", {"old": "a", "new": "b"}, {"ok": True, "replacements": 0}, True),
        ("edit", {"old": "a", "new": "b"}, {"replacements": 0}, True),
        (
            "run_tests",
            {"folder": "t"},
            {"passed": True, "summary": "Error: folder not found"},
            True,
        ),
        ("shell", {"command": "make all the pages"}, {"timed_out": True, "stdout": ""}, True),
        ("look_up", {"host": "a"}, {"is_error": True, "text": "permission denied"}, False),
    ],
)
def test_another_tool_replaces_a_call_that_was_refused_and_none_that_reports_success(
    name: str, given: dict[str, Any], result: Any, is_finding: bool
) -> None:
    spans = [
        model("asks", 0, None, **called(name, json.dumps(given))),
        tool("failed", 1, given, result, name=name),
        model("goes on", 2, None, **called("list_pages", "{}")),
        tool("other", 3, {"of": "all"}, {"pages": ["fares"]}, name="list_pages"),
        model("answers", 4, LONG_ANSWER),
    ]
    assert bool(found(spans)) is is_finding


def test_a_tool_call_that_the_model_corrected_is_a_note() -> None:
    def attempt(start: float, number: int, returned: Any) -> list[Span]:
        arguments = f'{{"sql": "show net of table{number}"}}'
        return [
            model(f"m{number}", start, None, **called("run_sql", arguments)),
            tool(
                f"t{number}",
                start + 2,
                {"sql": f"show net of table{number}"},
                returned,
                name="run_sql",
            ),
        ]

    wrong = attempt(0, 1, {"error": "no such column: net"})
    assert culprits(found([*wrong, model("end", 9, "Done.")])) == [("failure_as_output", "m1")]
    spans = [*wrong, *attempt(4, 2, {"rows": [[7]]}), model("end", 9, "Done.")]
    assert found(spans) == []


def test_a_reply_is_blank_only_where_one_was_recorded_or_no_tokens_were_used() -> None:
    asked = {"messages": [{"role": "user", "content": "hello"}]}
    fields: dict[str, Any] = {"type": "llm", "input": asked}
    assert found([span("a", 0, 1, **fields, output={"output": None})]) == []
    unused = {"prompt_tokens": 9, "completion_tokens": 0}
    used = {"prompt_tokens": 9, "completion_tokens": 5}
    assert culprits(found([span("a", 0, 1, **fields, usage=unused)])) == [("empty_result", "a")]
    assert found([span("a", 0, 1, **fields, usage=used)]) == []


def test_a_reply_that_was_limited_to_one_word_is_not_cut() -> None:
    asked = {"messages": [{"role": "user", "content": "yes or no?"}], "max_tokens": 1}
    reply = {"choices": [{"message": {"content": "yes"}, "finish_reason": "length"}]}
    assert found([span("a", 0, 1, type="llm", input=asked, output=reply)]) == []
    longer = asked | {"max_tokens": 400}
    cut = found([span("a", 0, 1, type="llm", input=longer, output=reply)])
    assert culprits(cut) == [("reply_cut_at_limit", "a")]


def test_invalid_tool_calls_of_langchain_are_found() -> None:
    invalid = [{"name": "make_label", "args": '{"street": "Quay', "error": "not JSON"}]
    message = {"kwargs": {"content": "", "tool_calls": [], "invalid_tool_calls": invalid}}
    spans = [span("a", 0, 1, type="llm", output={"generations": [[{"message": message}]]})]
    (finding,) = found(spans)
    assert finding.category.value == "invalid_tool_call"
    assert "make_label" in finding.sentence


@each_case(
    "chosen, known",
    [("harbour_master", False), ("clerk", True), ("FINISH", True)],
)
def test_a_route_to_a_worker_that_is_not_offered_is_found(chosen: str, known: bool) -> None:
    spans = [span("router", 0, 1, input={"workers": ["clerk", "pilot"]}, output={"next": chosen})]
    assert culprits(found(spans)) == ([] if known else [("unknown_tool", "router")])


def test_hosted_tools_without_a_name_leave_open_which_calls_exist() -> None:
    offered: list[Any] = [{"type": "function", "function": {"name": "price"}}]
    asked = {"messages": [{"role": "user", "content": "x"}], "tools": offered}
    reply = {"choices": [{"message": called("web_search", "{}")}]}
    assert culprits(found([span("a", 0, 1, type="llm", input=asked, output=reply)])) == [
        ("unknown_tool", "a")
    ]
    offered.append({"type": "web_search_preview"})
    assert found([span("a", 0, 1, type="llm", input=asked, output=reply)]) == []


def test_an_answer_that_admits_to_have_found_nothing_is_supported() -> None:
    honest = "Es gibt leider keine Regel dazu in unseren Unterlagen, fragen Sie bitte nach."
    spans = [tool("search_kb", 0, *SEARCH), model("write", 2, honest)]
    assert found(spans) == []


def test_a_search_is_known_by_its_index_whatever_its_name() -> None:
    given = {"texto": "garantia da bomba", "k": 4}
    spans = [tool("busca_trechos", 0, given, {"documents": []}), model("write", 2, LONG_ANSWER)]
    assert culprits(found(spans)) == [("empty_result", "busca_trechos")]
    listed = [tool("ofertas", 0, {"pais": "pt", "k": 4}, []), model("write", 2, LONG_ANSWER)]
    assert found(listed) == []


def test_a_reply_about_the_failure_it_was_told_of_is_no_failure() -> None:
    reply = {"choices": [{"message": {"content": "Error: the seats could not be read."}}]}
    told = {"messages": [{"role": "user", "content": "exitcode: 1 (execution failed)"}]}
    asked = {"messages": [{"role": "user", "content": "Count the seats."}]}
    assert found([span("a", 0, 1, type="llm", input=told, output=reply)]) == []
    failed = found([span("a", 0, 1, type="llm", input=asked, output=reply)])
    assert culprits(failed) == [("failure_as_output", "a")]


def test_a_reply_that_translates_a_report_of_failure_is_no_failure() -> None:
    def translated(instruction: str) -> list[Finding]:
        chat = {"messages": [{"role": "user", "content": instruction}]}
        reply = {"choices": [{"message": {"content": "Fehler: Dein Spielstand ist beschädigt."}}]}
        game = span("game", 0, 9, output={"strings": 1})
        fields = {"parent_span_id": "game", "input": chat, "output": reply}
        return found([game, span("say", 0, 1, type="llm", model="m", **fields)])

    assert translated("[de] Error: your save file is damaged.") == []
    assert culprits(translated("[de] Your save file is ready.")) == [("failure_as_output", "say")]


def test_a_tool_that_was_run_was_offered_though_the_list_lacks_it() -> None:
    offered = {"tools": [{"type": "function", "function": {"name": "weather"}}]}
    calling = span(
        "m", 0, 1, type="llm", model="m", metadata=offered, output=called("crop_of", '{"id": 1}')
    )
    assert culprits(found([calling])) == [("unknown_tool", "m")]
    assert found([calling, tool("crop_of", 2, {"id": 1}, {"crop": "rye"})]) == []


def test_searches_of_several_names_that_found_nothing_are_all_named() -> None:
    spans = [
        tool("search_kb", 0, *SEARCH),
        tool("search_web", 2, *SEARCH),
        model("write", 4, LONG_ANSWER),
    ]
    (finding,) = found(spans)
    assert finding.sentence.startswith("search_kb, search_web found nothing in 2 calls")
    assert finding.spans == ("search_kb", "search_web", "write")


def test_a_trace_that_failed_without_a_failed_span_is_told_with_where_it_may_have() -> None:
    broken = ErrorInfo(exception_type="KeyError", message="berth", traceback="")
    spans = [span("read", 0, 1), span("plan", 2, 3)]
    (finding,) = found(spans, trace(error_info=broken))
    assert finding.sentence.endswith("no span is marked as failed; the last was plan.")
    traceback = '  File "a.py", line 3, in read\n    y'
    named = broken.model_copy(update={"traceback": traceback})
    (finding,) = found(spans, trace(error_info=named))
    assert finding.sentence.endswith("its traceback names read.")
