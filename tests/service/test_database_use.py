"""How often a turn goes to its database."""

import contextlib
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import anyio.to_thread
import httpx
import pytest
from sqlalchemy import Engine, event

from testkit.panel_reader import PanelReader
from testkit.processes import UNLIMITED, PythonProcess, backend_and_service_process
from testkit.scripted_chat import answer, calling
from testkit.service import TRACE_ID, Service, record_trace, running

PROGRESS = ("app.conversation.event_writer", "app.db.growing_replies")


@contextlib.contextmanager
def counting() -> Iterator[Counter[str]]:
    """Counts statements, transactions, and calls in worker threads by the kind of their work."""
    counted: Counter[str] = Counter()

    def count_statement(*arguments: Any) -> None:
        counted["statements"] += not arguments[2].startswith("BEGIN")

    def count_transaction(*_: Any) -> None:
        counted["transactions"] += 1

    run = anyio.to_thread.run_sync

    async def count_hop(work: Any, *arguments: Any, **options: Any) -> Any:
        counted["hops"] += getattr(work, "__name__", "") == "_run_here"
        return await run(work, *arguments, **options)

    listeners = (("before_cursor_execute", count_statement), ("begin", count_transaction))
    for name, listener in listeners:
        event.listen(Engine, name, listener)
    try:
        with patch("anyio.to_thread.run_sync", count_hop):
            yield counted
    finally:
        for name, listener in listeners:
            event.remove(Engine, name, listener)


async def test_a_turn_takes_few_transactions_and_statements(database_uri: str) -> None:
    async with running(database_uri) as service:
        # The start's own work, and what is asked once for a process.
        await service.ask()
        for _ in range(2):
            service.chat.requests.clear()
            service.chat.scripts = [
                calling(("get_span_details", '{"span_ids": ["s3"]}')),
                answer("It was ", "the tool."),
            ]
            # A busy machine may take longer than the second after which words are stored.
            with counting() as counted, contextlib.ExitStack() as patches:
                for module in PROGRESS:
                    patches.enter_context(patch(f"{module}.PROGRESS_SECONDS", 60))
                reader = await service.ask()
            assert (len(reader.rows), reader.texts[-1]) == (1, "It was the tool.")
            assert counted["transactions"] <= 4, counted
            assert counted["statements"] <= 15, counted
            assert counted["hops"] == (counted["transactions"] if "sqlite" in database_uri else 0)


@contextlib.asynccontextmanager
async def slowed_down(process: PythonProcess) -> AsyncIterator[None]:
    """The process runs for a quarter of the time, as on a machine with much other work."""

    async def alternate() -> None:
        while True:
            process.send(signal.SIGSTOP)
            await anyio.sleep(0.075)
            process.send(signal.SIGCONT)
            await anyio.sleep(0.025)

    async with anyio.create_task_group() as group:
        group.start_soon(alternate)
        try:
            yield
        finally:
            group.cancel_scope.cancel()
            process.send(signal.SIGCONT)


@pytest.mark.slow
async def test_forty_questions_at_once_on_sqlite_are_answered_on_a_quarter_of_a_core(
    tmp_path: Path,
) -> None:
    scripts = [answer("It was ", "the tool.") for _ in range(40)]
    readers: list[PanelReader] = []

    async def ask(service: Service, number: int) -> None:
        trace_id = str(UUID(int=UUID(TRACE_ID).int + 1_000 + number))
        record_trace(service.standin, trace_id)
        async with service.asking(trace_id=trace_id) as stream:
            readers.append(await stream.rest())

    async with backend_and_service_process(tmp_path, *scripts, **UNLIMITED) as (service, process):
        service.http.timeout = httpx.Timeout(300)
        async with slowed_down(process), anyio.create_task_group() as group:
            for number in range(40):
                group.start_soon(ask, service, number)
    assert [each.error for each in readers if each.error] == []
    assert [each.texts for each in readers] == [["It was the tool."]] * 40
