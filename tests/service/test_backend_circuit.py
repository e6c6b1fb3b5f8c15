"""A backend that does not answer opens its circuit for some seconds; a failing proxy never does."""

import asyncio
from pathlib import Path

import pytest

from standin.faults import Answer, Fault, Refuse
from standin.switches import UserAccount
from testkit import credentials
from testkit.scripted_chat import answer, text
from testkit.service import PREFIX, WAIT_SECONDS, Service, record_trace, wait_until
from tests.service.outages import ANSWER, CHAT, hurried

CIRCUIT_OPEN = "The Opik backend cannot be reached now; it is tried again in "
FAILURES = 5
STATISTICS = "/v1/private/traces/stats"
JSON = {"Accept": "application/json"}


async def open_circuit(service: Service) -> None:
    """Fails enough reads in a row to open the circuit; the backend stays unreachable."""
    service.switches.faults.append(Fault(Refuse(), path="/v1/private"))
    for _ in range(FAILURES):
        message = (await service.http.get(service.session())).json()["message"]
        assert message == "The Opik backend cannot be reached now. Try again in a moment."


async def test_while_the_circuit_is_open_turns_and_reads_fail_at_once(
    tmp_path: Path,
) -> None:
    async with hurried(tmp_path) as (service, _):
        await open_circuit(service)
        service.switches.faults.clear()
        service.switches.received.clear()
        reader = await service.ask()
        assert reader.error is not None
        assert reader.error.startswith(CIRCUIT_OPEN)
        for response in (
            await service.http.send(service.question(headers=JSON)),
            await service.http.get(service.session()),
            await service.http.get(f"{service.session()}/suggestions"),
            await service.http.get(f"{service.session()}/analysis"),
            await service.http.delete(service.session()),
            await service.http.get(f"{service.url}{PREFIX}/ui/api/projects"),
        ):
            assert response.status_code == 502
            assert response.json()["code"] == "backend_unavailable"
            assert response.json()["message"].startswith(CIRCUIT_OPEN)
        assert not service.switches.received


async def test_an_open_circuit_does_not_end_an_answer_under_way(
    tmp_path: Path,
) -> None:
    async with hurried(tmp_path, access_cache_seconds=0) as (service, network):
        gate = asyncio.Event()
        service.chat.scripts = [[text("It was "), gate, *answer("the tool.")]]
        async with service.asking() as stream:
            await stream.until(lambda each: each.reader.texts)
            # The turn reads them beside the model's reply; failing, they would count as well.
            await wait_until(lambda: service.switches.requests("GET", STATISTICS))
            await wait_until(lambda: network.connections_in_use == 1)
            await open_circuit(service)
            assert network.connections_in_use == 1
            gate.set()
            reader = await stream.rest()
        assert (reader.texts, reader.error) == ([ANSWER], None)
        await wait_until(lambda: not network.connections_in_use)


@pytest.mark.slow
async def test_the_next_question_after_some_seconds_notices_that_the_backend_is_back(
    tmp_path: Path,
) -> None:
    async with hurried(tmp_path) as (service, _):
        await open_circuit(service)
        service.switches.faults.clear()
        refused = 0
        async with asyncio.timeout(WAIT_SECONDS):
            while (reader := await service.ask()).error is not None:
                assert reader.error.startswith(CIRCUIT_OPEN)
                refused += 1
                await asyncio.sleep(0.2)
        assert refused
        assert reader.texts == [ANSWER]
        assert (await service.http.get(service.session())).status_code == 200


@pytest.mark.parametrize("fault", [Refuse(), Answer(503), Answer(500)], ids=str)
async def test_a_proxy_that_fails_for_one_workspace_changes_nothing_for_another(
    fault: Refuse | Answer, tmp_path: Path
) -> None:
    async with hurried(tmp_path) as (service, network):
        service.switches.accounts = {
            credentials.ADA: UserAccount("ada", frozenset({"red"})),
            credentials.EVE: UserAccount("eve", frozenset({"blue"})),
        }
        for workspace in ("red", "blue"):
            record_trace(service.standin, workspace=workspace)
        service.switches.faults.append(Fault(fault, path=CHAT, workspace="red"))
        service.headers = {"Cookie": f"sessionToken={credentials.ADA}", "Comet-Workspace": "red"}
        for _ in range(FAILURES + 2):
            reader = await service.ask()
            assert reader.error is not None
            assert not reader.error.startswith(CIRCUIT_OPEN)
        # Each of them is a question, the findings of the analysis, and the error.
        assert len(await service.history()) == 3 * (FAILURES + 2)
        service.headers = {"Cookie": f"sessionToken={credentials.EVE}", "Comet-Workspace": "blue"}
        asked = len(service.switches.requests("POST", CHAT))
        assert (await service.ask()).texts == [ANSWER]
        assert len(service.switches.requests("POST", CHAT)) == asked + 1
        await wait_until(lambda: not network.connections_in_use)
