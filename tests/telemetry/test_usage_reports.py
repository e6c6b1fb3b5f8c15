"""Usage events: what is sent to Segment and New Relic, and that nothing waits for it."""

import asyncio
import gzip
import http.server
import json
import socket
import ssl
import sys
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import app.telemetry
from app.errors import StartRefused
from standin.chat import text
from standin.switches import UserAccount
from testkit import credentials
from testkit.certificates import write_certificate
from testkit.processes import ROOT, backend_and_service_process, run_python
from testkit.scripted_chat import DirectedChat, answer
from testkit.service import TRACE_ID, record_trace, running, serving, wait_until

ANNA = {"Cookie": f"sessionToken={credentials.ANNA}", "Comet-Workspace": "acme"}
EVENT = "opik-ai-trace-analyzer-"


@dataclass
class SegmentReceiver:
    """Takes the library's batches."""

    events: list[dict[str, Any]] = field(default_factory=list)
    raw: bytes = b""

    @property
    def names(self) -> list[str]:
        return [each["event"].removeprefix(EVENT) for each in self.events]

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/batch", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.raw += body
        self.events += json.loads(body)["batch"]
        return JSONResponse({"success": True})


async def test_events_of_a_conversation_are_sent_without_content(migrated_sqlite_uri: str) -> None:
    receiver = SegmentReceiver()
    async with (
        serving(receiver.app(), grace=1) as url,
        running(migrated_sqlite_uri, segment_write_key="w", segment_host=url) as service,
    ):
        record_trace(service.standin, workspace="acme")
        service.switches.accounts = {credentials.ANNA: UserAccount("anna", frozenset({"acme"}))}
        service.headers = ANNA
        await service.ask("What did mary@example.com do?")
        await service.ask("And then?")
        rating = f"{service.session()}/feedback"
        await service.http.put(rating, json={"value": 1}, headers=ANNA)
        await service.http.delete(rating, headers=ANNA)
        await wait_until(lambda: len(receiver.events) >= 7)
    assert receiver.names == [
        "conversation-started",
        "question-asked",
        "answer-finished",
        "question-asked",
        "answer-finished",
        "feedback-submitted",
        "feedback-removed",
    ]
    finished = receiver.events[2]["properties"]
    assert (finished["outcome"], finished["environment"]) == ("finished", "production")
    assert (finished["model_calls"], finished["tokens"]) == (1, 110)
    assert len({each["userId"] for each in receiver.events}) == 1
    for private in (b"mary", b"anna", b"acme", TRACE_ID.encode(), b"tool."):
        assert private not in receiver.raw


async def test_a_stopped_answer_is_an_event(migrated_sqlite_uri: str) -> None:
    receiver = SegmentReceiver()
    chat = DirectedChat([text("It "), asyncio.Event()])
    async with (
        serving(receiver.app(), grace=1) as url,
        running(migrated_sqlite_uri, chat=chat, segment_write_key="w", segment_host=url) as service,
    ):
        async with service.asking() as stream:
            await stream.until(lambda each: each.reader.texts)
        await wait_until(lambda: "answer-stopped" in receiver.names)
    assert receiver.events[-2]["properties"]["outcome"] == "cancelled"


async def test_a_silent_receiver_delays_no_turn_and_no_end(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = {
            "SEGMENT_WRITE_KEY": "w",
            "SEGMENT_HOST": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "SHUTDOWN_SECONDS": "1",
        }
        async with backend_and_service_process(tmp_path, answer("It was."), **settings) as running:
            service, process = running
            assert (await service.ask()).error is None
            assert await process.stop() == 0, process.log


LOADED = """
import sys
import app.main
optional = ("prometheus_client", "segment", "newrelic", "mcp", "opik", "app.analysis.ranking")
print(sorted(set(optional) & set(sys.modules)))
"""


async def test_the_service_loads_no_optional_library_and_no_rules_before_it_starts() -> None:
    ended = await run_python("-c", LOADED, folder=ROOT)
    assert (ended.code, ended.printed) == (0, "[]\n"), ended.log


@pytest.mark.parametrize(
    ("library", "settings", "extra"),
    [
        ("prometheus_client", {"metrics_enabled": True}, "metrics"),
        ("segment.analytics.client", {"segment_write_key": "w"}, "segment"),
        ("newrelic.agent", {"new_relic_license_key": "0" * 40}, "newrelic"),
    ],
)
async def test_a_missing_library_is_named_with_what_to_install(
    library: str,
    settings: dict[str, Any],
    extra: str,
    migrated_sqlite_uri: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("metrics", "segment", "new_relic"):
        monkeypatch.delitem(sys.modules, f"app.telemetry.{module}", raising=False)
        monkeypatch.delattr(app.telemetry, module, raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(StartRefused, match=rf"opik-assist\[{extra}\]"):
        async with running(migrated_sqlite_uri, **settings):
            pass


async def test_a_config_file_that_cannot_be_read_is_named(migrated_sqlite_uri: str) -> None:
    with pytest.raises(StartRefused, match=r"^NEW_RELIC_CONFIG_FILE: /missing\.ini is no"):
        async with running(migrated_sqlite_uri, new_relic_config_file="/missing.ini"):
            pass


REPLIES: dict[str, Any] = {
    "preconnect": {"redirect_host": "localhost"},
    "connect": {
        "agent_run_id": 1,
        "event_harvest_config": {
            "report_period_ms": 60_000,
            "harvest_limits": {"custom_event_data": 1000, "analytic_event_data": 1000},
        },
    },
}


class Collector(http.server.ThreadingHTTPServer):
    """New Relic's collector as its agent meets it: TLS, and methods by name."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _CollectorRequest)
        self.received: dict[str, list[Any]] = {}
        self.authority = folder / "authority.pem"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*write_certificate(folder, self.authority))
        self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def events(self) -> list[dict[str, Any]]:
        batches = self.received.get("custom_event_data", [])
        return [event[1] for batch in batches for event in batch[2]]


class _CollectorRequest(http.server.BaseHTTPRequestHandler):
    server: Collector
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        coding = self.headers.get("content-encoding")
        body = {"deflate": zlib.decompress, "gzip": gzip.decompress}.get(coding, bytes)(body)
        method = self.path.partition("method=")[2].partition("&")[0]
        self.server.received.setdefault(method, []).append(json.loads(body))
        reply = json.dumps({"return_value": REPLIES.get(method)}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    with Collector(tmp_path) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.slow
async def test_new_relic_gets_the_events_before_the_process_ends(
    tmp_path: Path, collector: Collector
) -> None:
    settings = {
        "NEW_RELIC_LICENSE_KEY": "0" * 40,
        "NEW_RELIC_HOST": "localhost",
        "NEW_RELIC_PORT": str(collector.server_address[1]),
        "NEW_RELIC_CA_BUNDLE_PATH": str(collector.authority),
        "NEW_RELIC_APP_NAME": "opik-assist",
        "PYTHONWARNINGS": "default",
    }
    async with backend_and_service_process(tmp_path, answer("It was."), **settings) as running:
        service, process = running
        await wait_until(lambda: "connect" in collector.received)
        assert (await service.ask("What did mary@example.com do?")).error is None
        assert await process.stop() == 0
    names = [each["event"].removeprefix(EVENT) for each in collector.events]
    assert names == ["conversation-started", "question-asked", "answer-finished"]
    assert "mary@" not in json.dumps(collector.received)
    assert TRACE_ID not in json.dumps(collector.received)
