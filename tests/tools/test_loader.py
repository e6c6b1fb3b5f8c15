"""Loading a trace: structure first, then chosen bodies in few requests; what is kept for later."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import anyio
import pytest

from app.analysis import analyse_trace
from app.caller import Owner
from app.errors import NotAllowed
from app.tools.trace import loader as loader_module
from app.tools.trace.bodies import BodyReader, SpanBodyLimits
from app.tools.trace.loader import KEPT_SECONDS, LoadedTrace, LoadLimits, TraceLoader
from standin.faults import Answer, CutAfter, Delay, Fault, PauseAfter
from testkit.limits import load_limits
from testkit.service import TRACE_ID, WAIT_SECONDS, span_id
from tests.tools.trace_harness import (
    CALLER,
    OWNER,
    UNHURRIED,
    TraceHarness,
    a_span,
    a_trace,
    backend_with,
    opened_trace_of,
)

SEARCH = "/v1/private/spans/search"
TRACE = f"/v1/private/traces/{TRACE_ID}"
ADA = OWNER
EVE = Owner("default", "user:eve")


def busy(count: int, *, longest: int = 900) -> list[dict[str, Any]]:
    """Spans of a few names below one root, one in fifty failed, each with a body of up to `longest`
    characters."""
    return [
        a_span(
            n,
            1 if n > 1 else None,
            name=f"call {n % 7}",
            output={"n": n, "text": "x" * (n % 90 * longest // 90)},
            error_info={"exception_type": "E", "message": "m"} if n % 50 == 0 else None,
        )
        for n in range(1, count + 1)
    ]


async def test_tree_and_profile_are_built_once_a_load(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []
    for name in ("build_tree", "build_profile"):
        build = getattr(analyse_trace, name)

        def count(*given: Any, name: str = name, build: Callable[..., Any] = build) -> Any:
            built.append(name)
            return build(*given)

        monkeypatch.setattr(analyse_trace, name, count)
    async with opened_trace_of(a_span(1, output={"text": "read"})) as harness:
        assert built == ["build_tree", "build_profile"]
        (node,) = harness.context.analysis.tree.nodes
        assert node.span.output == {"text": "read"}


async def load(harness: TraceHarness, owner: Owner = ADA) -> tuple[LoadedTrace, list[str]]:
    """The trace loaded once more, and the paths that were asked for it."""
    before = len(harness.switches.received)
    loaded = await harness.loader.load(CALLER, owner, TRACE_ID)
    return loaded, [each.path for each in list(harness.switches.received)[before:]]


async def test_a_small_trace_is_read_with_its_bodies_by_one_search() -> None:
    async with opened_trace_of(*busy(300)) as harness:
        assert len(harness.context.analysis.bodies) == 300
        assert [(r.body["limit"], r.body["exclude"]) for r in harness.requests(SEARCH)] == [
            (301, [])
        ]


async def test_bodies_that_are_too_many_bytes_for_one_search_are_read_as_far_as_it_reached() -> (
    None
):
    load = load_limits(bodies=replace(UNHURRIED, bytes=20_000))
    async with opened_trace_of(*busy(300), load=load) as harness:
        assert harness.context.span_count == 300
        assert 10 < len(harness.context.analysis.bodies) < 100


async def test_a_trace_with_more_spans_than_it_counts_is_read_whole() -> None:
    switches = {"extra_span_count": -700}
    async with opened_trace_of(*busy(1_000), switches=switches) as harness:
        assert harness.context.span_count == 1_000


async def test_of_a_large_trace_at_most_200_bodies_are_read_in_few_requests() -> None:
    async with opened_trace_of(*busy(1_200, longest=9_000)) as harness:
        analysis = harness.context.analysis
        assert 100 <= len(analysis.bodies) <= 200
        assert len(harness.bodies_asked()) <= 45
        assert sum(harness.bodies_asked()) <= 500
        assert f"read of {len(analysis.bodies)} of 1,200 spans" in harness.context.outline
        failed = {node.id for node in harness.context.analysis.tree.nodes if node.span.error_info}
        assert len(failed & analysis.bodies) >= 10


async def test_small_bodies_are_read_in_fewer_requests_with_those_between_them() -> None:
    async with opened_trace_of(*busy(1_200, longest=90)) as harness:
        assert len(harness.context.analysis.bodies) <= 200
        assert len(harness.bodies_asked()) <= 10


async def test_spans_that_are_read_along_take_no_room_in_what_is_kept() -> None:
    async with backend_with(a_trace(), busy(3_000)) as (_, client):
        trace = await client.get_trace(CALLER, TRACE_ID)
        reader = BodyReader(client, CALLER, trace, UNHURRIED)
        ids = [span_id(n) for n in range(1, 3_001)]
        bodies = await reader.read(ids, ids[::30])
    assert len(bodies) == 100
    assert reader.bytes > 10 * reader.kept_bytes > 0


async def test_bodies_stop_at_their_bytes_and_the_most_important_are_read() -> None:
    load = load_limits(bodies=replace(UNHURRIED, bytes=20_000, parallel=1))
    async with opened_trace_of(*busy(1_200), load=load) as harness:
        analysis = harness.context.analysis
        assert 0 < len(analysis.bodies) < 100
        assert f"read of {len(analysis.bodies)} of 1,200 spans" in harness.context.outline
        assert any(span_id.endswith("0032") for span_id in analysis.bodies)


async def test_pages_under_way_share_the_bytes_that_are_left() -> None:
    limits = replace(UNHURRIED, bytes=50_000, parallel=4)
    async with backend_with(a_trace(), busy(400)) as (_, client):
        trace = await client.get_trace(CALLER, TRACE_ID)
        reader = BodyReader(client, CALLER, trace, limits)
        ids = [span_id(n) for n in range(1, 401)]
        bodies = await reader.read(ids, ids)
    assert len(bodies) > 40
    assert sum(len(each.output["text"]) for each in bodies.values()) <= 50_000
    assert reader.bytes == 50_000


async def test_bodies_stop_at_their_seconds() -> None:
    load = load_limits(bodies=SpanBodyLimits(seconds=0))
    async with opened_trace_of(*busy(20), load=load) as harness:
        assert harness.context.analysis.bodies == frozenset()
        assert "read of 0 of 20 spans" in harness.context.outline
        assert '{"n": 7' in await harness.call(
            "get_span_details", span_id="s7", include_output=True
        )


async def test_a_backend_that_gives_no_bodies_gives_an_outline_all_the_same() -> None:
    async with opened_trace_of(*busy(20), trace=a_trace(end_time=None)) as harness:
        no = Answer(500, {"errors": ["no"]})
        # The search with bodies fails, the structure comes, and pages of bodies fail again.
        harness.switches.faults += [Fault(no, SEARCH, times=1), Fault(no, SEARCH, skip=2)]
        await harness.reopen()
        assert harness.context.span_count == 20
        assert "read of 0 of 20 spans" in harness.context.outline


async def test_a_finished_trace_is_kept_for_its_owner_and_checked_by_one_request() -> None:
    async with opened_trace_of(*busy(20)) as harness:
        first, _ = await load(harness)
        again, paths = await load(harness)
        assert again is first
        assert paths == [TRACE]
        other, paths = await load(harness, EVE)
        assert other is not first
        assert paths.count(SEARCH) == 1


@pytest.mark.parametrize("change", [{"tags": ["new"]}, {"end_time": "2026-11-20T10:01:10Z"}])
async def test_a_changed_trace_is_read_anew(change: dict[str, Any]) -> None:
    async with opened_trace_of(*busy(20)) as harness:
        first, _ = await load(harness)
        harness.standin.records.put_traces([a_trace(**change)])
        changed, paths = await load(harness)
        assert changed is not first
        assert SEARCH in paths
        assert (await load(harness))[0] is changed


async def test_a_trace_with_a_new_span_is_read_anew() -> None:
    async with opened_trace_of(*busy(20)) as harness:
        await load(harness)
        harness.standin.records.put_spans([a_span(21, 1)])
        assert len((await load(harness))[0].analysis.tree.nodes) == 21


async def test_a_span_that_changes_alone_is_seen_after_five_minutes_at_the_latest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr(loader_module, "monotonic", lambda: now)
    async with opened_trace_of(*busy(20)) as harness:
        loader = TraceLoader(harness.client, load_limits())
        first = await loader.load(CALLER, ADA, TRACE_ID)
        harness.standin.records.put_spans([a_span(2, 1, name="renamed")])
        now += KEPT_SECONDS - 1
        assert await loader.load(CALLER, ADA, TRACE_ID) is first
        now += 1
        later = await loader.load(CALLER, ADA, TRACE_ID)
        assert later.analysis.tree.by_id[span_id(2)].name == "renamed"


@pytest.mark.parametrize(
    ("trace", "limits", "switches"),
    [
        (a_trace(end_time=None), load_limits(), {}),
        (a_trace(), load_limits(cache_bytes=1_000), {}),
        (a_trace(), load_limits(), {"extra_span_count": 1}),
    ],
    ids=["unfinished", "too large", "not all spans read"],
)
async def test_what_is_not_kept_is_read_anew(
    trace: dict[str, Any], limits: LoadLimits, switches: dict[str, Any]
) -> None:
    async with opened_trace_of(*busy(20), trace=trace, load=limits, switches=switches) as harness:
        first, _ = await load(harness)
        again, paths = await load(harness)
        assert again is not first
        assert SEARCH in paths


async def test_a_refusal_is_not_answered_from_what_is_kept() -> None:
    async with opened_trace_of(*busy(20)) as harness:
        harness.switches.faults.append(Fault(Answer(403, {"errors": ["no"]}), TRACE))
        with pytest.raises(Exception, match="may not read"):
            await load(harness)


async def test_spans_beyond_the_limit_are_not_read_and_that_is_noted() -> None:
    async with opened_trace_of(*busy(20), load=load_limits(spans=10)) as harness:
        assert harness.context.span_count == 10
        assert "only 10 of the trace's 20 spans could be read" in harness.context.outline


async def test_a_slow_backend_is_read_as_far_as_time_allows_and_that_is_noted() -> None:
    cut, slow = Fault(CutAfter(lines=8), SEARCH, times=1), Fault(Delay(30), SEARCH, skip=1)
    async with backend_with(a_trace(), busy(20)) as (standin, client):
        standin.switches.faults += [cut, slow]
        loader = TraceLoader(client, load_limits(seconds=1, bodies=SpanBodyLimits(seconds=0)))
        loaded = await loader.load(CALLER, ADA, TRACE_ID)
    assert len(loaded.analysis.tree.nodes) == 8
    assert loaded.notes == ("Note: only 8 of the trace's 20 spans could be read.",)


async def loaded_by_two(harness: TraceHarness, *, cancel_first: bool = False) -> list[LoadedTrace]:
    """What two loads of one owner give that begin while no span was read yet."""
    harness.switches.faults.append(Fault(PauseAfter(1, 0.3), SEARCH, times=1))
    harness.switches.received.clear()
    found: list[LoadedTrace] = []

    async def load_it(scope: anyio.CancelScope) -> None:
        with scope:
            found.append(await harness.loader.load(CALLER, ADA, TRACE_ID))

    async def asked(path: str, count: int) -> None:
        with anyio.fail_after(WAIT_SECONDS):
            while len(harness.requests(path)) < count:  # noqa: ASYNC110 - it has no event
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
    async with opened_trace_of(*busy(20), trace=a_trace(end_time=None)) as harness:
        harness.standin.records.put_traces([a_trace(**end)])
        first, second = await loaded_by_two(harness)
        assert first is second
        assert len(harness.requests(SEARCH)) == 1


async def test_a_load_whose_joined_one_is_cancelled_goes_on_by_itself() -> None:
    async with opened_trace_of(*busy(20), trace=a_trace(end_time=None)) as harness:
        (second,) = await loaded_by_two(harness, cancel_first=True)
        assert len(second.analysis.tree.nodes) == 20
        assert len(second.analysis.bodies) == 20


async def test_each_load_asks_whether_its_caller_may_read_the_trace_though_another_runs() -> None:
    async with opened_trace_of(*busy(20), trace=a_trace(end_time=None)) as harness:
        refused = Fault(Answer(403, {"errors": ["no"]}), TRACE, skip=1)
        harness.switches.faults.append(refused)
        with pytest.raises(ExceptionGroup) as failure:
            await loaded_by_two(harness)
        assert failure.group_contains(NotAllowed, match="may not read")


@pytest.mark.parametrize("count", [2, 400])
async def test_a_trace_on_which_a_rule_fails_is_opened_without_findings(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Any) -> None:
        raise TypeError("unhashable type: 'set'")

    monkeypatch.setattr("app.analysis.ranking.judge_trace", fail)
    async with opened_trace_of(*busy(count), a_span(count + 1, 1, output="Oslo")) as harness:
        assert harness.context.describe_analysis()["findings"] == []
        assert "Oslo" in await harness.call("search_trace", pattern="oslo")
