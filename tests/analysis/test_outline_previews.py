"""What stands after a span's line in an outline, and what of it is named and not shown again."""

import json
import re
from typing import Any

from app.analysis.recorded.body import CUT_LENGTH
from app.opik.records import Span
from tests.analysis.test_outline_tree import outline, tree_lines
from tests.analysis.timeline import span

_BRIEF = "Please sort the forty parcels of the morning by street."


def calls(*given: Any) -> list[Span]:
    """A root with a model call for each of the inputs, one after the other."""
    spans = [span("root", 0, 99)]
    for number, body in enumerate(given, 1):
        call = span(f"ask {number}", number * 10, number * 10 + 9, type="llm", model="m")
        spans.append(call.model_copy(update={"parent_span_id": "root", "input": body}))
    return spans


def talk(instructions: str, *texts: str) -> dict[str, Any]:
    messages = [{"role": "system", "content": instructions}]
    return {"messages": [*messages, *({"role": "user", "content": text} for text in texts)]}


def inputs(spans: list[Span]) -> list[str]:
    return [row.split(" | in: ")[1] for row in tree_lines(outline(spans))[1:]]


def test_requests_are_named_as_equal_only_where_all_their_messages_are() -> None:
    given = inputs(
        calls(
            talk("Sort.", _BRIEF),
            talk("Sort.", _BRIEF),
            talk("Weigh.", _BRIEF),
            talk("Weigh.", "How many are there in all?", _BRIEF),
            talk("Sort.", _BRIEF, "And then?"),
        )
    )
    assert given[0] == _BRIEF
    assert re.fullmatch(r"same as s\d+", given[1])
    assert re.fullmatch(r"2 messages, the last as in s\d+", given[2])
    assert re.fullmatch(r"3 messages, the last as in s\d+", given[3])
    assert given[4] == "3 messages, the last: And then?"


def test_last_messages_are_named_as_equal_only_where_all_their_fields_are() -> None:
    shelves = [{f"shelf {number}": "empty" for number in range(20)} for _ in range(3)]
    shelves[1]["shelf 19"] = "full"
    texts = [json.dumps(each) for each in shelves]
    given = inputs(
        calls(talk("Sort.", texts[0]), talk("Weigh.", texts[1]), talk("Count.", texts[2]))
    )
    assert given[1] == given[0]
    assert re.fullmatch(r"2 messages, the last as in s\d+", given[2])


def test_requests_that_were_cut_are_not_named_as_equal() -> None:
    whole = {"messages": [{"role": "user", "content": _BRIEF}]}
    long = {"messages": [*whole["messages"], {"role": "tool", "content": "x" * 12_000}]}
    cut = json.dumps(long)[:CUT_LENGTH]
    given = inputs(calls(whole, cut, cut))
    assert given[:2] == [_BRIEF, f"request cut by Opik; last user text before the cut: {_BRIEF}"]
    assert re.fullmatch(r"cut, begins as s\d+", given[2])


def test_a_message_with_facts_about_its_call_equals_the_reply() -> None:
    answer = "All forty parcels are sorted, the heavy ones first."
    message = {"content": answer, "type": "ai", "name": None, "id": "run-1", "tool_calls": []}
    usage = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
    facts = {
        "response_metadata": {"token_usage": usage, "model_name": "m"},
        "usage_metadata": usage,
    }
    step = span("step", 0, 9, output={"output": {**message, **facts}})
    reply = {"choices": [{"message": {"content": answer}, "finish_reason": "stop"}]}
    call = span("ask", 1, 8, parent_span_id="step", type="llm", model="m", output=reply)
    rows = tree_lines(outline([step, call]))
    assert rows[0].endswith(f"| out: {answer}")
    assert re.search(r"\| out: same as s\d+$", rows[1])


def test_a_step_that_only_made_the_prompt_shares_the_row_of_the_call() -> None:
    request = talk("Sort.", _BRIEF)
    chain = span("chain", 0, 9, input={"task": "sort"})
    step = span("fill in", 1, 2, parent_span_id="chain", input={"task": "sort"}, output=request)
    call = span("ask", 2, 8, parent_span_id="chain", type="llm", model="m", input=request)
    rows = tree_lines(outline([chain, step, call]))
    assert len(rows) == 2
    assert re.search(rf", prompt of s\d+ fill in \| system: Sort\. \| in: {_BRIEF}$", rows[1])
    other = step.model_copy(update={"output": talk("Weigh.", _BRIEF)})
    assert len(tree_lines(outline([chain, other, call]))) == 3


def test_a_long_task_is_shown_with_its_last_sentences() -> None:
    task = f"Plan the crossing. {'The sea is calm. ' * 60}Never sail on a Sunday."
    text = outline([span("root", 0, 9, input={"task": task})], input={"task": task})
    [line] = [each for each in text.splitlines() if each.startswith("input: ")]
    assert line.startswith("input: task: Plan the crossing.")
    assert line.endswith("Never sail on a Sunday.)")


def test_outputs_that_report_a_failure_are_counted_beside_failed_spans() -> None:
    root = span("root", 0, 9)
    gate = span("gate", 1, 2, parent_span_id="root", type="tool")
    gate = gate.model_copy(update={"input": {"n": 1}, "output": "Error: the gate is locked"})
    assert "2 spans, 0 failed spans, 1 whose output reports a failure" in outline([root, gate])


def test_a_failure_that_spans_around_only_hand_on_is_shown_and_counted_at_its_origin() -> None:
    page = "Error 502: the menu service is out of reach"
    spans = [
        span("plan", 0, 9, output={"menu": page, "error": page, "plan": "kept"}),
        span("read", 1, 8, parent_span_id="plan", input={"n": 1}, output={"error": page}),
        span("call", 2, 7, parent_span_id="read", type="tool", input={"n": 2}, output=page),
    ]
    text = outline(spans)
    assert "3 spans, 0 failed spans, 1 whose output reports a failure" in text
    plan, read, call = text.splitlines()[-3:]
    origin = call.split()[0]
    assert plan.endswith(f"| out: error of {origin}; plan: kept")
    assert read.endswith(f"| out: error of {origin}")
    assert call.endswith(f"| failed: {page}")


def test_a_failure_that_is_a_part_of_an_object_is_shown_before_its_other_fields() -> None:
    state = {"value": 4.1, "unit": "mg/L", "limit": 7.0, "ok": False}
    slot = {"online": True, "stand": 3, "error": "SLOT_1_BLOCKED"}
    spans = [
        span("probe", 0, 4, type="tool", input={"n": 1}, output=state),
        span("step", 5, 9, input={"call": 2}, output=slot),
        span("machine", 6, 8, parent_span_id="step", type="tool", input={"n": 2}, output=slot),
    ]
    probe, step, machine = outline(spans).splitlines()[-3:]
    assert step.endswith(f"| out: error of {machine.split()[0]}")
    assert probe.endswith("| failed: ok: false; value: 4.1; unit: mg/L; limit: 7.0")
    assert machine.endswith("| failed: SLOT_1_BLOCKED; online: true; stand: 3")


def test_a_missing_output_is_stated_where_spans_of_the_name_have_one() -> None:
    spans = [span("root", 0, 99, input={"day": 3})]
    for number in range(3):
        output = None if number == 1 else {"shelf": number}
        step = span(f"p{number}", number * 10, number * 10 + 9, name="put", parent_span_id="root")
        spans.append(step.model_copy(update={"input": {"parcel": number}, "output": output}))
    spans.append(span("tell", 50, 60, parent_span_id="root", input={"to": "Ms Amsel"}))
    text = outline(spans, input={"day": 3})
    assert "\noutput: none recorded\n" in text
    rows = tree_lines(text)
    assert rows[2].endswith("| in: parcel: 1 | out: none recorded")
    assert sum("none recorded" in row for row in rows) == 1


def test_one_of_several_roots_says_that_its_output_is_that_of_the_trace() -> None:
    spans = [span("load", 0, 9), span("tell", 10, 19, output=_BRIEF)]
    assert tree_lines(outline(spans, output=_BRIEF))[1].endswith("| out: the trace's output")


def test_values_that_are_equal_under_other_keys_are_not_named_as_equal() -> None:
    spans = calls({"wish": _BRIEF, "round": 8}, {"wish": _BRIEF, "most": 8}, {"wish": _BRIEF})
    given = inputs([each.model_copy(update={"type": "general"}) for each in spans])
    assert given[1:] == [f"wish: {_BRIEF}; most: 8", f"wish: {_BRIEF}"]


def test_one_text_that_is_handed_on_under_another_name_is_named() -> None:
    spans = calls({"wish": _BRIEF}, {"task": _BRIEF})
    given = inputs([each.model_copy(update={"type": "general"}) for each in spans])
    assert re.fullmatch(r"same as s\d+", given[1])


def test_a_result_that_a_request_ends_with_is_named_however_long_its_keys_are() -> None:
    result = {"parcels_that_are_left_in_the_yard": 3, "street": "Long Lane of the North"}
    root, call = calls(talk("Sort.", _BRIEF, json.dumps(result)))
    found = span("find", 1, 5, type="tool", parent_span_id="root", output=result)
    last = tree_lines(outline([root, found, call]))[-1]
    assert re.search(r"in: 3 messages, the last as in output of s\d+$", last)


def test_instructions_stand_once_with_the_first_call_that_has_them() -> None:
    rules = "Sort parcels. Never open one without its owner."
    spans = calls(talk(rules, _BRIEF), talk(rules, "And the rest?"), talk("Weigh.", "All of it?"))
    rows = tree_lines(outline(spans))[1:]
    shown = [re.findall(r"\| system: (.*?) \|", row) for row in rows]
    assert shown == [[rules], [], ["Weigh."]]


def test_instructions_take_no_room_from_inputs_and_outputs() -> None:
    text = "Sort the parcels of the yard. " * 20
    without, with_rules = (
        inputs(calls(*(talk(rules, f"{place} {text}") for place in range(30))))
        for rules in ("", text)
    )
    assert with_rules == without
