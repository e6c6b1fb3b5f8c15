"""Lists of traces: how much is read at most, and what comes of a backend that breaks off."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import anyio
import pytest

from app.tools.trace.project import ListLimits, ProjectReader, TraceList
from standin.app import Standin
from standin.faults import CutAfter, Delay, Endless, Fault
from testkit.service import TRACE_ID
from tests.tools.trace_harness import CALLER, a_span, a_trace, backend_with

SEARCH = "/v1/private/traces/search"


@contextlib.asynccontextmanager
async def thread_of(
    count: int, limits: ListLimits | None = None, **more: Any
) -> AsyncIterator[tuple[Standin, ProjectReader]]:
    """A thread of so many traces, seen from its oldest."""
    first = a_trace(thread_id="t", **more)
    async with backend_with(first, [a_span(1)]) as (standin, client):
        ids = [str(UUID(int=UUID(TRACE_ID).int + n * 65_536)) for n in range(1, count)]
        for start in range(0, len(ids), 500):
            standin.records.put_traces([{**first, "id": id} for id in ids[start : start + 500]])
        trace = await client.get_trace(CALLER, TRACE_ID)
        yield standin, ProjectReader(client, CALLER, trace, limits=limits)


def asked(standin: Standin) -> list[int]:
    return [each.body["limit"] for each in standin.switches.requests("POST", SEARCH)]


def ids_of(found: TraceList) -> list[str]:
    return [each.id for each in found.traces]


async def test_pages_grow_while_they_are_small_and_each_trace_comes_once() -> None:
    async with thread_of(900) as (standin, project):
        found = await project.list_thread()
        assert asked(standin) == [100, 200, 400, 800]
        assert found.complete
        assert len(set(ids_of(found))) == 900
        assert ids_of(found) == sorted(ids_of(found), reverse=True)
        assert await project.list_thread() is found


async def test_no_more_records_are_asked_for_than_allowed() -> None:
    async with thread_of(900, ListLimits(records=250)) as (standin, project):
        found = await project.list_thread()
        assert asked(standin) == [100, 150]
        assert (len(found.traces), found.records, found.complete) == (250, 250, False)


async def test_a_list_ends_at_its_bytes() -> None:
    async with thread_of(900, ListLimits(bytes=30_000)) as (_, project):
        found = await project.list_thread()
        assert 100 <= len(found.traces) < 400
        assert not found.complete


@pytest.mark.slow
async def test_a_list_ends_at_its_seconds_with_what_has_come() -> None:
    async with thread_of(300, ListLimits(seconds=3)) as (standin, project):
        standin.switches.faults.append(Fault(Delay(60), SEARCH, skip=1))
        with anyio.fail_after(60):
            found = await project.list_thread()
        assert len(found.traces) == 100
        assert not found.complete


async def test_a_page_that_breaks_off_is_gone_on_with_from_where_it_stopped() -> None:
    async with thread_of(300) as (standin, project):
        standin.switches.faults.append(Fault(CutAfter(lines=30), SEARCH, times=1))
        found = await project.list_thread()
        assert found.complete
        assert len(set(ids_of(found))) == 300
        assert asked(standin)[:2] == [100, 25]


async def test_records_of_many_megabytes_end_the_list_and_what_came_before_is_kept() -> None:
    async with thread_of(120) as (standin, project):
        error = {"exception_type": "E", "message": "m", "traceback": "x" * 17_000_000}
        huge = str(UUID(int=UUID(TRACE_ID).int + 60 * 65_536))
        standin.records.put_traces([a_trace(id=huge, thread_id="t", error_info=error)])
        found = await project.list_thread()
        assert len(found.traces) >= 59
        assert not found.complete


async def test_a_backend_that_never_ends_is_left() -> None:
    async with thread_of(3, ListLimits(bytes=1_000_000)) as (standin, project):
        standin.switches.faults.append(Fault(Endless(), SEARCH))
        with anyio.fail_after(60):
            found = await project.list_thread()
        assert (found.traces, found.complete) == ([], False)


async def test_a_record_whose_id_is_none_is_left_out() -> None:
    trace: dict[str, Any] = a_trace(thread_id="t")
    async with thread_of(3) as (standin, project):
        standin.records.put_traces(
            [{**trace, "id": "../../x", "start_time": "2026-11-20T10:00:00Z"}]
        )
        found = await project.list_thread()
        assert len(found.traces) == 3


async def test_a_list_by_fewer_filters_is_complete_by_its_own_pages_only() -> None:
    async with thread_of(300, source="") as (_, project):
        found = await project.list_named("answer-question", project.make_window(1), enough=50)
        assert (len(found.traces), found.complete) == (100, False)
