"""Error reports by the real SDK: what arrives at a receiver, and what must not."""

import contextlib
import json
import signal
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.db.log_reader import BEGINNING_ROWS
from standin.app import create_app as create_standin
from standin.chat import ChatError
from standin.record_store import Records
from standin.switches import Switches
from testkit import credentials
from testkit.processes import (
    ROOT,
    SERVICE,
    ServerProcess,
    find_free_port,
    run_python,
    running_process,
)
from testkit.scripted_chat import DirectedChat, answer
from testkit.service import TRACE_ID, Service, record_trace, serving
from tests.telemetry.receiver import Receiver

COOKIE, WORKSPACE = credentials.REPORTED_COOKIE, "default"
QUERY, HEADER, QUESTION, ANSWER, STORED = (
    "query-77d1",
    credentials.REPORTED_HEADER,
    "ask-5e0c",
    "say-3b9f",
    "row-c41d",
)
SECRETS = (
    COOKIE,
    QUERY,
    HEADER,
    QUESTION,
    ANSWER,
    STORED,
    "lookup_order",
    "answer-question",
    "Where is order",
    "KeyError: 'ord",
)
NO_TRACE = str(UUID(int=7 << 76 | 8 << 60 | 1))


ADD_EVENT = """
INSERT INTO opik_assist_events (id, session_id, turn_id, sequence, type, payload, created_at)
SELECT hex(randomblob(16)), session_id, turn_id, 1000 + ?, 'of_later', '{"type": "of_later"}',
    created_at
FROM opik_assist_events WHERE sequence = 1
"""


@dataclass
class Reported:
    """A service whose errors are reported, the database under it, and the receiver."""

    service: Service
    receiver: Receiver
    database: Path
    process: Any

    async def crash_when_events_are_read(self) -> None:
        """Leaves a row that the database driver cannot read, and quotes in its complaint.

        It is the last of so many that a turn reads it only after it has begun.
        """
        with contextlib.closing(sqlite3.connect(self.database)) as db, db:
            db.executemany(ADD_EVENT, [(number,) for number in range(1, BEGINNING_ROWS + 1)])
            db.execute(
                "UPDATE opik_assist_events SET created_at = ? WHERE sequence ="
                " (SELECT max(sequence) FROM opik_assist_events)",
                (STORED,),
            )


@contextlib.asynccontextmanager
async def reported(folder: Path, **settings: str) -> AsyncIterator[Reported]:
    """On leaving the block the service is stopped, and has sent all that it had to report."""
    receiver = Receiver()
    database = folder / "reported.db"
    chat = DirectedChat(answer(f"It was {ANSWER}."))
    standin = create_standin(Records(), chat=chat, switches=Switches())
    record_trace(standin)
    async with contextlib.AsyncExitStack() as stack:
        target = await stack.enter_async_context(serving(receiver.app()))
        backend = await stack.enter_async_context(serving(standin, grace=1))
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=60))
        values = {
            "AGENT_OPIK_URL": backend,
            "SESSION_SERVICE_URI": f"sqlite:///{database}",
            "SENTRY_DSN": target.replace("//", "//public@") + "/1",
            "RETRY_BACKOFF_FACTOR": "0.001",
            "URL_PREFIX": "/opik-ai",
            "DRAIN_SECONDS": "0",
            **settings,
        }
        process = await stack.enter_async_context(
            running_process(
                ServerProcess(*SERVICE, folder=folder, settings=values), end=signal.SIGTERM
            )
        )
        uri = values["SESSION_SERVICE_URI"]
        service = Service(process.url, backend, uri, standin, chat, http)
        service.headers = {
            "Cookie": f"sessionToken={COOKIE}; theme={HEADER}",
            "Comet-Workspace": WORKSPACE,
            "X-Anything": HEADER,
            "Authorization": f"Bearer {HEADER}",
        }
        yield Reported(service, receiver, database, process)


async def crash_twice(running: Reported) -> None:
    """Once in a request, once in a turn, both over the same unreadable row."""
    service = running.service
    await service.ask(f"What about {QUESTION}?")
    await running.crash_when_events_are_read()
    # The server closes a connection over which a request has crashed.
    async with httpx.AsyncClient(headers=service.headers) as other:
        history = await other.get(f"{service.session()}?token={QUERY}")
    assert history.status_code == 500
    assert "inside the assistant" in ((await service.ask(QUESTION)).error or "")


@pytest.mark.slow
@pytest.mark.parametrize("log_format", ["console", "json"])
async def test_a_crash_is_reported_once_by_type_and_stack_alone(
    tmp_path: Path, log_format: str
) -> None:
    async with reported(tmp_path, LOG_FORMAT=log_format, SENTRY_ENVIRONMENT="trial") as running:
        await crash_twice(running)
    in_request, in_turn = running.receiver.errors
    for error in (in_request, in_turn):
        assert error["environment"] == "trial"
        assert error["release"].startswith("opik-assist@")
        (exception,) = error["exception"]["values"]
        assert exception["type"] == "ValueError"
        assert exception["value"] == "(withheld: see the service's log)"
        functions = [frame["function"] for frame in exception["stacktrace"]["frames"]]
        assert "_run_attempts" in functions
        assert error["request"]["method"] in {"GET", "POST"}
    assert in_request["transaction"] == "/opik-ai/trace-analyzer/session/{trace_id}"
    assert in_request["request"]["url"].endswith(TRACE_ID)
    assert in_turn["logentry"] == {"message": "turn_crashed"}
    assert in_turn["tags"]["trace"] == TRACE_ID
    assert set(in_turn["tags"]) == {"request", "trace", "turn"}
    _assert_no_secret(running.receiver)


@pytest.mark.slow
async def test_timings_and_profiles_carry_no_content_either(tmp_path: Path) -> None:
    async with reported(
        tmp_path,
        SENTRY_TRACES_SAMPLE_RATE="1",
        SENTRY_PROFILES_SAMPLE_RATE="1",
        SENTRY_SEND_DEFAULT_PII="true",
    ) as running:
        await crash_twice(running)
    names = {each["transaction"] for each in running.receiver.transactions}
    assert names == {"/opik-ai/trace-analyzer/session/{trace_id}"}
    spans = [span for each in running.receiver.transactions for span in each["spans"]]
    assert {"db", "http.client"} <= {span["op"] for span in spans}
    held = {name for span in spans for name in span["data"]}
    assert held == {"http.response.status_code", "db.system"}
    assert any(kind == "profile" for kind, _ in running.receiver.items)
    assert running.receiver.errors[0]["user"] == {"ip_address": "127.0.0.1"}
    _assert_no_secret(running.receiver)
    for request in running.service.switches.received:
        assert not {"sentry-trace", "baggage"} & set(request.headers)


@pytest.mark.slow
async def test_errors_with_a_message_for_the_user_are_not_reported(tmp_path: Path) -> None:
    async with reported(tmp_path, RETRY_MAX_ATTEMPTS="1") as running:
        service = running.service
        missing = await service.http.get(service.session(NO_TRACE), headers=service.headers)
        assert missing.status_code == 404
        assert (await service.http.get(f"{service.url}/nothing")).status_code == 404
        service.chat.scripts = [[ChatError(401, "no key")], [ChatError(500, "overloaded")]]
        assert (await service.ask()).error
        assert (await service.ask()).error
        with contextlib.closing(sqlite3.connect(running.database)) as db, db:
            db.execute("ALTER TABLE opik_assist_sessions RENAME TO elsewhere")
        down = await service.http.get(service.session(), headers=service.headers)
        assert down.status_code == 503
    assert running.receiver.errors == []


async def test_a_refused_start_is_not_reported(tmp_path: Path) -> None:
    receiver = Receiver()
    async with serving(receiver.app()) as target:
        ended = await run_python(
            *SERVICE,
            folder=tmp_path,
            PORT=str(find_free_port()),
            AGENT_OPIK_URL="http://127.0.0.1:1",
            SESSION_SERVICE_URI=f"mysql://a:b@127.0.0.1:{find_free_port()}/c",
            SESSION_SERVICE_MAX_RETRIES="1",
            SENTRY_DSN=target.replace("//", "//public@") + "/1",
        )
    assert ended.code == 3
    assert "The database could not be used in 1 attempts" in ended.log
    assert receiver.errors == []


TOOL = """
import anyio, os
from app.agent.toolbox import Toolbox, tool
from app.messages import ToolCall
from app.telemetry import logs
from app.telemetry.error_reports import ErrorReports

@tool(display=lambda wanted: "Working")
async def failing(context, wanted: str) -> str:
    "Fails."
    async def deep():
        raise {raised}
    async with anyio.create_task_group() as group:
        group.start_soon(deep)
    return ""

async def main():
    reporting = ErrorReports(os.environ["DSN"], "test", 0, 0, False)
    reporting.start()
    logs.configure(style="console", level="INFO")
    async with reporting.running():
        toolbox = Toolbox([failing], None, seconds=5, characters=1000)
        call = ToolCall("1", "failing", '{{"wanted": "{secret}"}}', "1")
        print((await toolbox.run(call, seconds=5)).text)

anyio.run(main)
"""


async def _run_tool(raised: str) -> tuple[Receiver, str]:
    receiver = Receiver()
    async with serving(receiver.app()) as target:
        code = TOOL.format(raised=raised, secret=QUESTION)
        dsn = target.replace("//", "//public@") + "/1"
        ended = await run_python("-c", code, folder=ROOT, DSN=dsn)
    assert ended.code == 0, ended.log
    return receiver, ended.printed


async def test_a_tool_that_crashes_in_a_task_of_its_own_is_reported_once() -> None:
    receiver, result = await _run_tool("KeyError(wanted)")
    assert "internal error" in result
    (error,) = receiver.errors
    assert error["logentry"] == {"message": "tool_failed"}
    assert error["tags"] == {"tool": "failing"}
    kinds = {each["type"] for each in error["exception"]["values"]}
    assert kinds == {"ExceptionGroup", "KeyError"}
    _assert_no_secret(receiver)


async def test_a_group_of_expected_errors_is_expected() -> None:
    receiver, _ = await _run_tool("__import__('app.errors').errors.NotFound(wanted)")
    assert receiver.errors == []


WITHOUT = """
import anyio, sys
from app.main import create_app
from app.settings import Settings

async def main():
    app = create_app(Settings(_env_file=None, agent_opik_url="http://127.0.0.1:1",
                              session_service_uri="sqlite:///:memory:"))
    async with app.router.lifespan_context(app):
        print(sorted(name for name in sys.modules if name.partition(".")[0] == "sentry_sdk"))

anyio.run(main)
"""


@pytest.mark.parametrize("given", [{}, {"SENTRY_DSN": ""}])
async def test_without_an_address_the_library_is_not_even_loaded(given: dict[str, str]) -> None:
    ended = await run_python("-c", WITHOUT, folder=ROOT, **given)
    assert ended.code == 0, ended.log
    assert ended.printed == "[]\n"


async def test_a_wrong_address_stops_the_start_without_being_quoted(tmp_path: Path) -> None:
    dsn = f"https://{COOKIE}"
    settings = {"AGENT_OPIK_URL": "http://127.0.0.1:1", "SENTRY_DSN": dsn}
    ended = await run_python(*SERVICE, folder=tmp_path, **settings)
    assert ended.code == 1
    assert ended.log.startswith("Settings: SENTRY_DSN:")
    assert COOKIE not in ended.log


def _assert_no_secret(receiver: Receiver) -> None:
    everything = receiver.raw + json.dumps(receiver.items).encode()
    assert receiver.items
    for secret in SECRETS:
        assert secret.encode() not in everything, secret
    held: list[Any] = [body for _, body in receiver.items if isinstance(body, dict)]
    assert not any({"breadcrumbs", "extra", "modules", "threads"} & set(body) for body in held)
