"""What is usual for a name: the tool, and what the outline and the findings make of it."""

import json
from typing import Any
from uuid import UUID

import anyio
import pytest

from app.agent.citations import Aliases
from app.analysis.usual import milliseconds, quantiles_text
from app.errors import NotAllowed
from app.opik.client import OpikClient
from app.tools.catalogue import TOOLS
from app.tools.loading import LoadLimits, TraceLoader
from app.tools.workbench import ToolLimits, Workshop
from demo.standin.faults import Answer, Delay, Fault, garbage
from tests.fakes.service import TRACE_ID
from tests.tools.desk import CALLER, OWNER, Desk, a_call, a_span, a_trace, backend_with, desk_with

STATS = "/v1/private/traces/stats"
SEARCH = "/v1/private/traces/search"
SPANS = "/v1/private/spans/search"
ERROR = {"exception_type": "E", "message": "no"}


def a_run(number: int, *, milliseconds: int = 100, **more: Any) -> dict[str, Any]:
    run = str(UUID(int=UUID(TRACE_ID).int - number * 65_536))
    end = f"2026-11-19T10:00:{milliseconds // 1000:02d}.{milliseconds % 1000:03d}Z"
    times = {"start_time": "2026-11-19T10:00:00Z", "end_time": end}
    return a_trace(**({"id": run, "source": "sdk"} | times | more))


def loader(client: OpikClient) -> TraceLoader:
    return TraceLoader(client, LoadLimits())


def put_runs(desk: Desk, count: int, **more: Any) -> None:
    """Runs of 10, 20, 30 ... ms."""
    runs = [a_run(n, milliseconds=10 * n, **more) for n in range(1, count + 1)]
    for start in range(0, count, 1_000):
        desk.standin.records.put_traces(runs[start : start + 1_000])


async def test_percentiles_errors_and_the_place_of_this_trace_are_told() -> None:
    async with desk_with(a_span(1), trace=a_trace(error_info=ERROR)) as desk:
        runs = [a_run(n, milliseconds=10 * n) for n in range(1, 100)]
        runs[0]["error_info"] = ERROR
        desk.standin.records.put_traces(runs)
        desk.standin.records.put_spans(
            [a_call(run, n, cost=0.01 * n, tokens=n) for n, run in enumerate(runs, 1)]
        )
        text = await desk.call("compare_with_project")
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
    async with desk_with(a_span(1)) as desk:
        put_runs(desk, 30, name="tune")
        text = await desk.call("compare_with_project", name="tune", days=1)
        none = await desk.call("compare_with_project", name="nothing {x}")
    assert text.startswith("30 traces named tune in this project, 2026-11-19 to 2026-11-21")
    assert "this trace" not in text
    assert none.startswith("There is no trace named nothing {x} in this project")


async def test_a_trace_without_another_of_its_name_is_not_compared_with_itself() -> None:
    async with desk_with(a_span(1)) as desk:
        text = await desk.call("compare_with_project")
    assert text.startswith("There is no other trace named answer-question in this project")
    assert "p50" not in text


async def test_traces_that_have_not_ended_are_told_apart() -> None:
    async with desk_with(a_span(1)) as desk:
        put_runs(desk, 30)
        desk.standin.records.put_traces([a_run(40) | {"end_time": None}])
        text = await desk.call("compare_with_project")
    assert "32 traces named answer-question" in text
    assert "0 failed (0 %); 1 not finished\n" in text
    assert "(of the 31 that have it)" in text


async def test_percentiles_of_what_was_read_are_those_that_the_statistics_tell() -> None:
    async with desk_with(a_span(1), trace=a_trace(source="sdk")) as desk:
        put_runs(desk, 37)
        read = await desk.call("compare_with_project")
        around = desk.ready.bench.around
        told = await around.usual("answer-question", around.window(7))
    assert told is not None
    assert told[0].duration is not None
    assert quantiles_text(told[0].duration, milliseconds) in read


async def test_of_few_traces_it_is_said_that_they_say_little() -> None:
    async with desk_with(a_span(1)) as desk:
        put_runs(desk, 3)
        assert "so few say little" in await desk.call("compare_with_project")


async def test_of_many_traces_the_statistics_tell_and_the_newest_tell_the_rest() -> None:
    async with desk_with(a_span(1)) as desk:
        put_runs(desk, 1_500)
        text = await desk.call("compare_with_project")
        asked = json.loads(desk.requests("/traces/stats")[-1].query["filters"])
    assert text.startswith("1,501 traces named answer-question")
    assert "duration: p50 7.51 s, p90 13.51 s" in text
    assert "cost, tokens and shares" in text
    assert {"field": "source", "operator": "=", "value": "sdk"} in asked
    assert len(desk.requests("/traces/search")) <= 4


@pytest.mark.parametrize(
    ("effect", "said"),
    [
        (Answer(404), "No statistics of Opik's could be had for them."),
        (Answer(500), "Opik's statistics could not be read: The Opik backend failed"),
        (garbage(), "Opik's statistics could not be read: "),
        (
            Answer(200, {"stats": [{"name": "duration", "value": {"p50": -1}}]}),
            "No statistics of Opik's",
        ),
        (Answer(200, {"stats": "none"}), "could not be read"),
    ],
    ids=["absent", "failing", "garbage", "senseless", "of another shape"],
)
async def test_without_statistics_the_newest_traces_tell_and_that_is_said(
    effect: Answer, said: str
) -> None:
    async with desk_with(a_span(1)) as desk:
        put_runs(desk, 1_500)
        desk.switches.faults.append(Fault(effect, STATS))
        text = await desk.call("compare_with_project")
    assert "700 traces named answer-question" in text
    assert said in text
    assert "Of the newest 700 traces that could be read: all of this." in text


async def test_a_backend_that_cannot_leave_evaluators_out_is_said_to_count_them() -> None:
    async with desk_with(a_span(1), switches={"generation": "B"}) as desk:
        put_runs(desk, 900)
        text = await desk.call("compare_with_project")
    assert text.startswith("901 traces")
    assert "Runs of experiments and evaluators may be counted in." in text


async def test_runs_of_evaluators_are_left_out() -> None:
    async with desk_with(a_span(1)) as desk:
        put_runs(desk, 30, source="evaluator")
        text = await desk.call("compare_with_project")
    assert text.startswith("There is no other trace named answer-question")


@pytest.mark.parametrize("switches", [{"filters": "ignored"}, {"filters": "refused"}], ids=str)
async def test_backends_without_filters_are_answered_from_what_was_read(
    switches: dict[str, Any],
) -> None:
    async with desk_with(a_span(1), switches=switches) as desk:
        put_runs(desk, 30)
        desk.standin.records.put_traces([a_run(n, name="x") for n in range(40, 60)])
        assert "31 traces named" in await desk.call("compare_with_project")


async def test_statistics_of_a_backend_that_ignores_names_are_not_taken() -> None:
    async with desk_with(a_span(1), switches={"filters": "ignored"}) as desk:
        others = [a_run(n, name="x", milliseconds=9_000) for n in range(1, 2_000, 2)]
        desk.standin.records.put_traces(others)
        runs = [a_run(n, milliseconds=10) for n in range(0, 2_000, 2)][1:]
        desk.standin.records.put_traces(runs)
        text = await desk.call("compare_with_project")
        assert desk.requests("/traces/stats")[1:] == []
    assert "duration: p50 10.0 ms, p90 10.0 ms" in text
    assert "does not choose by name" in text
    assert "all of this" in text


@pytest.mark.parametrize("long", ["é" * 9_000, "a?b=c&d", "{x}\r\nCookie: y"])
async def test_an_odd_name_is_asked_for_in_bodies_only(long: str) -> None:
    async with desk_with(a_span(1), trace=a_trace(name=long)) as desk:
        put_runs(desk, 900, name=long)
        text = await desk.call("compare_with_project")
        assert await desk.call("find_similar_traces", outcome="slow")
        assert desk.requests("/traces/stats") == []
    assert "traces named" in text


def slow_trace(**more: Any) -> dict[str, Any]:
    return a_trace(start_time="2026-11-20T10:00:00Z", end_time="2026-11-20T10:00:59Z", **more)


async def opened_among(desk: Desk, count: int, **more: Any) -> str:
    """The outline of the trace, opened anew when there are so many others."""
    put_runs(desk, count, **more)
    await desk.reopen()
    return desk.ready.outline


async def test_the_outline_tells_what_is_usual_and_the_slow_trace_is_found() -> None:
    async with desk_with(a_span(1, name="agent"), trace=slow_trace()) as desk:
        outline = await opened_among(desk, 98)
        assert (
            "usual in this project: 99 traces named answer-question, 2026-11-13 to 2026-11-21,"
            " took p50 500 ms, p90 "
        ) in outline
        assert "slower_than_usual (system_execution, 90% sure): The whole trace took" in outline
        questions = desk.ready.suggestions
    assert "What made this run slower than the others of its name?" in questions


async def test_a_costly_trace_is_found() -> None:
    async with desk_with(a_span(1, total_estimated_cost=2.0), trace=a_trace()) as desk:
        runs = [a_run(n) for n in range(1, 40)]
        desk.standin.records.put_traces(runs)
        calls = [a_call(run, n, cost=0.01, tokens=9) for n, run in enumerate(runs)]
        desk.standin.records.put_spans(calls)
        await desk.reopen()
        assert "costlier_than_usual" in desk.ready.outline
        assert "The whole trace cost $2.00, 33 times the average of 40 traces" in desk.ready.outline


async def test_a_usual_trace_and_one_among_few_have_no_such_finding() -> None:
    async with desk_with(a_span(1), trace=slow_trace()) as desk:
        assert "too few to conclude from" in await opened_among(desk, 10)
        assert "than_usual" not in desk.ready.outline
    async with desk_with(a_span(1), trace=a_run(0) | {"id": TRACE_ID}) as desk:
        outline = await opened_among(desk, 98)
        assert "usual in this project" in outline
        assert "than_usual" not in outline


@pytest.mark.parametrize(
    "effect", [Answer(404), Answer(500), Answer(403), garbage(), Answer(200, {"stats": [7]})]
)
async def test_an_opening_never_fails_for_want_of_what_is_usual(effect: Answer) -> None:
    async with desk_with(a_span(1), trace=slow_trace()) as desk:
        desk.switches.faults.append(Fault(effect, STATS))
        outline = await opened_among(desk, 98)
    assert "usual" not in outline
    assert "s1" in outline


async def test_an_opening_waits_for_it_hardly_ever_and_does_not_ask_again_soon() -> None:
    async with backend_with(slow_trace(), [a_span(1)]) as (standin, client):
        standin.switches.faults.append(Fault(Delay(60), STATS))
        workshop = Workshop(client, loader(client), TOOLS, ToolLimits(), usual_seconds=60)
        for _ in range(2):
            with anyio.fail_after(20):
                ready = await workshop(CALLER, OWNER, TRACE_ID, Aliases())
        assert "usual" not in ready.outline
        assert len(standin.switches.requests("GET", STATS)) == 1


async def test_what_is_usual_is_kept_for_the_owners_next_turn() -> None:
    async with desk_with(a_span(1), trace=slow_trace()) as desk:
        put_runs(desk, 98)
        workshop = Workshop(desk.client, desk.loader, TOOLS, ToolLimits())
        first = await workshop(CALLER, OWNER, TRACE_ID, desk.aliases)
        put_runs(desk, 400)
        before = len(desk.requests("/traces/stats"))
        again = await workshop(CALLER, OWNER, TRACE_ID, desk.aliases)
        assert again.outline == first.outline
        assert "usual in this project: 99 traces" in again.outline
        assert len(desk.requests("/traces/stats")) == before


async def test_two_openings_at_once_ask_once() -> None:
    async with desk_with(a_span(1), trace=slow_trace()) as desk:
        put_runs(desk, 98)
        workshop = Workshop(desk.client, desk.loader, TOOLS, ToolLimits())
        before = len(desk.requests("/traces/stats"))
        outlines: list[str] = []

        async def open_it() -> None:
            outlines.append((await workshop(CALLER, OWNER, TRACE_ID, Aliases())).outline)

        async with anyio.create_task_group() as group:
            group.start_soon(open_it)
            group.start_soon(open_it)
        assert len(desk.requests("/traces/stats")) == before + 1
    assert all("usual in this project: 99 traces" in each for each in outlines)


async def test_where_it_is_switched_off_nothing_is_asked() -> None:
    async with backend_with(slow_trace(), [a_span(1)]) as (standin, client):
        workshop = Workshop(client, loader(client), TOOLS, ToolLimits(), usual_seconds=0)
        await workshop(CALLER, OWNER, TRACE_ID, Aliases())
        assert standin.switches.requests("GET", STATS) == []


async def test_the_refusal_of_the_trace_itself_is_told_as_ever() -> None:
    async with backend_with(slow_trace(), [a_span(1)]) as (standin, client):
        standin.switches.faults.append(Fault(Answer(403, {"errors": ["no"]}), SPANS))
        workshop = Workshop(client, loader(client), TOOLS, ToolLimits())
        with pytest.raises(NotAllowed):
            await workshop(CALLER, OWNER, TRACE_ID, Aliases())


async def test_a_start_at_the_end_of_the_calendar_does_no_harm() -> None:
    for start in ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+05:00"):
        async with desk_with(a_span(1), trace=a_trace(start_time=start, thread_id="t")) as desk:
            assert (await desk.answer("compare_with_project")).outcome == "ok"
            assert (await desk.answer("get_thread")).outcome == "ok"
