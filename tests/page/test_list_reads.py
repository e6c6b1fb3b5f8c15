"""What the list of traces reads, over HTTP: of one project, and of all projects in one order."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from standin.faults import Fault, Refuse
from testkit.service import PREFIX, Service, running


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
