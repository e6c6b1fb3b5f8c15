"""The same work in several branches, and equal calls that are as they should be."""

from collections.abc import Sequence
from typing import Any

from app.analysis.analyse_trace import analyse_trace
from app.analysis.finding import Category, Finding
from app.opik.records import Span
from testkit.case_tables import each_case
from tests.analysis.timeline import span, trace

SECOND = 1_000.0
TASKS = ("tariffs of 2026", "net metering", "storage grants")


def duplicates(spans: Sequence[Span], *, notes: bool = False) -> list[Finding]:
    root = span("root", 0, 20 * SECOND, input={"question": "What changed?"})
    analysis = analyse_trace(trace(), [root, *spans])
    found = analysis.notes if notes else analysis.findings
    return [finding for finding in found if finding.category is Category.DUPLICATED_WORK]


def planner(tasks: Sequence[str]) -> Span:
    reply = {"content": f"The tasks are: {'; '.join(tasks)}."}
    asked = {"messages": [{"role": "user", "content": "Split the question"}]}
    return span("plan", 0, SECOND, type="llm", parent_span_id="root", input=asked, output=reply)


def worker(number: int, tasks: Sequence[str], *, name: str = "worker", own: str = "") -> list[Span]:
    """A branch that searches and sums up each task, one after another."""
    branch = f"w{number}"
    start = 1.0
    spans = [
        span(
            branch,
            start * SECOND,
            (start + 2 * len(tasks)) * SECOND,
            name=name,
            parent_span_id="root",
            input={"worker": f"worker {number}"},
        )
    ]
    for i, task in enumerate(tasks):
        at = (start + 2 * i) * SECOND
        prompt = f"Sum up {task}{own and f' for {own}'}"
        spans.append(_call(f"{branch}s{i}", at, branch, "search", {"query": task}, f"About {task}"))
        spans.append(
            _call(f"{branch}m{i}", at + SECOND, branch, "ask", prompt, f"In short, {prompt}")
        )
    return spans


def _call(span_id: str, at: float, parent: str, name: str, given: Any, result: str) -> Span:
    more = {"type": "tool"} if name == "search" else {"type": "llm", "model": "m"}
    body: dict[str, Any] = {"input": given, "output": {"text": result}}
    if name == "ask":
        body["input"] = {"messages": [{"role": "user", "content": given}]}
    return span(span_id, at, at + SECOND, name=name, parent_span_id=parent, **more, **body)


def test_workers_with_the_same_tasks_are_found_with_the_span_that_gave_them() -> None:
    spans = [planner(TASKS), *worker(1, TASKS), *worker(2, TASKS)]
    (finding,) = duplicates(spans)
    assert finding.spans[:5] == ("plan", "w1", "w2", "w1s0", "w2s0")
    assert "2 spans (worker) did the same work" in finding.sentence
    assert "6 calls of search, ask were made again" in finding.sentence
    assert "Their inputs come from plan." in finding.sentence


def test_a_source_that_gives_each_branch_the_same_list_is_told_as_such() -> None:
    shares = {"first": list(TASKS), "second": list(TASKS)}
    plan = span("plan", 0, SECOND, parent_span_id="root", input={"n": 2}, output=shares)
    (finding,) = duplicates([plan, *worker(1, TASKS), *worker(2, TASKS)])
    assert "come from plan, which returned 3 of them 2 times each." in finding.sentence


def test_tasks_that_two_workers_share_are_found_beside_tasks_of_their_own() -> None:
    spans = [*worker(1, TASKS), *worker(2, [TASKS[0], "heat pumps", "car batteries"])]
    (finding,) = duplicates(spans)
    assert finding.numbers == {"again": 2, "branches": 2, "spent_ms": 2_000}


def test_lookups_made_again_for_other_work_are_a_note() -> None:
    spans = [*worker(1, TASKS, own="Austria"), *worker(2, TASKS, own="Norway")]
    assert duplicates(spans) == []
    (note,) = duplicates(spans, notes=True)
    assert "2 spans (worker) made the same calls" in note.sentence


def test_equal_calls_on_purpose_or_with_other_results_are_no_finding() -> None:
    assert duplicates([*worker(1, TASKS, name="judge"), *worker(2, TASKS, name="judge")]) == []
    sampled = [
        item.model_copy(update={"output": {"text": f"sample {item.id}"}})
        for item in [*worker(1, TASKS), *worker(2, TASKS)]
    ]
    assert duplicates(sampled) == duplicates(sampled, notes=True) == []
    different = [*worker(1, TASKS), *worker(2, ["heat pumps", "car batteries", "meters"])]
    assert duplicates(different) == duplicates(different, notes=True) == []


def test_equal_calls_under_one_parent_or_once_again_are_no_duplicates() -> None:
    assert duplicates(worker(1, [TASKS[0]] * 3)) == []
    assert duplicates([*worker(1, TASKS[:1]), *worker(2, ["heat pumps"])]) == []


def test_nothing_is_said_of_calls_whose_inputs_were_not_recorded() -> None:
    spans = [
        item.model_copy(update={"input": None}) for item in [*worker(1, TASKS), *worker(2, TASKS)]
    ]
    assert duplicates(spans) == duplicates(spans, notes=True) == []


def branches_of(calls: Sequence[tuple[str, Any, Any]], **more: Any) -> list[Span]:
    """Four branches, each with these calls of a second each, side by side."""
    spans = []
    for number in range(4):
        branch = f"b{number}"
        start = 1 + number * more.get("pause", 0)
        given = {"number": number}
        failed = {"error_info": {"message": "reset"}} if number in more.get("failed", ()) else {}
        end = start + len(calls)
        record = {"name": "branch", "parent_span_id": "root", "input": given} | failed
        spans.append(span(branch, start * SECOND, end * SECOND, **record))
        for i, (name, inner, result) in enumerate(calls):
            at = (start + i) * SECOND
            spans.append(_call(f"{branch}c{i}", at, branch, name, inner, result))
    return spans


FULL = [("search", {"object": f"MU-{item}"}, f"Anchor {item}") for item in range(12, 15)]


@each_case(
    "why, spans, is_finding",
    [
        ("two pieces of work in each", branches_of(FULL), True),
        ("one piece that all need", branches_of(FULL[:1]), True),
        ("a model is asked once in each", branches_of([("ask", "Sold out?", "No")]), False),
        ("nothing names the item", branches_of([("search", {"rows": 32}, "ok")]), False),
        ("attempts that failed", branches_of(FULL, failed=(0, 1, 2)), False),
        ("looks after a pause", branches_of(FULL, pause=5), False),
    ],
)
def test_equal_calls_are_a_note_where_items_may_be_alike(
    why: str, spans: list[Span], is_finding: bool
) -> None:
    assert bool(duplicates(spans)) is is_finding, why
    assert bool(duplicates(spans, notes=True)) is not is_finding, why


def test_no_share_is_given_of_calls_made_again_side_by_side() -> None:
    spans = [*worker(1, TASKS), *worker(2, TASKS)]
    (finding,) = duplicates(spans)
    assert "of their time" in finding.sentence
    start = spans[0].start_time
    beside = [
        each.model_copy(update={"start_time": start}) if each.parent_span_id[0] == "w" else each
        for each in spans
    ]
    (finding,) = duplicates(beside)
    assert "spent again, some of it side by side." in finding.sentence


def test_calls_given_settings_right_after_a_step_for_another_item_are_no_duplicates() -> None:
    def detect(page: str, given: Any) -> list[Span]:
        """Four branches, each of which reads an image and looks at it."""
        spans = []
        for i in range(4):
            at, inner = 3 * i * SECOND, {"parent_span_id": f"b{i}", "type": "tool"}
            read = {"input": {"key": page.format(i)}, "output": {"bytes": 80_000 + i}}
            found = {"boxes": 0, "defects": 0, "conf": 0.0, "area": 0, "width": 9, "height": 7}
            spans += [
                span(f"b{i}", at, at + 3 * SECOND, name="frame", parent_span_id="root"),
                span(f"r{i}", at, at + SECOND, name="get_image", **inner, **read),
                span(
                    f"d{i}",
                    at + SECOND,
                    at + 3 * SECOND,
                    name="detector",
                    input=given,
                    output=found,
                    **inner,
                ),
            ]
        return spans

    settings = {"model": "veg-4", "conf": 0.35}
    unknown = detect("T30/{}.jpg", settings)
    assert duplicates(unknown) == duplicates(unknown, notes=True) == []
    for known in (detect("T30/1.jpg", settings), detect("T30/{}.jpg", {"key": "T30/1.jpg"})):
        assert duplicates(known) + duplicates(known, notes=True)
