"""What is usual for a name, as a tool reports it."""

import json
from typing import Any

import pytest

from app.analysis.baseline import format_milliseconds, format_quantiles
from standin.faults import Answer, Fault, garbage
from tests.tools.other_traces import ERROR, put_timed_runs, timed_run
from tests.tools.trace_harness import a_call, a_span, a_trace, opened_trace_of

STATS = "/v1/private/traces/stats"
SEARCH = "/v1/private/traces/search"
SPANS = "/v1/private/spans/search"


async def test_percentiles_errors_and_the_place_of_this_trace_are_shown() -> None:
    async with opened_trace_of(a_span(1), trace=a_trace(error_info=ERROR)) as harness:
        runs = [timed_run(n, milliseconds=10 * n) for n in range(1, 100)]
        runs[0]["error_info"] = ERROR
        harness.standin.records.put_traces(runs)
        harness.standin.records.put_spans(
            [a_call(run, n, cost=0.01 * n, tokens=n) for n, run in enumerate(runs, 1)]
        )
        text = await harness.call("compare_with_project")
    assert text.splitlines() == [
        "100 traces named answer-question in this project, 2026-11-13 to 2026-11-21;"
        " 2 failed (2 %)",
        "duration: p50 505 ms, p90 901 ms, p99 1.57 s; this trace 59.00 s,"
        " more than 100 % of the others",
        "cost: p50 $0.5, p90 $0.89, p99 $0.98 (of the 99 that have it); not recorded of this trace",
        "tokens: p50 50, p90 89, p99 98 (of the 99 that have it); not recorded of this trace",
        "This trace failed.",
    ]


async def test_another_name_and_another_window_can_be_asked_for() -> None:
    async with opened_trace_of(a_span(1)) as harness:
        put_timed_runs(harness, 30, name="tune")
        text = await harness.call("compare_with_project", name="tune", days=1)
        none = await harness.call("compare_with_project", name="nothing {x}")
    assert text.startswith("30 traces named tune in this project, 2026-11-19 to 2026-11-21")
    assert "this trace" not in text
    assert none.startswith("There is no trace named nothing {x} in this project")


async def test_a_trace_without_another_of_its_name_is_not_compared_with_itself() -> None:
    async with opened_trace_of(a_span(1)) as harness:
        text = await harness.call("compare_with_project")
    assert text.startswith("There is no other trace named answer-question in this project")
    assert "p50" not in text


async def test_traces_that_have_not_ended_are_counted_apart() -> None:
    async with opened_trace_of(a_span(1)) as harness:
        put_timed_runs(harness, 30)
        harness.standin.records.put_traces([timed_run(40) | {"end_time": None}])
        text = await harness.call("compare_with_project")
    assert "32 traces named answer-question" in text
    assert "0 failed (0 %); 1 not finished\n" in text
    assert "(of the 31 that have it)" in text


async def test_percentiles_of_what_was_read_equal_those_of_the_statistics() -> None:
    async with opened_trace_of(a_span(1), trace=a_trace(source="sdk")) as harness:
        put_timed_runs(harness, 37)
        read = await harness.call("compare_with_project")
        project = harness.context.project
        found = await project.read_baseline("answer-question", project.make_window(7))
    assert found is not None
    assert found[0].duration is not None
    assert format_quantiles(found[0].duration, format_milliseconds) in read


async def test_few_traces_are_marked_as_too_few_to_conclude_from() -> None:
    async with opened_trace_of(a_span(1)) as harness:
        put_timed_runs(harness, 3)
        assert "too few to conclude from" in await harness.call("compare_with_project")


async def test_many_traces_are_described_by_statistics_and_the_newest_for_the_rest() -> None:
    async with opened_trace_of(a_span(1)) as harness:
        put_timed_runs(harness, 1_500)
        text = await harness.call("compare_with_project")
        asked = json.loads(harness.requests("/traces/stats")[-1].query["filters"])
    assert text.startswith("1,501 traces named answer-question")
    assert "duration: p50 7.51 s, p90 13.51 s" in text
    assert "Cost, tokens and shares are based on" in text
    assert {"field": "source", "operator": "=", "value": "sdk"} in asked
    assert len(harness.requests("/traces/search")) <= 4


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        (Answer(404), "Opik has no statistics for them."),
        (Answer(500), "Opik's statistics could not be read: The Opik backend failed"),
        (garbage(), "Opik's statistics could not be read: "),
        (
            Answer(200, {"stats": [{"name": "duration", "value": {"p50": -1}}]}),
            "Opik has no statistics",
        ),
        (Answer(200, {"stats": "none"}), "could not be read"),
    ],
    ids=["absent", "failing", "garbage", "senseless", "of another shape"],
)
async def test_without_statistics_the_newest_traces_are_used_and_noted(
    effect: Answer, expected: str
) -> None:
    async with opened_trace_of(a_span(1)) as harness:
        put_timed_runs(harness, 1_500)
        harness.switches.faults.append(Fault(effect, STATS))
        text = await harness.call("compare_with_project")
    assert "700 traces named answer-question" in text
    assert expected in text
    assert "All of this is based on the newest 700 traces that could be read." in text


async def test_a_backend_that_cannot_leave_evaluators_out_is_noted() -> None:
    async with opened_trace_of(a_span(1), switches={"generation": "B"}) as harness:
        put_timed_runs(harness, 900)
        text = await harness.call("compare_with_project")
    assert text.startswith("901 traces")
    assert "Runs of experiments and evaluators may be included." in text


async def test_runs_of_evaluators_are_left_out() -> None:
    async with opened_trace_of(a_span(1)) as harness:
        put_timed_runs(harness, 30, source="evaluator")
        text = await harness.call("compare_with_project")
    assert text.startswith("There is no other trace named answer-question")


@pytest.mark.parametrize("switches", [{"filters": "ignored"}, {"filters": "refused"}], ids=str)
async def test_backends_without_filters_are_answered_from_what_was_read(
    switches: dict[str, Any],
) -> None:
    async with opened_trace_of(a_span(1), switches=switches) as harness:
        put_timed_runs(harness, 30)
        harness.standin.records.put_traces([timed_run(n, name="x") for n in range(40, 60)])
        assert "31 traces named" in await harness.call("compare_with_project")


async def test_statistics_of_a_backend_that_ignores_names_are_not_taken() -> None:
    async with opened_trace_of(a_span(1), switches={"filters": "ignored"}) as harness:
        others = [timed_run(n, name="x", milliseconds=9_000) for n in range(1, 2_000, 2)]
        harness.standin.records.put_traces(others)
        runs = [timed_run(n, milliseconds=10) for n in range(0, 2_000, 2)][1:]
        harness.standin.records.put_traces(runs)
        text = await harness.call("compare_with_project")
        assert harness.requests("/traces/stats")[1:] == []
    assert "duration: p50 10.0 ms, p90 10.0 ms" in text
    assert "cannot filter by name" in text
    assert "All of this is based on" in text


@pytest.mark.parametrize("long", ["é" * 9_000, "a?b=c&d", "{x}\r\nCookie: y"])
async def test_an_odd_name_is_asked_for_in_bodies_only(long: str) -> None:
    async with opened_trace_of(a_span(1), trace=a_trace(name=long)) as harness:
        put_timed_runs(harness, 900, name=long)
        text = await harness.call("compare_with_project")
        assert await harness.call("find_similar_traces", outcome="slow")
        assert harness.requests("/traces/stats") == []
    assert "traces named" in text
