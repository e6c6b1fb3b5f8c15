"""Finding other runs of the same name."""

from typing import Any

import pytest

from tests.tools.other_traces import ERROR, a_run, put
from tests.tools.trace_harness import a_call, a_span, a_trace, opened_trace_of

LIST = "/v1/private/traces"
SEARCH = "/v1/private/traces/search"


async def test_healthy_failed_and_slow_runs_of_the_name_are_found() -> None:
    async with opened_trace_of(a_span(1), trace=a_trace(source="sdk")) as harness:
        put(
            harness,
            *(a_run(n) for n in range(2, 12)),
            a_run(20, error_info=ERROR),
            a_run(21, name="other"),
            a_run(22, project_name="else"),
            a_run(23, source="evaluator"),
            a_run(1, day=1, seconds=50),
            {**a_run(25), "end_time": None},
        )
        healthy = await harness.call("find_similar_traces", outcome="healthy")
        failed = await harness.call("find_similar_traces", outcome="failed")
        slow = await harness.call("find_similar_traces", outcome="slow")
    found = [line.split()[1:3] for line in healthy.splitlines()[1:-1]]
    assert found == [["2026-11-19", f"00:{n:02d}:00"] for n in range(11, 3, -1)]
    assert "t1 2026-11-19 00:11:00 1.00 s, 0 spans" in healthy
    assert healthy.endswith('compare_traces(trace="t1")')
    assert failed.splitlines()[1] == "t9 2026-11-19 00:20:00 1.00 s, 0 spans, ERROR E: no"
    assert len(failed.splitlines()) == 3
    assert slow.splitlines()[0].endswith("(slowest first):")
    assert "t10 2026-11-01 00:01:00 50.00 s" in slow.splitlines()[1]


async def test_of_the_runs_without_an_error_the_ordinary_ones_come_first() -> None:
    async with opened_trace_of(a_span(1), trace=a_trace(thread_id="lesson")) as harness:
        runs = [a_run(n) for n in range(1, 5)]
        dear, slow, near = a_run(30), a_run(31, seconds=59), a_run(32, thread_id="lesson")
        calls = [a_call(run, n, cost=0.01, tokens=9) for n, run in enumerate(runs)]
        put(harness, *runs, dear, slow, near, spans=[*calls, a_call(dear, 9, cost=2.0, tokens=9)])
        text = await harness.call("find_similar_traces", outcome="healthy")
    assert [line.split()[2] for line in text.splitlines()[1:-1]] == [
        *("00:04:00", "00:03:00", "00:02:00", "00:01:00"),
        "00:32:00",
        *("00:31:00", "00:30:00"),
    ]
    assert "(ordinary time and cost first)" in text


async def test_a_backend_that_silently_does_not_sort_is_found_out() -> None:
    async with opened_trace_of(a_span(1), switches={"ignore_sorting": True}) as harness:
        put(harness, a_run(1, seconds=40), *(a_run(n) for n in range(2, 30)))
        text = await harness.call("find_similar_traces", outcome="slow")
    assert "not sorted by Opik" in text.splitlines()[0]
    assert "t1 2026-11-19 00:01:00 40.00 s" in text.splitlines()[1]


@pytest.mark.parametrize("outcome", ["healthy", "failed", "slow"])
@pytest.mark.parametrize(
    "switches",
    [{"generation": "A"}, {"generation": "B"}, {"filters": "ignored"}, {"filters": "refused"}],
    ids=str,
)
async def test_every_backend_gives_the_runs_that_fit(
    outcome: str, switches: dict[str, Any]
) -> None:
    async with opened_trace_of(a_span(1), switches=switches) as harness:
        put(harness, a_run(1), a_run(2, error_info=ERROR), a_run(3, seconds=9), a_run(4, name="x"))
        put(harness, a_run(5, source="evaluator"))
        lines = (await harness.call("find_similar_traces", outcome=outcome)).splitlines()
    minutes = [line.split()[2] for line in lines[1:-1]]
    expected = {
        "healthy": ["00:03:00", "00:01:00"],
        "failed": ["00:02:00"],
        "slow": ["00:03:00", "00:02:00", "00:01:00"],
    }
    assert sorted(minutes) == sorted(expected[outcome])


async def test_where_there_is_no_such_run_the_answer_states_it() -> None:
    async with opened_trace_of(a_span(1)) as harness:
        text = await harness.call("find_similar_traces", outcome="failed")
    assert text.startswith(
        "No other failed trace named answer-question in this project, 2026-10-21"
    )
    async with opened_trace_of(a_span(1), trace=a_trace(name="")) as harness:
        answer = await harness.answer("find_similar_traces", outcome="failed")
    assert "has no name" in answer.text
