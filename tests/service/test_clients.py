"""Clients that leave, take nothing, or never finish what they began: nothing of them stays."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from standin.chat import text
from standin.faults import Delay, Fault
from testkit.processes import backend_and_service_process
from testkit.scripted_chat import answer, calling
from testkit.service import TRACE_ID, Service, record_trace, running, span_id, wait_until
from tests.service.bare import (
    QUESTION,
    connected,
    leave_amid_request,
    open_sockets,
    received,
    request,
    sent,
)

SPAN = f"/v1/private/spans/{span_id(3)}"


class Footprint:
    """What a service in this event loop holds: tasks and sockets, of both ends and the backend."""

    def __init__(self) -> None:
        self.tasks = len(asyncio.all_tasks())
        self.sockets = open_sockets()

    async def is_all_that_stays(self) -> None:
        await wait_until(lambda: len(asyncio.all_tasks()) <= self.tasks)
        await wait_until(lambda: open_sockets() <= self.sockets)


@pytest.fixture
async def service(database_uri: str) -> AsyncIterator[Service]:
    """One that runs one turn at a time, so that a turn which stays is found out."""
    async with running(database_uri, concurrent_turns=1, body_seconds=0.5) as service:
        await service.ask()
        yield service


async def leaves_before_the_first_byte(service: Service) -> None:
    service.chat.scripts = [[asyncio.Event()]]
    async with connected(service) as client:
        await sent(client, QUESTION)
        await wait_until(lambda: service.switches.chats.running)


async def leaves_in_the_middle_of_the_text(service: Service) -> None:
    service.chat.scripts = [[text("Half "), asyncio.Event()]]
    async with service.asking() as stream:
        await stream.until(lambda each: each.reader.texts == ["Half "])


async def leaves_in_the_middle_of_a_tool(service: Service) -> None:
    call = ("get_span_details", f'{{"span_id": "{span_id(3)}", "include_output": true}}')
    service.chat.scripts = [calling(call, status="Let me look.")]
    long = {"id": span_id(3), "trace_id": TRACE_ID, "project_name": "shop", "output": "x" * 20_000}
    record_trace(service.standin)
    service.standin.records.put_spans([long])
    service.switches.faults.append(Fault(Delay(60), path=SPAN, times=1))
    async with service.asking() as stream:
        await stream.until(lambda each: each.reader.rows)
        await wait_until(lambda: service.switches.requests("GET", SPAN))


LEAVING = {
    leaves_before_the_first_byte: ["(stopped)"],
    leaves_in_the_middle_of_the_text: ["Half \n\n(stopped)"],
    leaves_in_the_middle_of_a_tool: ["Let me look.", "(stopped)"],
}


@pytest.mark.parametrize("leave", LEAVING, ids=lambda leave: leave.__name__)
async def test_a_client_that_leaves_keeps_its_text_and_frees_everything_else(
    service: Service, leave: Callable[[Service], Any]
) -> None:
    first = await service.read_messages()
    before = Footprint()
    await leave(service)
    await wait_until(lambda: service.switches.chats.running == 0, seconds=1)
    await before.is_all_that_stays()
    service.chat.scripts = [answer("Whole.")]
    assert (await service.ask("And now?")).texts == ["Whole."]
    content = [words for _, words in (await service.read_messages())[len(first) :]]
    assert [each for each in content if "Fetching" not in each] == [
        "What caused this error?",
        *LEAVING[leave],
        "And now?",
        "Whole.",
    ]


async def test_a_client_that_leaves_while_the_backend_hangs_keeps_no_place(
    service: Service,
) -> None:
    first = await service.read_messages()
    before = Footprint()
    trace = f"/v1/private/traces/{TRACE_ID}"
    asked = len(service.switches.requests("GET", trace))
    service.switches.faults.append(Fault(Delay(60), path=trace, times=1))
    async with connected(service) as client:
        await sent(client, QUESTION)
        await wait_until(lambda: len(service.switches.requests("GET", trace)) > asked)
    await before.is_all_that_stays()
    assert await service.read_messages() == first
    assert (await service.ask()).texts == ["It was the tool."]


async def test_half_a_body_is_refused_in_time_and_blocks_no_other_request(service: Service) -> None:
    before = Footprint()
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(connected(service)) for _ in range(500)]
        for client in clients:
            await sent(client, request(b'{"message": "Half', length=100))
        assert (await service.ask()).texts == ["It was the tool."]
        for client in clients:
            head, _, body = (await received(client)).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 408 ")
            assert json.loads(body) == {
                "code": "request_timed_out",
                "message": "The body did not arrive within 0.5 seconds.",
            }
    await before.is_all_that_stays()


async def test_a_client_that_leaves_in_the_middle_of_its_body_is_no_fault(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    before = Footprint()
    await leave_amid_request(service, request(b'{"message": "Half', length=100))
    await before.is_all_that_stays()
    assert [each for each in caplog.records if each.levelname == "ERROR"] == []


async def test_a_client_that_reads_nothing_loses_its_stream_and_keeps_its_history(
    database_uri: str,
) -> None:
    small = {"send_buffer": 4096, "reader_seconds": 0.5, "concurrent_turns": 1}
    async with running(database_uri, **small) as service:
        await service.ask()
        before = Footprint()
        content = "many words " * 2_000
        service.chat.scripts = [[*(text(content) for _ in range(8)), asyncio.Event()]]
        async with connected(service) as client:
            await sent(client, QUESTION)
            await wait_until(lambda: service.switches.chats.cancelled)
        await before.is_all_that_stays()
        service.chat.scripts = [answer("Whole.")]
        assert (await service.ask("And now?")).texts == ["Whole."]
        assert (await service.read_messages())[3] == ("assistant", f"{content * 8}\n\n(stopped)")


@pytest.mark.slow
async def test_a_connection_whose_client_reads_nothing_is_closed_by_the_system(
    tmp_path: Path,
) -> None:
    script: list[Any] = [text("many words " * 10_000), asyncio.Event()]
    command = ("-m", "testkit.changed_service", "reader_seconds=1")
    async with backend_and_service_process(tmp_path, script, command=command) as (
        service,
        process,
    ):
        async with connected(service) as client:
            await sent(client, QUESTION)
            await wait_until(lambda: service.switches.chats.cancelled)
            await received(client)
        assert await process.stop() == 0
    assert '"level": "error"' not in process.log
