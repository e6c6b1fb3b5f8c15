"""Loops and ping-pong, and repetition that is as it should be."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.analysis.analyse_trace import analyse_trace
from app.analysis.finding import Category, Finding
from app.opik.records import Span
from evals.case_records import analyse_records, parse_case, read_case_records
from tests.analysis.timeline import span, trace

Results = Sequence[Any]


def repeats(spans: Sequence[Span], *, notes: bool = False, **more: Any) -> list[Finding]:
    """The findings (or notes) on loops and ping-pong below a root that gives up, or answers."""
    root = span("root", 0, 1_000, input={"job": "reconcile"}, **more)
    analysis = analyse_trace(trace(), [root, *spans])
    found = analysis.notes if notes else analysis.findings
    return [each for each in found if each.category in (Category.LOOP, Category.PING_PONG)]


def step(span_id: str, at: float, length: float = 40, /, **more: Any) -> Span:
    fields = {"parent_span_id": "root", "type": "tool"} | more
    return span(span_id, at, at + length, **fields)


def searches(results: Results, **more: Any) -> list[Span]:
    """Calls with one input, a moment apart, one for each result."""
    fields = {"name": "search", "input": {"q": "orders of 31 February"}} | more
    return [step(f"s{i}", 50 * i, **(fields | {"output": each})) for i, each in enumerate(results)]


def test_the_same_call_with_the_same_result_over_and_over_is_a_loop() -> None:
    (finding,) = repeats(searches([["a", "b"]] * 6))
    assert (finding.spans[:5], finding.spans[-1]) == (("s0", "s1", "s2", "s3", "s4"), "root")
    assert "ran 6 times with the same input (“orders of 31 February”)" in finding.sentence
    assert "the same result" in finding.sentence


def test_a_few_equal_calls_are_a_note_that_a_failed_end_makes_a_finding() -> None:
    spans = searches([["a", "b"]] * 3)
    assert repeats(spans) == []
    assert len(repeats(spans, notes=True)) == 1
    assert len(repeats(spans, output={"error": "gave up after 3 steps"})) == 1


def test_a_loop_over_the_steps_of_an_agent_names_the_tool_calls() -> None:
    spans = []
    for i in range(6):
        spans.append(step(f"turn{i}", 50 * i, type=None, name="turn", input={"step": i}))
        spans.append(
            step(
                f"m{i}",
                50 * i,
                10,
                type="llm",
                name="ask",
                parent_span_id=f"turn{i}",
                input={"history": ["x"] * (i + 1)},
                output="run the tests",
            )
        )
        spans.append(
            step(
                f"t{i}",
                50 * i + 10,
                30,
                name="run_tests",
                parent_span_id=f"turn{i}",
                input={"path": "tests"},
                output="1 failed: test_total",
            )
        )
    (finding,) = repeats(spans)
    assert finding.spans[:2] == ("t0", "t1")


def test_rephrased_searches_that_find_nothing_are_a_loop() -> None:
    words = [
        "orders of the thirtyfirst february",
        "the orders of thirtyfirst february",
        "february thirtyfirst the orders of",
    ]
    spans = [
        step(f"s{i}", 50 * i, name="search", input={"q": words[i % 3]}, output={"rows": []})
        for i in range(6)
    ]
    (finding,) = repeats(spans, output={"error": "nothing found"})
    assert "nearly the same input" in finding.sentence


def test_times_and_ids_in_results_do_not_hide_a_loop() -> None:
    results = [
        {
            "rows": [],
            "asked": f"2026-05-01T12:00:{i:02}Z",
            "request": f"0f8fad5b-d9cb-469f-a165-70867728950{i}",
        }
        for i in range(6)
    ]
    assert len(repeats(searches(results))) == 1


def test_repetition_that_is_progress_or_says_nothing_is_no_loop() -> None:
    pages = [
        step(f"p{i}", 50 * i, name="search", input={"q": "x", "page": i}, output=[f"hit {i}" * 9])
        for i in range(6)
    ]
    position = searches([{"position": 4_052 - 800 * i} for i in range(6)])
    placeholder = searches([["a"]] * 6, input={"q": "[redacted]"})
    absent = searches([None] * 6, input=None)
    cheap = [item.model_copy(update={"end_time": item.start_time}) for item in searches(["on"] * 6)]
    parallel = [
        item.model_copy(update={"start_time": searches(["a"])[0].start_time})
        for item in searches(["a"] * 6)
    ]
    for spans in (pages, position, placeholder, absent, cheap, parallel):
        assert repeats(spans, output={"error": "gave up"}) == []


def test_the_same_lookup_for_different_tasks_is_no_loop() -> None:
    spans = []
    for i, task in enumerate(("lamp", "table", "chair", "shelf", "sofa", "desk")):
        spans.append(step(f"t{i}", 50 * i, type=None, name="task", input={"task": task}))
        spans.append(
            step(
                f"r{i}",
                50 * i,
                parent_span_id=f"t{i}",
                name="rates",
                input={"pair": "EUR"},
                output=1.08,
            )
        )
    assert repeats(spans) == []


def test_polling_that_ends_is_a_note_and_endless_polling_a_finding() -> None:
    waiting = {"state": "running"}
    assert repeats(searches([*[waiting] * 8, {"state": "done"}], name="job")) == []
    assert repeats(searches([waiting] * 5, name="job"), notes=True) == []
    (finding,) = repeats(searches([waiting] * 8, name="job"))
    assert finding.category is Category.LOOP


def test_a_check_between_other_work_is_a_note() -> None:
    spans = searches(["3 open"] * 6)
    spans += [
        step(
            f"e{i}", 50 * i + 41, 5, name="edit", input={"line": f"total = {'+x' * i}"}, output="ok"
        )
        for i in range(6)
    ]
    assert repeats(spans) == []
    assert len(repeats(spans, notes=True)) == 1


def review(rounds: int, **more: Any) -> list[Span]:
    """A writer and a reviewer that undo each other: two drafts, again and again."""
    long, short = "Cells cost 47 to 55 dollars, lead times doubled.", "Cells cost 47 to 55 dollars."
    spans = []
    for i in range(rounds):
        draft, wish, other = (
            (long, "Too long, please cut it.", short) if i % 2 else (short, "Too short.", long)
        )
        spans.append(
            step(
                f"r{i}",
                60 * i,
                25,
                type=None,
                name="reviewer",
                input={"draft": draft, "round": i},
                output={"wish": wish},
            )
        )
        spans.append(
            step(
                f"w{i}",
                60 * i + 30,
                25,
                type=None,
                name="writer",
                input={"draft": draft, "wish": wish},
                output=other,
            )
        )
        spans.append(
            step(
                f"m{i}",
                60 * i + 30,
                25,
                type="llm",
                name="ask",
                parent_span_id=f"w{i}",
                input={"messages": [wish, draft]},
                output=other,
            )
        )
    return spans


def test_agents_that_undo_each_other_are_ping_pong_named_by_their_turns() -> None:
    (finding,) = repeats(review(8))
    assert finding.category is Category.PING_PONG
    assert finding.spans[:4] == ("r0", "w0", "r1", "w1")
    assert (
        "reviewer → writer: 8 rounds of 2 steps, each step with the same result as 2 rounds before"
        in finding.sentence
    )


def test_two_rounds_of_review_are_corrections() -> None:
    assert repeats(review(4), output={"error": "limit"}) == []


def test_a_case_passed_on_between_agents_is_ping_pong_although_its_history_grows() -> None:
    spans, history = [], [{"role": "user", "content": "Please correct my bill."}]
    for i in range(10):
        name, reply = (
            ("billing", "Technical has to look.")
            if i % 2
            else ("technical", "It is a billing matter.")
        )
        spans.append(
            step(
                f"a{i}",
                50 * i,
                type=None,
                name=name,
                input={"messages": list(history)},
                output={"note": reply},
            )
        )
        history.append({"role": "assistant", "content": reply})
    (finding,) = repeats(spans)
    assert finding.category is Category.PING_PONG


def test_rounds_with_new_results_are_a_conversation() -> None:
    spans = []
    for i, word in enumerate(("rent", "deposit", "repairs", "insurance", "notice", "access")):
        spans.append(
            step(
                f"a{i}",
                100 * i,
                type=None,
                name="asker",
                input={"turn": i},
                output=f"What about {word}?",
            )
        )
        spans.append(
            step(
                f"b{i}",
                100 * i + 50,
                type=None,
                name="expert",
                input={"q": f"What about {word}?"},
                output=f"The {word} is settled.",
            )
        )
    assert repeats(spans, output={"error": "limit"}) == []


def test_flat_conversations_are_no_loop_where_only_the_routing_repeats() -> None:
    """One span a message, its input the message before: the router says the same each time."""
    spans = []
    for i, word in enumerate(
        ("rent", "deposit", "repairs", "insurance", "notice", "access", "heat")
    ):
        spans.append(
            step(
                f"o{i}",
                100 * i,
                type=None,
                name="router",
                input={"messages": [{"content": f"done with {word}"}]},
                output={"content": "Next speaker browser"},
            )
        )
        spans.append(
            step(
                f"w{i}",
                100 * i + 50,
                type=None,
                name="browser",
                input={"messages": [{"content": "Next speaker browser"}]},
                output={"content": f"The page about {word} says it is settled in {word} law."},
            )
        )
    assert repeats(spans, output={"error": "limit"}) == []


def test_model_calls_around_repeated_work_are_no_repetition_of_their_own() -> None:
    records = read_case_records(Path("evals/traces/recorded/vending-4.json.gz"), None)
    analysis = analyse_records(parse_case(records))
    assert "werkzeug ran 12 times" in analysis.findings[0].sentence
    assert all(note.category is not Category.LOOP for note in analysis.notes)


def test_a_span_that_is_slow_for_the_retries_in_it_has_no_finding_of_its_own() -> None:
    records = read_case_records(Path("evals/traces/recorded/foodbank-4.json.gz"), None)
    found = analyse_records(parse_case(records)).findings
    assert Category.RETRIES in [each.category for each in found]
    assert Category.SLOW_OUTLIER not in [each.category for each in found]
