"""How a process ends after a signal: in order, in time, and with nothing lost."""

import asyncio
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio
import httpx
import pytest
from sqlalchemy import func, select

from app.db import migrations
from app.db.schema import sessions, utc_in
from app.db.store import Store
from standin.chat import text
from standin.faults import Delay, Fault
from testkit import credentials, databases
from testkit.processes import (
    SERVICE,
    UNLIMITED,
    PythonProcess,
    backend_and_service_process,
    find_free_port,
    running_process,
)
from testkit.scripted_chat import answer
from testkit.service import PREFIX, TRACE_ID, WAIT_SECONDS, Service, record_trace, wait_until
from tests.db.writing import begin_free_turn, finish_turn

PATIENT_SERVICE = ("-m", "testkit.changed_service", "transaction_seconds=600")
"""A service that waits longer for a hanging database than any test, until its shutdown begins."""
UVICORN = ("-m", "uvicorn", "app.main:app", "--port", "PORT")


def unfinished_reply(beginning: str) -> list[Any]:
    """A reply that never comes to its end."""
    return [text(beginning), asyncio.Event()]


async def until_not_ready(service: Service) -> None:
    """Asks by new connections, as a load balancer does."""
    with anyio.fail_after(WAIT_SECONDS):
        wait_for_log: dict[str, str] = {}
        while "message" not in wait_for_log:
            async with httpx.AsyncClient(timeout=60) as http:
                answered = await http.get(f"{service.url}{PREFIX}/readyz")
            wait_for_log = answered.json()
    assert (answered.status_code, wait_for_log["message"]) == (503, "The service is shutting down.")


async def until_closed(service: Service) -> None:
    """Until no connection is accepted: from then on only the running turns are waited for."""
    with anyio.fail_after(WAIT_SECONDS):
        while True:
            try:
                async with httpx.AsyncClient(timeout=60) as http:
                    await http.get(f"{service.url}{PREFIX}/healthz")
            except httpx.TransportError:
                # Refused, or closed before its request had come.
                return


async def test_sigterm_gives_a_running_turn_time_to_end(tmp_path: Path) -> None:
    gate = asyncio.Event()
    scripts: list[Any] = [[text("Slow "), gate, *answer("but whole.")]]
    async with backend_and_service_process(tmp_path, *scripts) as (service, process):
        async with service.asking() as stream:
            await stream.until(lambda each: each.reader.texts)
            process.send(signal.SIGTERM)
            await until_closed(service)
            gate.set()
            reader = await stream.rest()
        assert (reader.texts, reader.error) == (["Slow but whole."], None)
        assert await process.wait() == 0


@pytest.mark.slow
async def test_sigterm_ends_a_turn_that_takes_too_long_with_a_last_message_and_stores_it(
    tmp_path: Path,
) -> None:
    async with backend_and_service_process(
        tmp_path, unfinished_reply("Endless "), SHUTDOWN_SECONDS="0.2"
    ) as started:
        service, process = started
        async with service.asking() as stream:
            await stream.until(lambda each: each.reader.texts)
            process.send(signal.SIGTERM)
            reader = await stream.rest()
        assert reader.texts[0] == "Endless "
        assert reader.error is not None
        assert reader.error.startswith("The service is restarting.")
        assert await process.wait() == 0
        assert "Traceback" not in process.log
    async with backend_and_service_process(tmp_path, answer("Back.")) as (service, _):
        messages = [words for _, words in await service.read_messages()]
        assert messages[1] == "Endless "
        assert messages[2].startswith("The service is restarting.")
        assert (await service.ask()).texts == ["Back."]


async def test_after_sigterm_the_service_is_not_ready_and_refuses_questions(
    tmp_path: Path,
) -> None:
    async with backend_and_service_process(tmp_path, DRAIN_SECONDS="60") as (service, process):
        await service.ask()
        process.send(signal.SIGTERM)
        await until_not_ready(service)
        async with httpx.AsyncClient(timeout=60) as http:
            assert (await http.get(f"{service.url}{PREFIX}/healthz")).status_code == 200
            by_new_connections = replace(service, http=http)
            refused = await by_new_connections.ask()
            assert (refused.error or "").startswith("The service is restarting.")
            assert len(await by_new_connections.history()) == 2
        assert len(service.chat.requests) == 1
        process.send(signal.SIGTERM)
        assert await process.wait() == 0


@pytest.mark.parametrize("command", [("-m", "app"), UVICORN])
async def test_once_the_delay_is_over_the_service_ends_by_itself(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    async with backend_and_service_process(
        tmp_path, command=command, DRAIN_SECONDS="0.7"
    ) as started:
        service, process = started
        began = anyio.current_time()
        process.send(signal.SIGTERM)
        await until_not_ready(service)
        code = await process.wait()
        assert anyio.current_time() - began >= 0.7
        # A plain uvicorn ends by the signal that it was sent.
        assert code == (0 if command == ("-m", "app") else -signal.SIGTERM)
        assert "Traceback" not in process.log


async def test_a_second_signal_ends_the_delay_and_the_running_turns_at_once(
    tmp_path: Path,
) -> None:
    values = {"DRAIN_SECONDS": "60", "SHUTDOWN_SECONDS": "60"}
    async with backend_and_service_process(tmp_path, unfinished_reply("Endless "), **values) as (
        service,
        process,
    ):
        async with service.asking() as stream:
            await stream.until(lambda each: each.reader.texts)
            process.send(signal.SIGTERM)
            await until_not_ready(service)
            process.send(signal.SIGTERM)
            reader = await stream.rest()
        assert reader.error is not None
        assert reader.error.startswith("The service is restarting.")
        assert await process.wait() == 0


async def test_ctrl_c_at_a_terminal_skips_the_delay_for_load_balancers(tmp_path: Path) -> None:
    async with backend_and_service_process(tmp_path, DRAIN_SECONDS="60") as (_, process):
        process.send(signal.SIGINT)
        assert await process.wait() == 0


@pytest.mark.slow
async def test_a_question_after_sigterm_is_refused_with_a_message(tmp_path: Path) -> None:
    async with backend_and_service_process(tmp_path) as (service, process):
        service.switches.faults.append(Fault(Delay(1.5), path=f"/v1/private/traces/{TRACE_ID}"))
        asking = asyncio.create_task(service.ask())
        await wait_until(lambda: service.switches.requests("GET", f"/v1/private/traces/{TRACE_ID}"))
        process.send(signal.SIGTERM)
        refused = await asking
        assert refused.error is not None
        assert refused.error.startswith("The service is restarting.")
        assert service.chat.requests == []
        assert await process.wait() == 0


HANGING_SERVICE = """
import threading, time
from testkit.constants import changed_constants
from app.cli import cli
threading.Thread(target=time.sleep, args=(600,)).start()
with changed_constants(forced_end_seconds=0.5):
    cli()
"""
"""A service with a thread that the end of the process waits for."""


async def test_a_process_that_hangs_is_ended_after_the_promised_time(tmp_path: Path) -> None:
    async with backend_and_service_process(
        tmp_path, command=("-c", HANGING_SERVICE), DRAIN_SECONDS="0.5", SHUTDOWN_SECONDS="0.5"
    ) as (_, process):
        began = anyio.current_time()
        process.send(signal.SIGTERM)
        assert await process.wait() == 1
        assert anyio.current_time() - began >= 1.5
        assert "service_end_forced" in process.log


@pytest.mark.slow
async def test_sigterm_under_many_streams_on_sqlite_ends_the_process_in_order(
    tmp_path: Path,
) -> None:
    values = {**UNLIMITED, "SHUTDOWN_SECONDS": "1"}
    scripts = [unfinished_reply("Endless ") for _ in range(80)]
    errors: list[str | None] = []

    async def read(service: Service, number: int) -> None:
        trace_id = str(UUID(int=UUID(TRACE_ID).int + 1_000 + number))
        record_trace(service.standin, trace_id)
        async with service.asking(trace_id=trace_id) as stream:
            await stream.until(lambda each: each.reader.texts)
            shown.append(trace_id)
            errors.append((await stream.rest()).error)

    shown: list[str] = []
    async with backend_and_service_process(tmp_path, *scripts, **values) as (service, process):
        async with anyio.create_task_group() as group:
            for number in range(len(scripts)):
                group.start_soon(read, service, number)
            await wait_until(lambda: len(shown) == len(scripts))
            process.send(signal.SIGTERM)
        assert await process.wait() == 0
        assert [each for each in errors if not (each or "").startswith("The service is rest")] == []
        assert "Traceback" not in process.log


async def wait_for_log(process: PythonProcess, words: str) -> None:
    await wait_until(lambda: words in process.log)


def waiting_for(database_uri: str, **values: str) -> dict[str, str]:
    """The settings of a start that has a long time to wait for its database."""
    return {
        "AGENT_OPIK_URL": "http://opik.test",
        "SESSION_SERVICE_URI": database_uri,
        "SESSION_SERVICE_MAX_RETRIES": "1000",
        "SESSION_SERVICE_RETRY_DELAY": "600",
        "PORT": str(find_free_port()),
        **values,
    }


async def ends_before_it_started(process: PythonProcess, code: int = 0) -> None:
    process.send(signal.SIGTERM)
    assert await process.wait() == code
    assert "was stopped before it had started" in process.log
    assert "Traceback" not in process.log
    assert not any(
        password in process.log for password in (credentials.PASSWORD, databases.PASSWORD)
    )


@pytest.mark.parametrize(("command", "code"), [(("-m", "app"), 0), (UVICORN, 3)])
async def test_sigterm_ends_a_start_that_waits_for_its_database(
    tmp_path: Path, command: tuple[str, ...], code: int
) -> None:
    values = waiting_for(f"mysql://anna:{credentials.PASSWORD}@127.0.0.1:{find_free_port()}/opik")
    words = [values["PORT"] if word == "PORT" else word for word in command]
    async with running_process(PythonProcess(*words, folder=tmp_path, settings=values)) as process:
        await wait_for_log(process, "database_not_ready")
        await ends_before_it_started(process, code)


@pytest.mark.slow
async def test_sigterm_ends_a_start_before_a_database_that_sends_nothing(
    tmp_path: Path,
) -> None:
    with databases.silent_server() as (listener, uri):
        async with running_process(
            PythonProcess(*SERVICE, folder=tmp_path, settings=waiting_for(uri))
        ) as process:
            await anyio.wait_readable(listener)
            await ends_before_it_started(process)


@pytest.fixture
def private_uri(private_server: databases.PrivateServer) -> Iterator[str]:
    uri = databases.create_database(private_server.uri("information_schema"))
    yield uri
    databases.drop_database(uri)


@pytest.mark.slow
async def test_sigterm_ends_a_start_that_waits_for_another_migration(
    tmp_path: Path, private_uri: str
) -> None:
    async with databases.open_engine(private_uri) as engine, engine.connect() as other:
        name = migrations.lock_name(engine.url.database or "")
        assert await other.scalar(select(func.get_lock(name, 0))) == 1
        async with running_process(
            PythonProcess(*SERVICE, folder=tmp_path, settings=waiting_for(private_uri))
        ) as process:
            await wait_for_log(process, "migration_awaited")
            await ends_before_it_started(process)


@pytest.mark.slow
async def test_a_database_that_hangs_does_not_hold_up_the_end(
    tmp_path: Path, private_server: databases.PrivateServer, private_uri: str
) -> None:
    values = {"SESSION_SERVICE_URI": private_uri, "SHUTDOWN_SECONDS": "0.2"}
    async with backend_and_service_process(
        tmp_path, unfinished_reply("Endless "), command=PATIENT_SERVICE, **values
    ) as (service, process):
        async with service.asking() as stream:
            await stream.until(lambda each: each.reader.texts)
            with private_server.frozen():
                process.send(signal.SIGTERM)
                with anyio.fail_after(WAIT_SECONDS):
                    reader = await stream.rest()
                    assert await process.wait() == 0
        assert reader.error is not None
        assert reader.error.startswith("The service is restarting.")
        assert "may be missing" in reader.error
        assert "Traceback" not in process.log


@pytest.mark.slow
async def test_a_database_that_hangs_during_retention_does_not_hold_up_the_end(
    tmp_path: Path, private_server: databases.PrivateServer, private_uri: str
) -> None:
    values = {
        "SESSION_SERVICE_URI": private_uri,
        "RETENTION_DAYS": "30",
        "SHUTDOWN_SECONDS": "0.2",
    }
    async with databases.open_engine(private_uri) as engine:
        await migrations.prepare_schema(engine, migrate=True, attempts=1, delay=0)
        store = Store(engine)
        await finish_turn(store, await begin_free_turn(store))
        async with engine.begin() as db:
            await db.execute(sessions.update().values(updated_at=utc_in(-365 * 86_400)))
        async with engine.begin() as other:
            await other.execute(select(sessions.c.id).with_for_update())
            async with backend_and_service_process(tmp_path, command=PATIENT_SERVICE, **values) as (
                _,
                process,
            ):
                await databases.wait_for_lock_wait(engine, databases.ROW_LOCK_WAITS)
                with private_server.frozen():
                    process.send(signal.SIGTERM)
                    with anyio.fail_after(WAIT_SECONDS):
                        assert await process.wait() == 0
