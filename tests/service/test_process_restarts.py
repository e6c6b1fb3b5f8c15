"""Processes that are replaced one after the other while people ask."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from standin.chat import Chunk, finish, text, usage
from testkit.panel_reader import PanelReader
from testkit.processes import (
    Backend,
    ServerProcess,
    find_free_port,
    service_process,
    serving_backend,
)
from testkit.scripted_chat import calling
from testkit.service import Service, record_trace, wait_until
from tests.service.balancing import Balancer, balancing

ANSWER = "The tool has failed since the order was unknown to it."
TRACES = [str(UUID(int=0x0199_0000_0000_7000_8000_0000_0000_0100 + each)) for each in range(4)]


class SteadyChat:
    """Looks at the trace with a tool, then answers word by word, so that no answer is instant."""

    async def reply(self, request: dict[str, Any], /) -> AsyncIterator[Chunk]:
        if request["messages"][-1]["role"] == "user":
            for chunk in calling(("get_trace_data", "{}"), status="Let me look."):
                yield chunk
            return
        for word in ANSWER.split(" "):
            yield text(f"{word} ")
            await asyncio.sleep(0.05)
        yield finish("stop")
        yield usage(100, 10)


class Fleet:
    """Processes of the service on one database, each on a port that it keeps."""

    def __init__(self, backend: Backend, folder: Path, **settings: str) -> None:
        self.ports = [find_free_port(), find_free_port()]
        self.logs: list[str] = []
        self._backend = backend
        self._folder = folder
        self._settings = settings
        self._running: dict[int, tuple[ServerProcess, AsyncExitStack]] = {}

    async def start(self, port: int) -> Service:
        stack = AsyncExitStack()
        service, process = await stack.enter_async_context(
            service_process(self._backend, self._folder, PORT=str(port), **self._settings)
        )
        self._running[port] = (process, stack)
        return service

    async def end(self, port: int) -> None:
        process, stack = self._running.pop(port)
        assert await process.stop() == 0
        self.logs.append(process.log)
        await stack.aclose()


async def asking(
    service: Service, trace_id: str, *, answers: list[PanelReader], enough: asyncio.Event
) -> None:
    """Asks again and again, by a new connection each time; what is refused is no answer."""
    while not enough.is_set():
        reader = await service.ask(trace_id=trace_id)
        if not was_refused(reader):
            answers.append(reader)


async def more_of(answers: list[PanelReader]) -> None:
    """Waits until each client had two answers more."""
    wanted = len(answers) + 2 * len(TRACES)
    await wait_until(lambda: len(answers) >= wanted)


def was_refused(reader: PanelReader) -> bool:
    """Whether the question met a process that ends before the balancer had noticed."""
    return len(reader.frames) == 1 and reader.frames[0].get("code") == "shutting_down"


async def replaced(fleet: Fleet, balancer: Balancer, port: int) -> None:
    await fleet.end(port)
    await fleet.start(port)
    await wait_until(lambda: port in balancer.ready)


@pytest.mark.slow
async def test_a_rolling_restart_cuts_no_answer(tmp_path: Path, database_uri: str) -> None:
    settings = {"SESSION_SERVICE_URI": database_uri, "DRAIN_SECONDS": "3", "SHUTDOWN_SECONDS": "20"}
    async with serving_backend(chat=SteadyChat()) as backend:
        for trace_id in TRACES:
            record_trace(backend.standin, trace_id)
        fleet = Fleet(backend, tmp_path, **settings)
        service, _ = [await fleet.start(port) for port in fleet.ports]
        enough = asyncio.Event()
        no_reuse = httpx.Limits(max_keepalive_connections=0)
        async with (
            balancing(*fleet.ports) as (url, balancer),
            httpx.AsyncClient(timeout=60, limits=no_reuse) as http,
        ):
            service = replace(service, url=url, http=http)
            await wait_until(lambda: len(balancer.ready) == 2)
            answers: list[PanelReader] = []
            async with asyncio.TaskGroup() as clients:
                for trace_id in TRACES:
                    asked = asking(service, trace_id, answers=answers, enough=enough)
                    clients.create_task(asked)
                for port in fleet.ports:
                    await more_of(answers)
                    await replaced(fleet, balancer, port)
                enough.set()
        for port in fleet.ports:
            await fleet.end(port)
    assert {(*each.texts, each.error) for each in answers} == {("Let me look.", f"{ANSWER} ", None)}
    turns = [
        [json.loads(line) for line in log.splitlines() if '"event": "turn_ended"' in line]
        for log in fleet.logs
    ]
    answered = [[each for each in of_one if each["steps"]] for of_one in turns]
    assert all(answered[: len(fleet.ports)])
    assert {each["outcome"] for of_one in answered for each in of_one} == {"turn_finished"}
    assert sum(len(of_one) for of_one in answered) == len(answers)
