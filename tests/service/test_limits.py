"""Each limit at its edge, through the service: what is allowed and what is refused, and how."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import anyio
import httpx
import pytest

from standin.chat import finish, text, usage
from standin.faults import Delay, Fault
from standin.switches import UserAccount
from testkit import credentials
from testkit.scripted_chat import answer
from testkit.service import TRACE_ID, Service, record_trace, running, service_at, wait_until
from tests.service.outages import FOREVER, SEARCH

JSON = {"Accept": "application/json"}
ANNA = {"Cookie": f"sessionToken={credentials.ANNA}", "Comet-Workspace": "acme"}
BOB = {"Cookie": f"sessionToken={credentials.BOB}", "Comet-Workspace": "acme"}


def trace(number: int) -> str:
    return str(UUID(int=UUID(TRACE_ID).int + 16 + number))


@contextlib.asynccontextmanager
async def signed_in(database_uri: str, **settings: Any) -> AsyncIterator[Service]:
    """A service before an Opik with accounts; Anna is at the panel."""
    async with running(database_uri, **settings) as service:
        service.switches.accounts = {
            credentials.ANNA: UserAccount("anna", frozenset({"acme"})),
            credentials.BOB: UserAccount("bob", frozenset({"acme"})),
        }
        for number in range(8):
            record_trace(service.standin, trace(number), workspace="acme")
        service.headers = ANNA
        yield service


async def refused(service: Service, number: int, **more: Any) -> httpx.Response:
    """The refusal of a question, as a program and as the panel read it."""
    headers = {**more.pop("headers", {}), **JSON}
    by_program = await service.http.send(
        service.question(trace_id=trace(number), headers=headers, **more)
    )
    assert by_program.status_code == 429, by_program.text
    assert by_program.json()["code"] == "limit_reached"
    return by_program


async def test_one_question_more_than_a_user_may_ask_at_once_is_refused(
    database_uri: str,
) -> None:
    async with signed_in(database_uri, user_turns=2) as service:
        service.chat.scripts = [[text("Long "), asyncio.Event()]]
        async with (
            service.asking(trace_id=trace(0)) as first,
            service.asking(trace_id=trace(1)) as second,
        ):
            await first.until(lambda each: each.reader.texts)
            await second.until(lambda each: each.reader.texts)
            refusal = "You have 2 questions being answered now, which is the most at once."
            response = await refused(service, 2)
            assert response.json()["message"].startswith(refusal)
            assert int(response.headers["retry-after"]) >= 1
            reader = await service.ask(trace_id=trace(2))
            assert reader.error is not None
            assert reader.error.startswith(refusal)
            async with service.asking(trace_id=trace(0), headers=BOB) as third:
                await third.until(lambda each: each.reader.texts)


async def test_questions_at_once_are_counted_over_all_processes(database_uri: str) -> None:
    async with (
        signed_in(database_uri, workspace_turns=1) as service,
        service_at(service.backend, database_uri, workspace_turns=1) as other,
    ):
        service.chat.scripts = [[text("Long "), asyncio.Event()], answer("Whole.")]
        async with service.asking(trace_id=trace(0)) as stream:
            await stream.until(lambda each: each.reader.texts)
            elsewhere = Service(**{**vars(service), "url": other, "headers": BOB})
            response = await refused(elsewhere, 1)
            assert response.json()["message"].startswith("This workspace has 1 question being ")
            assert int(response.headers["retry-after"]) >= 1
        with anyio.fail_after(60):
            while (await elsewhere.ask(trace_id=trace(1))).error:  # noqa: ASYNC110 - there is no event
                await asyncio.sleep(0.01)


async def test_one_question_more_than_a_minute_allows_is_refused_also_after_deleting(
    database_uri: str,
) -> None:
    async with signed_in(database_uri, user_turns_per_minute=2) as service:
        for _ in range(2):
            assert (await service.ask(trace_id=trace(0))).error is None
        await service.http.delete(service.session(trace(0)), headers=ANNA)
        response = await refused(service, 0)
        seconds = int(response.headers["retry-after"])
        assert 1 <= seconds <= 60
        assert response.json()["message"] == (
            f"You have asked 2 questions within a minute. Try again in {seconds} seconds."
        )
        reader = await service.ask(trace_id=trace(0))
        assert reader.error is not None
        assert reader.error.startswith("You have asked 2 questions within a minute. Try again in ")
        assert (await service.ask(trace_id=trace(0), headers=BOB)).error is None
    assert len(service.chat.requests) == 3


async def test_a_workspace_that_used_up_its_tokens_is_refused_also_after_deleting(
    database_uri: str,
) -> None:
    async with signed_in(database_uri, workspace_tokens_per_day=220) as service:
        for headers in (ANNA, BOB):
            assert (await service.ask(trace_id=trace(0), headers=headers)).error is None
            await service.http.delete(service.session(trace(0)), headers=headers)
        response = await refused(service, 1)
        assert "used up its 220 tokens of today" in response.json()["message"]
        assert 1 <= int(response.headers["retry-after"]) <= 86_400


async def test_below_its_tokens_of_a_day_a_workspace_goes_on(database_uri: str) -> None:
    async with signed_in(database_uri, workspace_tokens_per_day=111) as service:
        for _ in range(2):
            assert (await service.ask(trace_id=trace(0))).error is None
        await refused(service, 0)


async def test_an_answer_that_is_always_stopped_before_its_end_is_charged_too(
    database_uri: str,
) -> None:
    async with signed_in(database_uri, workspace_tokens_per_day=1) as service:
        service.chat.scripts = [[text("Nearly all of it"), asyncio.Event()], answer("Whole.")]
        async with service.asking(trace_id=trace(0)) as stream:
            await stream.until(lambda each: each.reader.texts)
        with anyio.fail_after(60):
            while service.switches.chats.running:  # noqa: ASYNC110 - there is no event
                await asyncio.sleep(0.005)
        await service.http.delete(service.session(trace(0)), headers=ANNA)
        await refused(service, 0)


async def test_a_provider_without_usage_is_charged_by_an_estimate(database_uri: str) -> None:
    async with signed_in(database_uri, workspace_tokens_per_day=1) as service:
        service.chat.scripts = [[text("For free."), finish("stop"), usage(0, 0)]]
        reader = await service.ask(trace_id=trace(0))
        assert reader.error is None
        (used,) = [each for each in reader.frames if each.get("message_type") == "usage"]
        assert used["turn"]["estimated"] is True
        assert used["turn"]["completion_tokens"] == len("For free.") // 3
        await refused(service, 0)


@pytest.mark.parametrize("what", ["suggestions", "analysis"])
async def test_what_loads_a_trace_is_refused_where_no_further_question_would_be_taken(
    database_uri: str, what: str
) -> None:
    async with signed_in(database_uri, concurrent_turns=1) as service:
        gate = asyncio.Event()
        service.chat.scripts = [[gate, *answer("Done.")]]
        url = f"{service.session(trace(1))}/{what}"
        async with service.asking(trace_id=trace(0)) as stream:
            await service.chat.asked.wait()
            assert (await service.http.get(url, headers=ANNA)).status_code == 429
            gate.set()
            await stream.rest()
        assert (await service.http.get(url, headers=ANNA)).status_code == 200


async def test_a_user_who_loads_many_traces_at_once_leaves_the_others_their_places(
    database_uri: str,
) -> None:
    async with signed_in(database_uri, user_turns=1, busy_wait_seconds=0.1) as service:
        service.switches.faults.append(Fault(Delay(FOREVER), path=SEARCH, times=1))
        url = f"{service.session(trace(1))}/analysis"
        first = asyncio.create_task(service.http.get(url, headers=ANNA))
        await wait_until(lambda: service.switches.requests("POST", SEARCH))
        for what in ("analysis", "suggestions"):
            response = await service.http.get(f"{service.session(trace(2))}/{what}", headers=ANNA)
            assert response.status_code == 429
            assert response.json()["message"].startswith("You are opening too many traces at once")
        assert (await service.http.get(url, headers=BOB)).status_code == 200
        assert (await service.ask(trace_id=trace(2))).error is None
        first.cancel()
        url = f"{service.session(trace(2))}/analysis"
        with anyio.fail_after(60):
            while (await service.http.get(url, headers=ANNA)).status_code != 200:
                pass


async def test_a_request_that_the_provider_refuses_costs_nothing(database_uri: str) -> None:
    async with signed_in(database_uri, workspace_tokens_per_day=1) as service:
        service.switches.keys = []
        assert (await service.ask(trace_id=trace(0))).error is not None
        reader = await service.ask(trace_id=trace(0))
        assert reader.error is not None
        assert "API key" in reader.error


async def test_one_conversation_more_than_a_user_may_keep_is_refused(database_uri: str) -> None:
    async with signed_in(database_uri, owner_conversations=2) as service:
        for number in range(2):
            assert (await service.ask(trace_id=trace(number))).error is None
        response = await refused(service, 2)
        assert response.json()["message"].startswith("You have 2 conversations")
        assert "retry-after" not in response.headers
        assert (await service.ask(trace_id=trace(1))).error is None
        await service.http.delete(service.session(trace(0)), headers=ANNA)
        assert (await service.ask(trace_id=trace(2))).error is None


async def test_a_user_with_as_many_events_as_are_kept_begins_no_turn(database_uri: str) -> None:
    async with signed_in(database_uri, owner_events=8) as service:
        # Four events each: the question, the trace, the reply, the end.
        for number in range(2):
            assert (await service.ask(trace_id=trace(number))).error is None
        response = await refused(service, 2)
        assert response.json()["message"].startswith("Your conversations hold 8 stored events")
        assert (await service.ask(trace_id=trace(2), headers=BOB)).error is None


async def test_without_accounts_only_the_limits_of_the_workspace_apply(
    database_uri: str,
) -> None:
    limits = dict.fromkeys(("user_turns_per_minute", "owner_conversations", "owner_events"), 1)
    async with running(database_uri, **limits, user_turns=1, workspace_turns=2) as service:
        for number in range(3):
            record_trace(service.standin, trace(number))
            assert (await service.ask(trace_id=trace(number))).error is None
        service.chat.scripts = [[text("Long "), asyncio.Event()]]
        async with (
            service.asking(trace_id=trace(0)) as first,
            service.asking(trace_id=trace(1)) as second,
        ):
            await first.until(lambda each: each.reader.texts)
            await second.until(lambda each: each.reader.texts)
            response = await refused(service, 2)
            assert response.json()["message"].startswith("This workspace has 2 questions being")


async def test_zero_switches_a_limit_off(database_uri: str) -> None:
    names = ("turns", "turns_per_minute", "conversations", "events")
    off = {f"user_{name}": 0 for name in names}
    async with signed_in(database_uri, **off, workspace_turns=0) as service:
        for _ in range(3):
            assert (await service.ask(trace_id=trace(0))).error is None


async def test_questions_that_come_at_once_never_pass_the_limit_of_a_process(
    tmp_path: Any,
) -> None:
    async with signed_in(f"sqlite:///{tmp_path / 'a.db'}", concurrent_turns=3) as service:
        service.chat.scripts = [[text("Long "), asyncio.Event()]]
        requests = [service.question(trace_id=trace(n), headers=JSON) for n in range(8)]
        sent = [asyncio.create_task(service.http.send(each, stream=True)) for each in requests]
        responses = [await each for each in sent]
        statuses = sorted(each.status_code for each in responses)
        assert statuses == [200] * 3 + [429] * 5
        for each in responses:
            await each.aclose()
