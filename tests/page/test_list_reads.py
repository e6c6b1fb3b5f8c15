"""What the list of traces reads, over HTTP: of one project, and of all projects in one order."""

from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.explorer import trace_list
from standin.faults import Fault, Refuse
from standin.switches import Generation
from standin.workspace import Subject
from testkit.service import OTHER_TRACE_ID, PREFIX, TRACE_ID, Service, record_trace, running


@pytest.fixture
async def service(tmp_path: Path) -> Any:
    async with running(f"sqlite:///{tmp_path / 'a.db'}") as service:
        yield service


async def read_list(service: Service, **query: Any) -> httpx.Response:
    return await service.http.get(f"{service.url}{PREFIX}/ui/api/traces", params=query)


async def test_what_the_backend_refuses_or_fails_is_reported_alike_for_one_and_for_all_projects(
    service: Service,
) -> None:
    shop = service.standin.records.workspace().projects["shop"]["id"]
    service.switches.filters = "refused"
    for place in ({"project_id": shop}, {}):
        refused = await read_list(service, tag="blue", **place)
        assert (place, refused.status_code) == (place, 422)
        assert refused.json()["message"] == (
            "This version of Opik cannot filter traces like this. Remove a filter."
        )
    service.switches.faults.append(Fault(Refuse(), path="/v1/private/traces"))
    for place in ({"project_id": shop}, {}):
        failed = await read_list(service, **place)
        assert (place, failed.status_code) == (place, 502)
        assert failed.json()["code"] == "backend_unavailable"


def trace_id(number: int) -> str:
    return str(UUID(int=UUID(OTHER_TRACE_ID).int + number))


async def test_only_pages_that_have_traces_are_offered_of_all_projects(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace_list, "MERGED_TRACES", 3)
    for number in range(1, 5):
        record_trace(service.standin, trace_id(number), start_time=f"2026-11-20T11:0{number}:00Z")
    shop = service.standin.records.workspace().projects["shop"]["id"]
    for place, last in (({}, 2), ({"project_id": shop}, 3)):
        pages = [(await read_list(service, page=n, size=2, **place)).json() for n in (1, 2, 3)]
        assert {(each["total"], each["last_page"]) for each in pages} == {(5, last)}
        assert [bool(each["traces"]) for each in pages] == [number <= last for number in (1, 2, 3)]
        found = [each["id"] for page in pages for each in page["traces"]]
        newest = [*(trace_id(number) for number in (4, 3, 2, 1)), TRACE_ID]
        assert found == newest[: 3 if last == 2 else 5]


@pytest.mark.parametrize(("generation", "first"), [("C", "zoo"), ("A", "shop")])
async def test_the_projects_with_the_newest_traces_are_listed_where_the_backend_sorts_them(
    service: Service, monkeypatch: pytest.MonkeyPatch, generation: Generation, first: str
) -> None:
    monkeypatch.setattr(trace_list, "PROJECTS_LISTED", 1)
    service.switches.generation = generation
    record_trace(service.standin, trace_id(1), project_name="zoo")
    found = await service.http.get(f"{service.url}{PREFIX}/ui/api/projects")
    assert [each["name"] for each in found.json()["projects"]] == [first]


async def test_traces_are_listed_by_the_time_of_their_start_with_their_scores(
    service: Service,
) -> None:
    for number in range(1, 5):
        record_trace(service.standin, trace_id(number), start_time=f"2026-11-20T11:0{number}:00Z")
    workspace = service.standin.records.workspace()
    score = {"name": "helpful", "value": 0.25, "source": "ui"}
    workspace.scores[Subject("trace", trace_id(2))] = {"helpful": score}
    times = {"since": "2026-11-20T12:02:00+01:00", "until": "2026-11-20T11:03:00Z"}
    found = (await read_list(service, **times)).json()["traces"]
    assert [each["id"] for each in found] == [trace_id(3), trace_id(2)]
    assert [each["scores"] for each in found] == [[], [{"name": "helpful", "value": 0.25}]]
    for wrong in ("yesterday", "2026-11-20T11:00:00"):
        assert (await read_list(service, since=wrong)).status_code == 400
