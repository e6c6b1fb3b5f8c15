from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.analysis.analyse_trace import analyse_trace
from app.analysis.text.text_diff import diff_texts
from app.analysis.text.trace_diff import ComparedSide, format_difference
from app.analysis.text.value_diff import diff_values, format_changes
from app.analysis.trace_analysis import TraceAnalysis
from app.opik.records import ErrorInfo
from app.token_estimate import estimate_tokens
from tests.analysis.timeline import span, trace


def aliases() -> Callable[[str], str]:
    known: dict[str, str] = {}
    return lambda span_id: known.setdefault(span_id, f"s{len(known) + 1}")


def run(prefix: str, *, slow: float = 3, **more: Any) -> TraceAnalysis:
    spans = [
        span(f"{prefix}root", 0, 10, name="root", input={"q": "x"}, output={"a": 1}),
        span(
            f"{prefix}search",
            1,
            1 + slow,
            name="search",
            parent_span_id=f"{prefix}root",
            input={"k": 3},
            **more,
        ),
    ]
    return analyse_trace(trace(), spans)


def compared(a: TraceAnalysis, b: TraceAnalysis, budget: int = 2_000) -> str:
    return format_difference(
        ComparedSide(a), ComparedSide(b), alias=aliases(), budget_tokens=budget
    )


def changes(a: Any, b: Any) -> list[tuple[str, str]]:
    return [(change.path, change.text) for change in diff_values(a, b, "input")]


def test_changed_paths_are_listed_with_old_and_new_value() -> None:
    old = {"messages": [{"role": "user", "n": 1}], "gone": None, "same": [1, 2]}
    new = {"messages": [{"role": "tool", "n": 1.0}], "odd key": True, "same": [1, 2]}
    assert changes(old, new) == [
        ("input.messages[0].role", "“user” → “tool”"),
        ("input.gone", "only in A: null"),
        ("input['odd key']", "only in B: true"),
    ]


def test_true_is_not_one() -> None:
    assert changes({"a": True}, {"a": 1}) == [("input.a", "true → 1")]


def test_long_texts_are_compared_by_words_with_context() -> None:
    old = "one two three four five six seven eight nine ten " * 3 + "the slow call ended at last"
    new = old.replace("slow", "very fast")
    assert changes(old, new) == [
        (
            "input",
            "174 → 179 characters, 1 word removed, 2 added:"
            " …eight nine ten the [-slow-] {+very fast+} call ended at last…",
        )
    ]


def test_a_long_text_is_summarized_with_its_changed_numbers_first() -> None:
    words = "The batch went well and nobody saw a reason to stop it at that time. "
    old = "\n".join([words * 3, "score 0.93 for sensor 17", *[words] * 9])
    new = old.replace("0.93", "0.92").replace("17", "18").replace("nobody saw", "no one saw")
    ((_, text),) = changes(old, new)
    assert "14 words removed, 26 added, numbers 0.93 → 0.92, 17 → 18: " in text
    first, second, *_ = text.partition("18: ")[2].split("; ")
    assert "[-0.93-] {+0.92+}" in first
    assert "[-17-] {+18+}" in second
    assert text.endswith("; and 8 more places")


def test_numbers_of_rewritten_sentences_are_no_changed_numbers() -> None:
    old = "It took 3 days.\nThe queue held 43 jobs of 7 users and none of them had failed yet."
    new = "It took 4 days.\nNobody knows how 76 workers came to run 2103 jobs in a single night."
    ((_, text),) = changes(old, new)
    assert ", numbers 3 → 4: " in text


def test_a_change_within_a_text_without_blanks_is_shown() -> None:
    ((_, text),) = changes(
        "区間の速度は時速三十キロです。" * 6 + "終", "区間の速度は時速三十キロです。" * 6 + "始"
    )
    assert "[-終-] {+始+}" in text


def test_texts_that_differ_in_blanks_only_are_no_changed_words() -> None:
    ((_, text),) = changes("word " * 30, "word\n" * 30)
    assert text == "150 → 150 characters, only blanks and line breaks differ"


def test_a_text_that_was_replaced_is_one_place() -> None:
    ((_, text),) = changes("one two three four five " * 9, "six seven eight nine zero " * 9)
    assert text.count("[-") == 1


def test_values_within_texts_that_are_json_are_compared_by_path() -> None:
    old, new = '{"args": {"city": "Bonn", "days": 3}}', '{"args": {"city": "Köln", "days": 3}}'
    assert changes({"call": old}, {"call": new}) == [("input.call.args.city", "“Bonn” → “Köln”")]


def test_an_inserted_message_does_not_shift_the_ones_after_it() -> None:
    messages = [{"role": "user", "content": f"message {n}"} for n in range(9)]
    more = [*messages[:2], {"role": "tool", "content": "new"}, *messages[2:]]
    assert changes(messages, more) == [
        ("input[2]", 'only in B: {"role": "tool", "content": "new"}'),
    ]


def test_every_changed_short_value_comes_before_the_long_texts() -> None:
    text = "it was said that this is so " * 40
    old = {"prompt": text, "model": "a", "text": "x", "rows": [{"n": n} for n in range(9)]}
    new = {"prompt": text.replace("said", "told"), "model": "b", "text": "y"}
    new["rows"] = [{"n": n + 1} for n in range(9)]
    lines = format_changes(diff_values(old, new, "input"))
    assert lines[:3] == [
        "input.model: “a” → “b”",
        "input.text: “x” → “y”",
        "input.rows[*].n: 9 differ: [0] 0 → 1; [1] 1 → 2; [2] 2 → 3; and 6 more",
    ]
    assert lines[3].startswith("input.prompt: ")


def test_a_value_that_the_backend_cut_is_marked() -> None:
    cut = "a " * 5_000 + "b"
    assert len(cut) == 10_001
    assert "cut by the backend" in changes(cut, cut)[0][1]


def test_equal_traces_have_no_other_difference() -> None:
    text = compared(run("a"), run("b"))
    assert "B takes 1.00 times of A's time" in text
    assert text.endswith(
        "No other difference in structure, errors, spend or in what was read of the bodies."
    )


def test_times_usage_errors_and_structure_are_compared() -> None:
    broken = ErrorInfo(exception_type="OSError", message="gone")
    a = run("a")
    b = run("b", slow=8, model="m", usage={"total_tokens": 9}, error_info=broken)
    extra = span("bextra", 1, 2, name="extra", parent_span_id="broot")
    b = analyse_trace(b.trace, [*(node.span for node in b.tree.nodes), extra])
    text = compared(a, b)
    assert "error only in B: search: OSError: gone" in text
    assert "structure: 0 → 1 × root > extra" in text
    assert "own time of search: 3.0 ms → 8.0 ms (+5.0 ms)" in text
    assert "model m: 0 → 1 calls, no usage → 9 tokens" in text


def test_inputs_of_spans_at_the_same_place_are_compared() -> None:
    a, b = run("a", output=["x"]), run("b", output=["y"])
    assert "s1 and s2 search: output[0]: “x” → “y”" in compared(a, b)


def test_several_differences_of_one_value_below_are_shown() -> None:
    old = {"score": 0.93, "sensor": "A-17", "clause": "must", "same": 1}
    new = {"score": 0.92, "sensor": "A-18", "clause": "may", "same": 1}
    text = compared(run("a", output=old), run("b", output=new))
    assert "search: output.score: 0.93 → 0.92" in text
    assert "search: output.sensor: “A-17” → “A-18”" in text
    assert "search: output.clause: “must” → “may”" in text


def test_two_spans_of_one_trace_can_be_compared() -> None:
    analysis = run("a")
    nodes = analysis.tree.by_id
    text = format_difference(
        ComparedSide(analysis, nodes["aroot"]),
        ComparedSide(analysis, nodes["asearch"]),
        alias=aliases(),
    )
    assert "input.q: only in A: “x”" in text


def test_bodies_that_were_not_read_are_not_compared() -> None:
    analysis = analyse_trace(trace(), [span("a"), span("b", input="x")], bodies=["b"])
    nodes = analysis.tree.by_id
    text = format_difference(
        ComparedSide(analysis, nodes["a"]), ComparedSide(analysis, nodes["b"]), alias=aliases()
    )
    assert "input: not read of A, so not compared" in text


@pytest.mark.parametrize("budget", [0, 50, 300])
def test_a_difference_stays_within_its_budget(budget: int) -> None:
    a = run("a", output={f"k{i}": i for i in range(500)})
    b = run("b", output={f"k{i}": i + 1 for i in range(500)})
    assert estimate_tokens(compared(a, b, budget)) <= budget


def test_very_long_texts_are_compared_up_to_a_limit() -> None:
    old, new = "a b c d " * 20_000, "e f g h " * 20_000
    text = diff_texts(old, new)
    assert len(text) < 3_000
    assert text.endswith("the rest was not compared")
    late = "word " * 1_000_000
    assert "[-old-] {+new+}" in diff_texts(f"{late}old end", f"{late}new end")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)


@given(json_values, json_values)
def test_values_differ_exactly_where_changes_are_listed(a: Any, b: Any) -> None:
    assert not list(diff_values(a, a, "input"))
    told = list(diff_values(a, b, "input"))
    same = repr(a) == repr(b)
    if same:
        assert not told
    assert all("\n" not in change.path + change.text for change in told)
