"""Loops over drafts that go on after a good verdict."""

from collections.abc import Sequence
from typing import Any

from app.analysis.analyse_trace import analyse_trace
from app.analysis.finding import Category, Finding
from app.opik.records import Span
from tests.analysis.timeline import span, trace

SECOND = 1_000


def asked(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


def rounds(verdicts: Sequence[bool], task: str, *, is_wrapped: bool = True) -> list[Span]:
    """A draft and its check for each verdict, in a step of their own or side by side."""
    spans = [span("loop", 0, 9 * SECOND * len(verdicts), input={"most": 9}, output={"poem": "x"})]
    for i, verdict in enumerate(verdicts):
        start, verse = 9 * SECOND * i, f"verse {chr(97 + i)}"
        above = f"round{i}" if is_wrapped else "loop"
        output = {"approved": verdict, "wishes": []}
        times = {"name": "verse_round", "parent_span_id": "loop", "input": {"n": i}}
        if is_wrapped:
            spans.append(span(above, start, start + 9 * SECOND, output=output, **times))
        given: dict[str, Any] = {"type": "llm", "parent_span_id": above}
        draft = given | {"name": "draft", "input": asked(task.format(i)), "output": verse}
        check = given | {"name": "check", "input": asked(verse), "output": output}
        spans.append(span(f"d{i}", start, start + 5 * SECOND, **draft))
        spans.append(span(f"c{i}", start + 5 * SECOND, start + 9 * SECOND, **check))
    return spans


def findings(spans: Sequence[Span]) -> list[Finding]:
    end = 9 * SECOND * len(spans)
    return list(analyse_trace(trace("poems", 0, end), spans).findings)


def test_rounds_after_an_approved_draft_are_too_many() -> None:
    (finding,) = findings(rounds([False, True, True, True, True], "A poem on herons, try {}"))
    assert finding.spans[:3] == ("loop", "round1", "round2")
    assert "Round 2 of verse_round in loop already says “approved: true”" in finding.sentence
    assert "3 further rounds" in finding.sentence


def test_drafts_and_checks_side_by_side_are_rounds_too() -> None:
    spans = rounds([True, True, True, True], "A poem on herons", is_wrapped=False)
    (finding,) = [each for each in findings(spans) if "further rounds" in each.sentence]
    assert finding.spans[:3] == ("loop", "c0", "c1")


def test_drafts_that_end_with_the_first_approval_are_neither_too_many_nor_parallel_work() -> None:
    assert findings(rounds([False, False, False, False, True], "A poem on herons")) == []


def test_items_that_are_approved_one_by_one_are_no_rounds_of_one_draft() -> None:
    birds = iter(["herons", "owls", "terns", "wrens", "swifts"])
    spans = rounds([True] * 5, "A poem")
    items = [
        each.model_copy(update={"input": asked(f"A poem on {next(birds)}")})
        if each.name == "draft"
        else each
        for each in spans
    ]
    assert not any(each.category is Category.LOOP for each in findings(items))
