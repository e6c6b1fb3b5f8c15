"""Iterations that could run in parallel, and those that cannot or need not."""

from collections.abc import Sequence
from typing import Any

from app.analysis.analyse_trace import analyse_trace
from app.analysis.finding import Category, Finding
from app.opik.records import Span
from tests.analysis.timeline import span, trace

SECOND = 1_000.0
TOPICS = ("rent", "deposit", "repairs", "insurance", "notice", "subletting", "access", "heating")


def serial_findings(spans: Sequence[Span]) -> list[Finding]:
    end = max(item.end_time for item in spans if item.end_time)
    root = span("root", 0, 0, input={"job": "lease"}).model_copy(update={"end_time": end})
    findings = analyse_trace(trace(), [root, *spans]).findings
    return [finding for finding in findings if finding.category is Category.SERIAL_CALLS]


def step(span_id: str, at: float, seconds: float = 1, /, **more: Any) -> Span:
    fields = {"parent_span_id": "root", "type": "tool"} | more
    return span(span_id, at * SECOND, (at + seconds) * SECOND, **fields)


def fetches(count: int, *, name: str = "fetch", **more: Any) -> list[Span]:
    return [
        step(
            f"f{i}",
            i,
            **({"name": name, "input": {"q": TOPICS[i]}, "output": "x" * (i + 1)} | more),
        )
        for i in range(count)
    ]


def test_independent_calls_in_a_row_could_run_in_parallel() -> None:
    (finding,) = serial_findings(fetches(8))
    assert (finding.spans[:2], finding.spans[-1]) == (("f0", "f1"), "root")
    assert finding.numbers == {"calls": 8, "spent_ms": 8_000, "saved_ms": 7_000}
    assert "no input holds a result of the one before" in finding.sentence


def test_calls_whose_names_hold_their_numbers_or_arguments_are_one_loop() -> None:
    numbered = [call.model_copy(update={"name": f"page {i}"}) for i, call in enumerate(fetches(8))]
    named = [
        call.model_copy(update={"name": f"fetch({TOPICS[i]})"}) for i, call in enumerate(fetches(8))
    ]
    assert len(serial_findings(numbered)) == len(serial_findings(named)) == 1


def composite_iterations(*, history: bool = False) -> list[Span]:
    """A general span for each page with a tool call and a model call inside."""
    spans: list[Span] = []
    said = ""
    for i, topic in enumerate(TOPICS):
        page = f"p{i}"
        spans.append(
            step(
                page,
                2 * i,
                2,
                type="general",
                name="read_page",
                input={"page": topic},
                output="done",
            )
        )
        spans.append(
            step(
                f"o{i}",
                2 * i,
                1,
                name="ocr",
                parent_span_id=page,
                input={"page": topic},
                output=f"The text about {topic} on it",
            )
        )
        prompt = f"Sum up: The text about {topic} on it. {said if history else ''}"
        said = f"In short, {topic} is settled in this clause"
        spans.append(
            step(
                f"m{i}",
                2 * i + 1,
                1,
                name="ask",
                type="llm",
                model="m",
                parent_span_id=page,
                input={"messages": [{"role": "user", "content": prompt}]},
                output={"content": said},
            )
        )
    return spans


def test_iterations_that_enclose_calls_could_run_in_parallel() -> None:
    (finding,) = serial_findings(composite_iterations())
    assert finding.spans[0] == "p0"
    assert "8 iterations of read_page" in finding.sentence


def test_iterations_whose_inner_calls_use_the_reply_before_have_to_run_in_order() -> None:
    assert serial_findings(composite_iterations(history=True)) == []


def test_iterations_of_two_steps_that_no_span_encloses_are_found() -> None:
    spans = [
        item.model_copy(update={"parent_span_id": "root"})
        for item in composite_iterations()
        if item.name != "read_page"
    ]
    (finding,) = serial_findings(spans)
    assert "8 calls of ocr → ask" in finding.sentence


def test_pages_behind_a_cursor_have_to_be_read_in_order() -> None:
    pages = [
        step(
            f"f{i}", i, name="list", input={"cursor": i * 25}, output={"n": i, "next": (i + 1) * 25}
        )
        for i in range(8)
    ]
    assert serial_findings(pages) == []


def test_calls_that_use_the_result_before_have_to_run_in_order() -> None:
    handed = "begin with this"
    spans = []
    for i in range(8):
        given = f"result {'abcdefgh'[i]} of this step"
        spans.append(step(f"f{i}", i, name="refine", input={"q": handed}, output=given))
        handed = given
    assert serial_findings(spans) == []


def test_model_calls_with_different_prompts_are_a_pipeline() -> None:
    prompts = (
        "Rewrite the question.",
        "List the sources.",
        "Draft an answer.",
        "Check the facts.",
        "Translate it.",
        "Shorten it.",
    )
    spans = [
        step(
            f"f{i}",
            i,
            name="ask",
            type="llm",
            model="m",
            input={"messages": [{"role": "user", "content": text}]},
            output={"content": f"{i} done"},
        )
        for i, text in enumerate(prompts)
    ]
    assert serial_findings(spans) == []


def test_serial_iterations_inside_parallel_branches_are_no_finding() -> None:
    spans = []
    for shard in ("a", "b", "c"):
        spans.append(
            step(shard, 0, 8, type="general", name=f"shard {shard}", input={"shard": shard})
        )
        spans[-1] = spans[-1].model_copy(update={"name": "shard"})
        spans += [
            item.model_copy(update={"id": shard + item.id, "parent_span_id": shard})
            for item in fetches(8, output="stored")
        ]
    assert serial_findings(spans) == []


def test_a_batch_of_tasks_is_a_note() -> None:
    spans = composite_iterations()
    spans += [
        step(f"c{i}", 2 * i + 1, 0, type="general", parent_span_id=f"p{i}")
        for i in range(len(TOPICS))
    ]
    assert serial_findings(spans) == []
    inner = [
        item.model_copy(update={"parent_span_id": "pages"}) if item.name == "read_page" else item
        for item in spans
    ]
    pages = step("pages", 0, 2 * len(TOPICS), type="general", input={"count": len(TOPICS)})
    assert len(serial_findings([pages, *inner])) == 1


def test_calls_are_not_called_serial_where_nothing_can_be_saved_or_known() -> None:
    assert serial_findings(fetches(3)) == []
    assert serial_findings([*fetches(4), step("long", 4, 20)]) == []
    assert serial_findings(fetches(8, input=None)) == []
    assert serial_findings(fetches(8, input={"q": "same"})) == []
    assert serial_findings(fetches(8, name="save_row")) == []
    assert serial_findings(fetches(8, input={"text": "x" * 10_001})) == []
