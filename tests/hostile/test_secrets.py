"""Every way to fail, with secrets in every place that has one: none comes out anywhere."""

import contextlib
import json
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.db.schema import metadata
from standin.chat import ChatError
from standin.faults import Answer, Fault, Refuse
from standin.switches import UserAccount
from testkit.credentials import BEARER, OTHER_COOKIE, PASSWORD, PROVIDER_KEY, TOKEN
from testkit.panel_reader import PanelReader
from testkit.processes import SERVICE, ServerProcess, running_process
from testkit.scripted_chat import answer, calling
from testkit.service import TRACE_ID, Service, record_trace, running, span_id

SECRETS = (TOKEN, OTHER_COOKIE, BEARER, PROVIDER_KEY, PASSWORD)

_WHO = {
    "Cookie": f"theme={OTHER_COOKIE}; sessionToken={TOKEN}",
    "Authorization": f"Bearer {BEARER}",
    "Comet-Workspace": "acme",
}
_ECHO = {"errors": [f"Cookie: sessionToken={TOKEN}, Authorization: Bearer {BEARER}"]}
_PAGE = f"<html>Authorization: Bearer {BEARER} for http://admin:{PASSWORD}@inner:8080/x</html>"
_SAYS = f"Incorrect API key provided: {PROVIDER_KEY}; sent Authorization: Bearer {BEARER}"


@pytest.fixture
async def service(database_uri: str) -> Any:
    async with running(database_uri, access_cache_seconds=0) as service:
        service.switches.accounts = {TOKEN: UserAccount("anna", frozenset({"acme"}))}
        record_trace(service.standin, workspace="acme")
        service.headers = _WHO
        yield service


async def _read_everything(service: Service) -> list[bytes]:
    """What each endpoint answers now."""
    feedback = f"{service.session()}/feedback"
    requests = [
        service.question(),
        service.question(streaming=False),
        service.http.build_request("GET", service.session(), headers=_WHO),
        service.http.build_request("GET", f"{service.session()}/suggestions", headers=_WHO),
        service.http.build_request("GET", f"{service.session()}/analysis", headers=_WHO),
        service.http.build_request("GET", f"{service.url}/opik-ai/models", headers=_WHO),
        service.http.build_request("GET", f"{service.url}/opik-ai/readyz", headers=_WHO),
        service.http.build_request("PUT", feedback, json={"value": 1}, headers=_WHO),
        service.http.build_request("PUT", feedback, json={"value": TOKEN}, headers=_WHO),
        service.http.build_request("POST", service.session(), json={"x": TOKEN}, headers=_WHO),
        service.http.build_request("DELETE", service.session(), headers=_WHO),
    ]
    answers = [await service.http.send(each) for each in requests]
    return [repr(each.headers).encode() + each.content for each in answers]


def _fail_provider(status: int) -> Callable[[Service], None]:
    def fail(service: Service) -> None:
        service.chat.scripts = [[ChatError(status, _SAYS, details=_SAYS)]]

    return fail


def _fail_backend(effect: Any, path: str = "/v1/private") -> Callable[[Service], None]:
    def fail(service: Service) -> None:
        service.switches.faults.append(Fault(effect, path=path))

    return fail


def _fail_tool(service: Service) -> None:
    wanted = ("get_span_details", json.dumps({"span_id": span_id(3), "include_input": True}))
    service.chat.scripts = [calling(wanted), answer("Done.")]
    service.switches.faults.append(Fault(Answer(500, _ECHO), path="/v1/private/spans"))


_IN_JSON = "".join(f"\\u{ord(each):04x}" for each in TOKEN)
_ESCAPED = f'{{"message": "No: sessionToken={_IN_JSON}"}}'.encode()
_JSON = {"content-type": "application/json"}
_FAILURES: dict[str, Callable[[Service], None]] = {
    "none": lambda _: None,
    "a refused key": _fail_provider(401),
    "a quota": _fail_provider(429),
    "a broken provider": _fail_provider(500),
    "a proxy's page": _fail_backend(Answer(502, _PAGE)),
    "an echo of the request": _fail_backend(Answer(500, _ECHO)),
    "a refusal with an echo": _fail_backend(Answer(403, _ECHO)),
    "an escaped echo": _fail_backend(Answer(400, _ESCAPED, _JSON), path="/v1/private/traces"),
    "a login page": _fail_backend(Answer(200, _PAGE), path="/v1/private/traces"),
    "a chat proxy's page": _fail_backend(Answer(502, _PAGE), path="/v1/private/chat"),
    "no backend": _fail_backend(Refuse()),
    "a tool": _fail_tool,
}


@pytest.mark.parametrize("failure", _FAILURES)
async def test_no_secret_is_shown_by_any_failure(
    service: Service, failure: str, store: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="app")
    _FAILURES[failure](service)
    responses = await _read_everything(service)
    rows = await _read_all_rows(store)
    for secret in SECRETS:
        assert secret.encode() not in b"\n".join(responses)
        assert secret not in rows
        for record in caplog.records:
            if record.name.split(".")[0] in {"app", "uvicorn"}:
                assert secret not in f"{record.getMessage()} {record.__dict__}"


async def _read_all_rows(store: Any) -> str:
    async with store._transactions._engine.connect() as db:
        return repr([list(await db.execute(table.select())) for table in metadata.sorted_tables])


def _read_all_files(folder: Path) -> bytes:
    return b"".join(each.read_bytes() for each in folder.glob("kept.db*"))


@pytest.mark.slow
@pytest.mark.parametrize("log_format", ["console", "json"])
async def test_a_process_that_logs_everything_logs_no_secret(
    tmp_path: Path, log_format: str
) -> None:
    async with running(f"sqlite:///{tmp_path}/unused.db") as backend:
        backend.switches.accounts = {TOKEN: UserAccount("anna", frozenset({"acme"}))}
        record_trace(backend.standin, workspace="acme")
        values = {
            "AGENT_OPIK_URL": backend.backend,
            "SESSION_SERVICE_URI": f"sqlite:///{tmp_path}/kept.db",
            "LOG_LEVEL": "DEBUG",
            "LOG_FORMAT": log_format,
            "SENTRY_DSN": "",
            "URL_PREFIX": "/opik-ai",
            "DRAIN_SECONDS": "0",
        }
        async with (
            running_process(
                ServerProcess(*SERVICE, folder=tmp_path, settings=values), end=signal.SIGTERM
            ) as process,
            httpx.AsyncClient(headers=_WHO, timeout=60) as http,
        ):
            session = f"{process.url}/opik-ai/trace-analyzer/session/{TRACE_ID}"
            backend.chat.scripts = [[ChatError(401, _SAYS)], answer("Done.")]
            for message in ("Why?", "Once more?"):
                reader = PanelReader()
                reader.read((await http.post(session, json={"message": message})).content)
                assert reader.frames
            with contextlib.closing(sqlite3.connect(tmp_path / "kept.db")) as db, db:
                db.execute("UPDATE opik_assist_events SET created_at = ?", ("no date",))
            assert (await http.get(session)).status_code == 500
    database = _read_all_files(tmp_path)
    assert "turn" in process.log
    for secret in SECRETS:
        assert secret not in process.log
        assert secret.encode() not in database
    for content in ("Why?", "Once more?", "Done."):
        assert content not in process.log
