"""A trace is read when its history is opened, so that the first question need not wait for it."""

from collections.abc import AsyncIterator

import pytest

from standin.faults import Answer, Fault
from standin.switches import UserAccount
from testkit import credentials
from testkit.service import TRACE_ID, Service, record_trace, running, wait_until

SEARCH = "/v1/private/spans/search"
STATS = "/v1/private/traces/stats"
TRACE = f"/v1/private/traces/{TRACE_ID}"
ANNA = {"Cookie": f"sessionToken={credentials.ANNA}", "Comet-Workspace": "acme"}
BOB = {"Cookie": f"sessionToken={credentials.BOB}", "Comet-Workspace": "acme"}


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with running("sqlite+aiosqlite://") as service:
        yield service


def count(service: Service, method: str, path: str) -> int:
    return len(service.switches.requests(method, path))


async def test_a_question_finds_what_was_read_when_the_panel_was_opened(service: Service) -> None:
    assert (await service.http.get(service.session())).status_code == 404
    await wait_until(lambda: count(service, "POST", SEARCH))
    await wait_until(lambda: count(service, "GET", STATS))
    reader = await service.ask()
    assert reader.error is None
    assert reader.texts
    assert count(service, "POST", SEARCH) == 1
    assert count(service, "GET", STATS) == 1


async def test_the_first_outline_compares_with_the_project(service: Service) -> None:
    for number in range(2, 40):
        record_trace(
            service.standin,
            f"01990000-0000-7000-8000-0000000000{number:02}",
            start_time="2026-11-19T10:00:00Z",
            end_time="2026-11-19T10:00:00.200Z",
        )
    await service.http.get(service.session())
    await wait_until(lambda: count(service, "GET", STATS))
    await service.ask()
    prompt = str(service.chat.requests[0]["messages"])
    assert "baseline in this project: 39 traces" in prompt


async def test_a_history_that_is_opened_again_reads_nothing_again(service: Service) -> None:
    await service.http.get(service.session())
    await wait_until(lambda: count(service, "GET", STATS))
    for _ in range(3):
        await service.http.get(service.session())
    await service.ask()
    assert count(service, "POST", SEARCH) == 1


async def test_what_one_user_opened_is_not_kept_for_another(service: Service) -> None:
    service.switches.accounts = {
        credentials.ANNA: UserAccount("anna", frozenset({"acme"})),
        credentials.BOB: UserAccount("bob", frozenset({"acme"})),
    }
    record_trace(service.standin, workspace="acme")
    await service.http.get(service.session(), headers=ANNA)
    await wait_until(lambda: count(service, "GET", STATS))
    service.headers = BOB
    assert (await service.ask()).error is None
    assert count(service, "POST", SEARCH) == 2


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_caller_who_may_not_read_the_trace_has_nothing_read(
    service: Service, status: int
) -> None:
    service.switches.faults.append(Fault(Answer(status, {"message": "no"}), path=TRACE))
    assert (await service.http.get(service.session())).status_code == status
    service.switches.faults.clear()
    await service.ask()
    assert count(service, "POST", SEARCH) == 1


async def test_a_trace_that_has_not_ended_is_read_by_its_question_only(service: Service) -> None:
    record_trace(service.standin, end_time=None)
    await service.http.get(service.session())
    await wait_until(lambda: count(service, "GET", TRACE) == 2)
    assert (await service.ask()).error is None
    assert count(service, "POST", SEARCH) == 1


async def test_a_failure_while_the_trace_is_prepared_fails_no_question(service: Service) -> None:
    service.switches.faults.append(Fault(Answer(400, {"errors": ["no"]}), path=SEARCH))
    assert (await service.http.get(service.session())).status_code == 404
    await wait_until(lambda: count(service, "POST", SEARCH))
    service.switches.faults.clear()
    reader = await service.ask()
    assert reader.error is None
    assert reader.texts
