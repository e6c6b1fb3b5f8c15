"""What is read of a trace for nobody ends at once: no request to the backend goes on."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.db.schema import sessions
from app.explorer import explorer
from standin.faults import Delay, Fault
from standin.switches import UserAccount
from testkit import credentials
from testkit.service import PREFIX, TRACE_ID, record_trace, wait_until
from tests.service.outages import FOREVER, LONGEST, SEARCH, hurried

JSON = {"Accept": "application/json"}
ANNA = {"Cookie": f"sessionToken={credentials.ANNA}", "Comet-Workspace": "acme"}


async def test_a_question_that_the_database_ends_reads_no_further(tmp_path: Path) -> None:
    async with hurried(tmp_path, opik_backend_timeout=LONGEST) as (service, network):
        service.switches.accounts = {credentials.ANNA: UserAccount("anna", frozenset({"acme"}))}
        record_trace(service.standin, workspace="acme")
        service.switches.faults.append(Fault(Delay(FOREVER), path=SEARCH))
        with closing(sqlite3.connect(tmp_path / "a.db")) as database:
            database.execute(f"ALTER TABLE {sessions.name} RENAME TO away")
        response = await service.http.send(service.question(headers={**ANNA, **JSON}))
        assert response.status_code == 503
        await wait_until(lambda: network.connections_in_use == 0)


@pytest.mark.parametrize(
    "path",
    [
        f"/trace-analyzer/session/{TRACE_ID}/analysis",
        f"/trace-analyzer/session/{TRACE_ID}/suggestions",
        f"/ui/api/traces/{TRACE_ID}/spans",
    ],
)
async def test_a_client_that_leaves_ends_what_is_read_for_it(tmp_path: Path, path: str) -> None:
    async with hurried(tmp_path, opik_backend_timeout=LONGEST) as (service, network):
        service.switches.faults.append(Fault(Delay(FOREVER), path=SEARCH))
        reading = asyncio.create_task(service.http.get(f"{service.url}{PREFIX}{path}"))
        await wait_until(lambda: service.switches.requests("POST", SEARCH))
        reading.cancel()
        await wait_until(lambda: network.connections_in_use == 0)


async def test_a_trace_that_loads_longer_than_a_turn_may_take_is_given_up(tmp_path: Path) -> None:
    async with hurried(tmp_path, opik_backend_timeout=LONGEST, turn_seconds=1) as (service, _):
        service.switches.faults.append(Fault(Delay(FOREVER), path=SEARCH))
        for what in ("analysis", "suggestions"):
            response = await service.http.get(f"{service.session()}/{what}")
            assert response.status_code == 502
            assert response.json()["message"].startswith("Opik took longer to return this trace")


async def test_a_waterfall_that_takes_too_long_shows_the_spans_that_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explorer, "SPANS_SECONDS", 0.1)
    async with hurried(tmp_path, opik_backend_timeout=LONGEST) as (service, _):
        service.switches.faults.append(Fault(Delay(FOREVER), path=SEARCH))
        url = f"{service.url}{PREFIX}/ui/api/traces/{TRACE_ID}"
        found = (await service.http.get(f"{url}/spans")).json()
        assert (found["spans"], found["complete"]) == ([], False)
        monkeypatch.setattr(explorer, "READ_SECONDS", 0.1)
        service.switches.faults.append(Fault(Delay(FOREVER)))
        response = await service.http.get(url)
        assert response.status_code == 502
        assert response.json()["message"].startswith("Opik took too long")
