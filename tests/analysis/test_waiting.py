"""Late first tokens, the longest step of the critical path, and slow model calls."""

from typing import Any

from app.analysis.analyse_trace import analyse_trace
from app.analysis.finding import Category, Finding
from app.opik.records import ErrorInfo, Span
from testkit.case_tables import each_case
from tests.analysis.timeline import span, trace

_REPLY = {"choices": [{"message": {"role": "assistant", "content": "word " * 20}}]}


def judged(spans: list[Span], category: Category) -> tuple[list[Finding], list[Finding]]:
    """Findings and notes of one category; times of the spans are milliseconds."""
    analysis = analyse_trace(trace(), spans)
    return (
        [each for each in analysis.findings if each.category is category],
        [each for each in analysis.notes if each.category is category],
    )


def stream(start: float, end: float, span_id: str = "answer", /, **more: Any) -> Span:
    record = {
        "type": "llm",
        "model": "gpt-4o",
        "parent_span_id": "root",
        "usage": {"prompt_tokens": 300, "completion_tokens": 25},
        "output": _REPLY,
    }
    return span(span_id, start, end, **(record | more))


@each_case(
    "field",
    [
        {"ttft": 26_000},
        {"metadata": {"gen_ai.response.time_to_first_chunk": 26.0}},
        {"metadata": {"gen_ai.server.time_to_first_token": 26}},
        {"metadata": {"time_to_first_token": 26.0}},
        {"metadata": {"attributes": {"ai.response.msToFirstChunk": 26_000}}},
        {
            "metadata": {
                "opentelemetry.events": [
                    {
                        "name": "ai.stream.firstChunk",
                        "attributes": {"ai.response.msToFirstChunk": 26_000},
                    }
                ]
            }
        },
    ],
)
def test_a_late_first_token_is_found_wherever_it_was_recorded(field: dict[str, Any]) -> None:
    spans = [span("root", 0, 30_000), stream(2_000, 29_000, **field)]
    (finding,), _ = judged(spans, Category.SLOW_STREAM_START)
    assert finding.spans == ("answer",)
    assert "waited 26.00 s for its first token, of 27.00 s" in finding.sentence
    assert "87 % of the trace" in finding.sentence


@each_case(
    "why, answer",
    [
        ("it wrote for most of the time", stream(0, 29_000, ttft=700)),
        ("a prompt of 60,000 tokens takes time to read", {"prompt_tokens": 60_000}),
        ("it reasoned first", {"completion_tokens": 425, "reasoning_tokens": 400}),
        ("most of what it wrote is not in the reply", {"completion_tokens": 425}),
        ("more than the call took", stream(0, 29_000, ttft=40_000)),
    ],
)
def test_an_explained_wait_for_the_first_token_is_no_finding(
    why: str, answer: Span | dict[str, int]
) -> None:
    if isinstance(answer, dict):
        answer = stream(0, 27_000, ttft=26_000, usage={"prompt_tokens": 300} | answer)
    findings, _ = judged([span("root", 0, 30_000), answer], Category.SLOW_STREAM_START)
    assert not findings, why


def test_a_first_token_that_is_as_late_as_in_other_calls_is_a_note() -> None:
    spans = [span("root", 0, 60_000)]
    spans += [
        stream(i * 20_000, i * 20_000 + 19_000, f"answer{i}", name="answer", ttft=18_000 + i)
        for i in range(3)
    ]
    findings, notes = judged(spans, Category.SLOW_STREAM_START)
    assert not findings
    assert "the median of the others of its name is 18.00 s" in notes[0].sentence


def test_a_first_token_far_later_than_in_other_calls_is_found_in_a_long_trace_too() -> None:
    spans = [span("root", 0, 60_000)]
    for i in range(6):
        late = i == 3
        begin = i * 10_000
        waited = 9_000 if late else 600
        spans.append(
            stream(begin, begin + waited + 400, f"answer{i}", name="answer", ttft=waited, input=i)
        )
    (finding,), _ = judged(spans, Category.SLOW_STREAM_START)
    assert finding.spans == ("answer3",)
    assert "15 % of the trace; the median of the others of its name is 600 ms" in finding.sentence


def test_a_wait_of_a_busy_hour_is_a_note() -> None:
    spans = [span("root", 0, 6_000), stream(0, 5_000, ttft=4_000)]
    findings, notes = judged(spans, Category.SLOW_STREAM_START)
    assert not findings
    assert notes


def step(name: str, start: float, end: float, /, **more: Any) -> Span:
    return span(name, start, end, **({"type": "tool", "parent_span_id": "root"} | more))


def test_the_longest_step_is_found_where_a_longer_one_delays_nobody() -> None:
    spans = [
        span("root", 0, 30_000),
        step("upload", 0, 22_000),
        step("render", 0, 18_000),
        stream(18_000, 30_000, usage={"completion_tokens": 600}),
    ]
    (finding,), _ = judged(spans, Category.LONGEST_STEP)
    assert finding.spans == ("render",)
    assert "18.00 s, 60 % of the trace" in finding.sentence
    assert "upload ran longer beside it (22.00 s) without delaying the end" in finding.sentence


@each_case(
    "name, fails, says",
    [("archive", False, True), ("day", False, False), ("archive", True, False)],
)
def test_no_step_is_compared_with_a_failed_branch_or_one_like_that_around_it(
    name: str, fails: bool, says: bool
) -> None:
    spans = [
        span("root", 0, 22_000),
        step("day", 0, 21_000),
        step("menu", 0, 18_000, parent_span_id="day"),
        step(
            "other",
            0,
            20_000,
            name=name,
            error_info=ErrorInfo(exception_type="X") if fails else None,
        ),
    ]
    found = [*judged(spans, Category.LONGEST_STEP)[0], *judged(spans, Category.LONGEST_STEP)[1]]
    assert any("ran longer beside it" in each.sentence for each in found) is says


def test_a_call_that_outlives_the_end_delays_nobody() -> None:
    spans = [
        span("root", 0, 8_500),
        stream(0, 1_700),
        step("speak", 1_700, 8_500),
        step("warm_cache", 8_499, 22_000),
    ]
    (finding,), _ = judged(spans, Category.LONGEST_STEP)
    assert finding.spans == ("speak",)
    assert "warm_cache ran longer beside it (13.50 s) without delaying the end" in finding.sentence


def test_a_step_is_found_for_which_all_other_branches_waited() -> None:
    spans = [
        span("root", 0, 22_000),
        step("fees", 0, 12_000),
        step("tides", 0, 16_000),
        step("merge", 16_000, 20_000),
        stream(20_000, 22_000),
    ]
    (finding,), _ = judged(spans, Category.LONGEST_STEP)
    assert finding.spans == ("tides",)
    assert "fees ran beside it and ended 4.00 s earlier" in finding.sentence


@each_case(
    "seconds, is_finding",
    [(40, True), (14, False)],
)
def test_a_long_step_that_may_be_the_task_is_found_if_nobody_waits_as_long(
    seconds: int, is_finding: bool
) -> None:
    end = seconds * 1_000
    spans = [span("root", 0, end + 1_000), step("export", 0, end), step("send", end, end + 900)]
    findings, notes = judged(spans, Category.LONGEST_STEP)
    assert [each.spans for each in findings] == [("export",)] * is_finding
    assert len(findings + notes) == 1


@each_case(
    "seconds, others, is_finding",
    [(8, 4, True), (8, 2, False), (4, 4, False), (12, 4, True)],
)
def test_a_step_is_found_that_alone_takes_long_among_many(
    seconds: int, others: int, is_finding: bool
) -> None:
    end = seconds * 1_000
    quick = [step(f"read_{i}", end + i * 200, end + i * 200 + 200) for i in range(others)]
    spans = [
        span("root", 0, end + others * 200),
        step("profile", 0, end, name="db_profile"),
        *quick,
    ]
    findings, _ = judged(spans, Category.LONGEST_STEP)
    assert [each.spans for each in findings] == [("profile",)] * is_finding


@each_case(
    "why, spans",
    [
        ("two steps share the time", [step("a", 0, 16_000), step("b", 16_000, 30_000)]),
        (
            "writing 1,600 tokens takes as long",
            [stream(0, 29_000, usage={"completion_tokens": 1_600})],
        ),
        (
            "another of its name takes half as long",
            [step("a", 0, 22_000, name="test"), step("b", 22_000, 34_000, name="test")],
        ),
        ("how much it wrote is not known", [stream(0, 45_000, usage={})]),
        ("a person was asked", [step("human_approval", 0, 28_000)]),
        ("it failed", [step("a", 0, 28_000, error_info={"message": "broke"})]),
        (
            "it waits between its own calls",
            [step("a", 0, 28_000), step("b", 1, 2, parent_span_id="a")],
        ),
        ("seconds are no long wait", [step("a", 0, 4_000), step("b", 0, 4_100)]),
    ],
)
def test_an_ordinary_long_step_is_no_finding(why: str, spans: list[Span]) -> None:
    end = max((each.end_time, each.id) for each in spans if each.end_time)[0]
    root = span("root", 0, 1).model_copy(update={"end_time": end})
    findings, _ = judged([root, *spans], Category.LONGEST_STEP)
    assert not findings, why


def test_the_longest_step_of_a_healthy_trace_is_a_note_with_its_speed() -> None:
    answer = stream(0, 20_000, usage={"completion_tokens": 1_600})
    _, (note,) = judged([span("root", 0, 25_000), answer], Category.LONGEST_STEP)
    assert "20.00 s, 80 % of the trace" in note.sentence
    assert "it wrote 1,600 tokens, 80.0 a second" in note.sentence


def answers(lengths: list[float], tokens: list[int]) -> list[Span]:
    """Calls of one name in a row, of so many milliseconds and written tokens."""
    spans, start = [], 0.0
    for i, (length, written) in enumerate(zip(lengths, tokens, strict=True)):
        usage = {"prompt_tokens": 90, "completion_tokens": written}
        texts = {"input": f"page {i}", "output": f"fields of {i}"}
        call = stream(start, start + length, f"call{i}", name="extract", usage=usage, **texts)
        spans.append(call)
        start += length
    return [span("root", 0, start), *spans]


@each_case(
    "why, lengths, tokens, is_finding",
    [
        ("ten times slower for as many tokens", [1_000] * 9 + [20_000], [60] * 10, True),
        ("within what a busy server takes", [1_000] * 9 + [6_500], [60] * 10, False),
        ("it wrote far more", [1_000] * 9 + [20_000], [60] * 9 + [1_200], False),
        ("it wrote more, but took longer still", [1_000] * 9 + [60_000], [60] * 9 + [200], True),
        ("four times slower, little of a long trace", [5_000] * 99 + [22_000], [60] * 100, False),
    ],
)
def test_a_model_call_is_slow_by_what_it_wrote(
    why: str, lengths: list[float], tokens: list[int], is_finding: bool
) -> None:
    findings, notes = judged(answers(lengths, tokens), Category.SLOW_OUTLIER)
    assert bool(findings) is is_finding, why
    assert [each.spans[0] for each in findings + notes] == [f"call{len(lengths) - 1}"]


def test_a_cold_start_is_a_note() -> None:
    spans = [span("root", 0, 4_000)]
    for i in range(6):
        length = 300 if i == 0 else 20
        spans.append(step(f"load{i}", i * 500, i * 500 + length, name="load", input=i, output=i))
    findings, notes = judged(spans, Category.SLOW_OUTLIER)
    assert not findings
    assert notes[0].spans == ("load0",)


def test_a_step_that_waits_for_failing_attempts_is_named_with_them() -> None:
    spans = [span("root", 0, 60_000)]
    for i in range(8):
        slow = i == 7
        start = i * 200
        spans.append(step(f"file{i}", start, start + (9_000 if slow else 150), name="upload"))
        for attempt in range(3 if slow else 1):
            begin = start + attempt * 3_000
            failed = {"error_info": {"message": "503"}} if slow and attempt < 2 else {}
            record = {"parent_span_id": f"file{i}", "name": "put", "input": i} | failed
            spans.append(span(f"put{i}.{attempt}", begin, begin + 100, **record))
    (finding,), _ = judged(spans, Category.SLOW_OUTLIER)
    assert finding.spans == ("file7", "put7.0", "put7.1")
    assert "2 of the 3 spans below it failed" in finding.sentence


def test_a_span_that_began_before_its_parent_is_a_note_about_clocks() -> None:
    spans = [
        span("root", 0, 4_000),
        step("call", 100, 3_900),
        span("server", -7_200_000, -7_199_000, parent_span_id="call"),
    ]
    findings, (note,) = judged(spans, Category.CLOCK_SKEW)
    assert not findings
    assert note.spans == ("server",)
    assert "started 2 h 00 min before its parent began: their clocks differ" in note.sentence


@each_case(
    "why, start",
    [("a few milliseconds are no other clock", 99), ("a queue of 10 s is a queue", 14_000)],
)
def test_ordinary_times_are_no_note_about_clocks(why: str, start: float) -> None:
    child = span("child", start, start + 1, parent_span_id="call")
    spans = [span("root", 0, 4_000), step("call", 100, 3_900), child]
    assert judged(spans, Category.CLOCK_SKEW) == ([], []), why
