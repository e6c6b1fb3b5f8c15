"""Loading a trace: structure first, then chosen bodies in few requests; what is kept for later."""

from dataclasses import replace
from typing import Any

import anyio
import pytest

from app.caller import Owner
from app.errors import NotAllowed
from app.tools.trace.bodies import BodyReader, SpanBodyLimits
from app.tools.trace.loader import KEPT_SECONDS, LoadedTrace, LoadLimits, TraceLoader
from standin.faults import Answer, CutAfter, Delay, Fault, PauseAfter
from testkit.service import TRACE_ID, WAIT_SECONDS, span_id
from tests.tools.desk import CALLER, OWNER, Desk, a_span, a_trace, backend_with, desk_with

SEARCH = "/v1/private/spans/search"
TRACE = f"/v1/private/traces/{TRACE_ID}"
ADA = OWNER
EVE = Owner("default", "user:eve")


def busy(count: int) -> list[dict[str, Any]]:
    """Spans of a few names below one root, one in fifty failed, each with a body."""
    return [
        a_span(
            n,
            1 if n > 1 else None,
            name=f"call {n % 7}",
            output={"n": n, "text": "x" * (n % 90) * 10},
            error_info={"exception_type": "E", "message": "m"} if n % 50 == 0 else None,
        )
        for n in range(1, count + 1)
    ]


async def load(desk: Desk, owner: Owner = ADA) -> tuple[LoadedTrace, list[str]]:
    """The trace loaded once more, and the paths that were asked for it."""
    before = len(desk.switches.received)
    loaded = await desk.loader.load(CALLER, owner, TRACE_ID)
    return loaded, [each.path for each in list(desk.switches.received)[before:]]


async def test_of_a_small_trace_all_bodies_are_read_in_a_few_pages() -> None:
    async with desk_with(*busy(300)) as desk:
        assert len(desk.ready.bench.loaded.analysis.bodies) == 300
        assert desk.bodies_asked() == [100, 100, 100]
        structure = [r for r in desk.requests("/spans/search") if r.body["exclude"]]
        assert [each.body["limit"] for each in structure] == [2_000]


async def test_of_a_large_trace_at_most_200_bodies_are_read_in_few_requests() -> None:
    async with desk_with(*busy(1_200)) as desk:
        analysis = desk.ready.bench.loaded.analysis
        assert 100 <= len(analysis.bodies) <= 200
        assert len(desk.bodies_asked()) <= 45
        assert sum(desk.bodies_asked()) <= 500
        assert f"read of {len(analysis.bodies)} of 1,200 spans" in desk.ready.outline
        failed = {span.id for span in desk.ready.bench.loaded.spans.values() if span.error_info}
        assert len(failed & analysis.bodies) >= 10


async def test_bodies_stop_at_their_bytes_and_the_most_important_are_read() -> None:
    load = LoadLimits(bodies=SpanBodyLimits(bytes=20_000, parallel=1))
    async with desk_with(*busy(1_200), load=load) as desk:
        analysis = desk.ready.bench.loaded.analysis
        assert 0 < len(analysis.bodies) < 100
        assert f"read of {len(analysis.bodies)} of 1,200 spans" in desk.ready.outline
        assert any(span_id.endswith("0032") for span_id in analysis.bodies)


async def test_pages_under_way_share_the_bytes_that_are_left() -> None:
    limits = SpanBodyLimits(bytes=50_000, seconds=20, parallel=4)
    async with backend_with(a_trace(), busy(400)) as (_, client):
        trace = await client.get_trace(CALLER, TRACE_ID)
        reader = BodyReader(client, CALLER, trace, limits)
        ids = [span_id(n) for n in range(1, 401)]
        bodies = await reader.read(ids, ids)
    assert len(bodies) > 50
    assert sum(len(each.output["text"]) for each in bodies.values()) <= 50_000
    assert reader.bytes == 50_000


async def test_bodies_stop_at_their_seconds() -> None:
    load = LoadLimits(bodies=SpanBodyLimits(seconds=0))
    async with desk_with(*busy(20), load=load) as desk:
        assert desk.ready.bench.loaded.analysis.bodies == frozenset()
        assert "read of 0 of 20 spans" in desk.ready.outline
        assert '{"n": 7' in await desk.call("get_span_details", span_id="s7", include_output=True)


async def test_a_backend_that_gives_no_bodies_gives_an_outline_all_the_same() -> None:
    async with desk_with(*busy(20), trace=a_trace(end_time=None)) as desk:
        desk.switches.faults.append(Fault(Answer(500, {"errors": ["no"]}), SEARCH, skip=1))
        await desk.reopen()
        assert len(desk.ready.bench.loaded.spans) == 20
        assert "read of 0 of 20 spans" in desk.ready.outline


async def test_a_finished_trace_is_kept_for_its_owner_and_checked_by_one_request() -> None:
    async with desk_with(*busy(20)) as desk:
        first, _ = await load(desk)
        again, paths = await load(desk)
        assert again is first
        assert paths == [TRACE]
        other, paths = await load(desk, EVE)
        assert other is not first
        assert paths.count(SEARCH) == 2


@pytest.mark.parametrize("change", [{"tags": ["new"]}, {"end_time": "2026-11-20T10:01:10Z"}])
async def test_a_changed_trace_is_read_anew(change: dict[str, Any]) -> None:
    async with desk_with(*busy(20)) as desk:
        first, _ = await load(desk)
        desk.standin.records.put_traces([a_trace(**change)])
        changed, paths = await load(desk)
        assert changed is not first
        assert SEARCH in paths
        assert (await load(desk))[0] is changed


async def test_a_trace_with_a_new_span_is_read_anew() -> None:
    async with desk_with(*busy(20)) as desk:
        await load(desk)
        desk.standin.records.put_spans([a_span(21, 1)])
        assert len((await load(desk))[0].spans) == 21


async def test_a_span_that_changes_alone_is_seen_after_five_minutes_at_the_latest() -> None:
    now = 0.0
    async with desk_with(*busy(20)) as desk:
        loader = TraceLoader(desk.client, LoadLimits(), clock=lambda: now)
        first = await loader.load(CALLER, ADA, TRACE_ID)
        desk.standin.records.put_spans([a_span(2, 1, name="renamed")])
        now += KEPT_SECONDS - 1
        assert await loader.load(CALLER, ADA, TRACE_ID) is first
        now += 1
        later = await loader.load(CALLER, ADA, TRACE_ID)
        assert later.spans[span_id(2)].name == "renamed"


@pytest.mark.parametrize(
    ("trace", "limits", "switches"),
    [
        (a_trace(end_time=None), LoadLimits(), {}),
        (a_trace(), replace(LoadLimits(), cache_bytes=1_000), {}),
        (a_trace(), LoadLimits(), {"extra_span_count": 1}),
    ],
    ids=["unfinished", "too large", "not all spans read"],
)
async def test_what_is_not_kept_is_read_anew(
    trace: dict[str, Any], limits: LoadLimits, switches: dict[str, Any]
) -> None:
    async with desk_with(*busy(20), trace=trace, load=limits, switches=switches) as desk:
        first, _ = await load(desk)
        again, paths = await load(desk)
        assert again is not first
        assert SEARCH in paths


async def test_a_refusal_is_not_answered_from_what_is_kept() -> None:
    async with desk_with(*busy(20)) as desk:
        desk.switches.faults.append(Fault(Answer(403, {"errors": ["no"]}), TRACE))
        with pytest.raises(Exception, match="may not read"):
            await load(desk)


async def test_only_so_many_spans_are_read_as_allowed_and_that_is_told() -> None:
    async with desk_with(*busy(20), load=LoadLimits(spans=10)) as desk:
        assert len(desk.ready.bench.loaded.spans) == 10
        assert "only 10 of the trace's 20 spans could be read" in desk.ready.outline


async def test_of_a_slow_backend_is_read_what_comes_in_time_and_that_is_told() -> None:
    cut, slow = Fault(CutAfter(lines=8), SEARCH, times=1), Fault(Delay(30), SEARCH, skip=1)
    async with backend_with(a_trace(), busy(20)) as (standin, client):
        standin.switches.faults += [cut, slow]
        loader = TraceLoader(client, LoadLimits(seconds=1, bodies=SpanBodyLimits(seconds=0)))
        loaded = await loader.load(CALLER, ADA, TRACE_ID)
    assert len(loaded.spans) == 8
    assert loaded.notes == ("Note: only 8 of the trace's 20 spans could be read.",)


async def loaded_by_two(desk: Desk, *, cancel_first: bool = False) -> list[LoadedTrace]:
    """What two loads of one owner give that begin while no span was read yet."""
    desk.switches.faults.append(Fault(PauseAfter(1, 0.3), SEARCH, times=1))
    desk.switches.received.clear()
    found: list[LoadedTrace] = []

    async def load_it(scope: anyio.CancelScope) -> None:
        with scope:
            found.append(await desk.loader.load(CALLER, ADA, TRACE_ID))

    async def asked(path: str, count: int) -> None:
        with anyio.fail_after(WAIT_SECONDS):
            while len(desk.requests(path)) < count:  # noqa: ASYNC110 - it has no event
                await anyio.sleep(0.005)

    async with anyio.create_task_group() as group:
        first = anyio.CancelScope()
        group.start_soon(load_it, first)
        await asked(SEARCH, 1)
        group.start_soon(load_it, anyio.CancelScope())
        await asked(TRACE, 2)
        if cancel_first:
            first.cancel()
    return found


@pytest.mark.parametrize("end", [{}, {"end_time": None}], ids=["finished", "unfinished"])
async def test_two_loads_of_one_owner_at_once_read_the_spans_once(end: dict[str, Any]) -> None:
    async with desk_with(*busy(20), trace=a_trace(end_time=None)) as desk:
        desk.standin.records.put_traces([a_trace(**end)])
        first, second = await loaded_by_two(desk)
        assert first is second
        assert len(desk.requests(SEARCH)) == 2


async def test_a_load_whose_joined_one_is_cancelled_goes_on_by_itself() -> None:
    async with desk_with(*busy(20), trace=a_trace(end_time=None)) as desk:
        (second,) = await loaded_by_two(desk, cancel_first=True)
        assert len(second.spans) == 20
        assert len(second.analysis.bodies) == 20


async def test_each_load_asks_whether_its_caller_may_read_the_trace_though_another_runs() -> None:
    async with desk_with(*busy(20), trace=a_trace(end_time=None)) as desk:
        refused = Fault(Answer(403, {"errors": ["no"]}), TRACE, skip=1)
        desk.switches.faults.append(refused)
        with pytest.raises(ExceptionGroup) as failure:
            await loaded_by_two(desk)
        assert failure.group_contains(NotAllowed, match="may not read")
