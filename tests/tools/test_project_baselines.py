"""What is usual for a name in the outline and the findings, and what an opening pays for it."""

from functools import partial
from typing import Any

import anyio
import pytest

from app.agent.citations import Aliases
from app.errors import NotAllowed
from app.opik.client import OpikClient
from app.tools.trace.loader import TraceLoader
from standin.faults import Answer, Delay, Fault, garbage
from testkit.constants import changed_constants
from testkit.limits import load_limits
from testkit.service import TRACE_ID, WAIT_SECONDS, wait_until
from tests.tools.other_traces import put_timed_runs, timed_run
from tests.tools.trace_harness import (
    CALLER,
    OWNER,
    TraceHarness,
    a_call,
    a_span,
    a_trace,
    backend_with,
    build_opener,
    open_trace,
    opened_trace_of,
)

STATS = "/v1/private/traces/stats"
SEARCH = "/v1/private/traces/search"
SPANS = "/v1/private/spans/search"


def loader(client: OpikClient) -> TraceLoader:
    return TraceLoader(client, load_limits())


def slow_trace(**more: Any) -> dict[str, Any]:
    return a_trace(start_time="2026-11-20T10:00:00Z", end_time="2026-11-20T10:00:59Z", **more)


async def opened_among(harness: TraceHarness, count: int, **more: Any) -> str:
    """The outline of the trace in the second turn, when there are so many others."""
    put_timed_runs(harness, count, **more)
    opener = build_opener(harness.client, harness.loader)
    await (await open_trace(opener, harness.client, harness.aliases)).complete()
    harness.context = await open_trace(opener, harness.client, harness.aliases)
    return harness.context.outline


async def test_the_first_tool_result_says_what_is_usual_since_the_outline_waits_for_nothing() -> (
    None
):
    async with opened_trace_of(a_span(1, name="agent"), trace=slow_trace()) as harness:
        put_timed_runs(harness, 98)
        await harness.reopen(complete=False)
        assert "usual" not in harness.context.outline
        first, second = [await harness.call("get_trace_data") for _ in range(2)]
        findings = harness.context.describe_analysis()["findings"]
    assert first.startswith("[known since the outline was written]\nbaseline in this project: 99")
    assert "finding: slower_than_usual" in first
    assert second == first[first.index("\n\n") + 2 :]
    assert "slower_than_usual" in [each["category"] for each in findings]


async def test_the_next_outline_shows_what_is_usual_and_the_slow_trace_is_found() -> None:
    async with opened_trace_of(a_span(1, name="agent"), trace=slow_trace()) as harness:
        outline = await opened_among(harness, 98)
        assert (
            "baseline in this project: 99 traces named answer-question, 2026-11-13 to 2026-11-21,"
            " took p50 500 ms, p90 "
        ) in outline
        assert "slower_than_usual (system_execution, 90% sure): The whole trace took" in outline
        questions = harness.context.suggestions
    assert "What made this run slower than the others of its name?" in questions


async def test_a_costly_trace_is_found() -> None:
    async with opened_trace_of(a_span(1, total_estimated_cost=2.0), trace=a_trace()) as harness:
        runs = [timed_run(n) for n in range(1, 40)]
        harness.standin.records.put_traces(runs)
        calls = [a_call(run, n, cost=0.01, tokens=9) for n, run in enumerate(runs)]
        harness.standin.records.put_spans(calls)
        await harness.reopen(complete=False)
        result = await harness.call("get_trace_data")
    assert "costlier_than_usual" in result
    assert "The whole trace cost $2.00, 33 times the average of 40 traces" in result


async def test_a_usual_trace_and_one_among_few_have_no_such_finding() -> None:
    async with opened_trace_of(a_span(1), trace=slow_trace()) as harness:
        assert "too few to conclude from" in await opened_among(harness, 10)
        assert "than_usual" not in harness.context.outline
    async with opened_trace_of(a_span(1), trace=timed_run(0) | {"id": TRACE_ID}) as harness:
        outline = await opened_among(harness, 98)
        assert "baseline in this project" in outline
        assert "than_usual" not in outline


@pytest.mark.parametrize(
    "effect", [Answer(404), Answer(500), Answer(403), garbage(), Answer(200, {"stats": [7]})]
)
async def test_an_opening_never_fails_for_want_of_what_is_usual(effect: Answer) -> None:
    async with opened_trace_of(a_span(1), trace=slow_trace()) as harness:
        harness.switches.faults.append(Fault(effect, STATS))
        outline = await opened_among(harness, 98)
    assert "usual" not in outline
    assert "s1" in outline


async def test_an_opening_never_waits_for_it_and_does_not_ask_again_soon() -> None:
    async with backend_with(slow_trace(), [a_span(1)]) as (standin, client):
        standin.switches.faults.append(Fault(Delay(60), STATS))
        opener = build_opener(client, loader(client))
        with changed_constants(baseline_seconds=0.2), anyio.fail_after(40):
            for _ in range(2):
                context = await open_trace(opener, client, Aliases())
                assert await context.complete() == ""
        assert len(standin.switches.requests("GET", STATS)) == 1


async def test_what_is_usual_is_kept_for_the_owners_next_turn() -> None:
    async with opened_trace_of(a_span(1), trace=slow_trace()) as harness:
        put_timed_runs(harness, 98)
        opener = build_opener(harness.client, harness.loader)
        first = await open_trace(opener, harness.client, harness.aliases)
        await first.complete()
        put_timed_runs(harness, 400)
        before = len(harness.requests("/traces/stats"))
        again = await open_trace(opener, harness.client, harness.aliases)
        assert "baseline in this project: 99 traces" in again.outline
        assert len(harness.requests("/traces/stats")) == before


async def test_an_opening_that_is_cancelled_leaves_it_to_the_next() -> None:
    async with opened_trace_of(a_span(1), trace=slow_trace()) as harness:
        put_timed_runs(harness, 98)
        opener = build_opener(harness.client, harness.loader)
        harness.switches.faults.append(Fault(Delay(60), STATS, times=1))
        before = len(harness.requests("/traces/stats"))
        with changed_constants(baseline_seconds=WAIT_SECONDS):
            async with anyio.create_task_group() as group:
                trace = await harness.client.get_trace(CALLER, TRACE_ID)
                opening = opener.begin(CALLER, OWNER, trace)
                group.start_soon(partial(opening.open, Aliases(), complete=True))
                await wait_until(lambda: len(harness.requests("/traces/stats")) > before)
                group.cancel_scope.cancel()
            again = await open_trace(opener, harness.client, harness.aliases)
            assert "baseline in this project: 99 traces" in await again.complete()


async def test_two_openings_at_once_ask_once() -> None:
    async with opened_trace_of(a_span(1), trace=slow_trace()) as harness:
        put_timed_runs(harness, 98)
        opener = build_opener(harness.client, harness.loader)
        before = len(harness.requests("/traces/stats"))
        texts: list[str] = []

        async def open_it() -> None:
            opened = await open_trace(opener, harness.client, Aliases())
            texts.append(opened.outline + await opened.complete())

        async with anyio.create_task_group() as group:
            group.start_soon(open_it)
            group.start_soon(open_it)
        assert len(harness.requests("/traces/stats")) == before + 1
    assert all("baseline in this project: 99 traces" in each for each in texts)


async def test_the_refusal_of_the_trace_itself_is_raised() -> None:
    async with backend_with(slow_trace(), [a_span(1)]) as (standin, client):
        standin.switches.faults.append(Fault(Answer(403, {"errors": ["no"]}), SPANS))
        with pytest.raises(NotAllowed):
            await open_trace(build_opener(client, loader(client)), client, Aliases())


async def test_a_start_at_the_end_of_the_calendar_does_no_harm() -> None:
    for start in ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+05:00"):
        async with opened_trace_of(
            a_span(1), trace=a_trace(start_time=start, thread_id="t")
        ) as harness:
            assert (await harness.answer("compare_with_project")).outcome == "ok"
            assert (await harness.answer("get_thread")).outcome == "ok"
