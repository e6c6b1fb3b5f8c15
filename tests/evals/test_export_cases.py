"""Conversations with a thumb become cases."""

import io
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import anyio.to_thread
import httpx
import pytest
from click.testing import CliRunner

from app.caller import Caller
from app.commands.export_cases import (
    BackendSource,
    Export,
    FileSource,
    Recording,
    command,
    export_cases,
    read_recording,
)
from app.errors import StartRefused
from app.opik.client import OpikClient
from app.opik.records import Trace
from evals import ask
from evals.labelled_case import LabelledCase, read_case_file
from standin.chat import ChatError
from standin.faults import Answer, Fault
from standin.serving import serve_in_thread
from standin.switches import UserAccount
from testkit import credentials
from testkit.backend import rest_client_at
from testkit.scripted_chat import answer
from testkit.service import OTHER_TRACE_ID, TRACE_ID, Service, record_trace, running, span_id
from tests.evals.fake_model_server import FakeServer

SECRET = credentials.OPERATOR
NOTHING = FileSource(Recording(trace=Trace(id=TRACE_ID), spans=[]))


@pytest.fixture
async def service(database_uri: str) -> AsyncIterator[Service]:
    async with running(database_uri) as service:
        service.chat.scripts = [answer("It was [s1], seen in [s2].")]
        yield service


class Exporting:
    """The command's work on a service's database."""

    def __init__(self, service: Service, folder: Path) -> None:
        self.service = service
        self.folder = folder

    async def run(self, source: FileSource | None = None, *, most_spans: int = 1_000) -> int:
        export = Export(self.folder, "default")
        async with httpx.AsyncClient() as http:
            rest = rest_client_at(self.service.backend, http, timeout=5)
            backend = BackendSource(OpikClient(rest), Caller(SECRET, "default"), most_spans)
            uri = self.service.database_uri
            return await export_cases(uri, source or backend, export)

    def cases(self) -> list[LabelledCase]:
        return [read_case_file(path) for path in sorted(self.folder.glob("*.json"))]


@pytest.fixture
def exporting(service: Service, tmp_path: Path) -> Exporting:
    return Exporting(service, tmp_path / "cases")


async def rate(service: Service, value: int, **more: str) -> None:
    url = f"{service.session(**more)}/feedback"
    (await service.http.put(url, json={"value": value})).raise_for_status()


def cited(service: Service) -> list[str]:
    """The spans that the outline names s1 and s2, as the model was shown them."""
    shown = service.chat.requests[-1]["messages"][1]["content"]
    names = {"agent": 1, "plan": 2, "lookup_order": 3, "answer": 4}
    found = {}
    for line in shown.splitlines():
        words = line.split()
        if words and words[0] in {"s1", "s2"}:
            found[words[0]] = span_id(next(names[word] for word in words if word in names))
    return [found["s1"], found["s2"]]


async def test_a_thumb_up_makes_the_span_cited_first_right(exporting: Exporting) -> None:
    await exporting.service.ask("Why did it fail?")
    await rate(exporting.service, 1)
    assert await exporting.run() == 0

    (case,) = exporting.cases()
    assert case.trace.id == TRACE_ID
    assert {span.id for span in case.spans} == {span_id(number) for number in range(1, 5)}
    failed = next(span for span in case.spans if span.id == span_id(3))
    assert failed.input == {"order_id": 8812}
    (turn,) = case.turns
    assert turn.question == "Why did it fail?"
    assert list(turn.right) == cited(exporting.service)[:1]
    assert not turn.wrong


async def test_a_thumb_down_makes_it_wrong(exporting: Exporting) -> None:
    await exporting.service.ask()
    await rate(exporting.service, 0)
    await exporting.run()
    (turn,) = exporting.cases()[0].turns
    assert list(turn.wrong) == cited(exporting.service)[:1]
    assert not turn.right


async def test_a_thumb_is_for_the_last_answer_before_it(exporting: Exporting) -> None:
    service = exporting.service
    refused = ChatError(401, "Invalid API key")
    service.chat.scripts = [
        answer("First [s2]."),
        [refused],
        answer("Then [s1]."),
        answer("After the thumb [s2]."),
    ]
    for question in ("One?", "Fails?", "Two?"):
        await service.ask(question)
    await rate(service, 1)
    await service.ask("Later?")
    await exporting.run()

    one, two = exporting.cases()[0].turns
    assert (one.question, one.graded) == ("One?", False)
    assert two.question == "Two?"
    assert list(two.right) == cited(service)[:1]


async def test_an_answer_without_citations_is_left_out_and_reported(
    exporting: Exporting, capsys: pytest.CaptureFixture[str]
) -> None:
    exporting.service.chat.scripts = [answer("All is well.")]
    await exporting.service.ask()
    await rate(exporting.service, 1)
    assert await exporting.run() == 0
    assert not exporting.cases()
    assert f"{TRACE_ID}: left out" in capsys.readouterr().out


async def test_a_conversation_without_a_thumb_is_left_alone(
    exporting: Exporting, capsys: pytest.CaptureFixture[str]
) -> None:
    await exporting.service.ask()
    assert await exporting.run() == 0
    assert not exporting.cases()
    assert "0 of 0" in capsys.readouterr().out


async def test_an_unreadable_trace_is_reported_and_the_others_are_written(
    exporting: Exporting, capsys: pytest.CaptureFixture[str]
) -> None:
    service = exporting.service
    record_trace(service.standin, OTHER_TRACE_ID)
    for trace_id in (TRACE_ID, OTHER_TRACE_ID):
        await service.ask(trace_id=trace_id)
        await rate(service, 1, trace_id=trace_id)
    gone = Fault(
        Answer(404, {"errors": ["Trace not found"]}), f"/v1/private/traces/{OTHER_TRACE_ID}"
    )
    service.switches.faults.append(gone)
    assert await exporting.run() == 1
    assert [case.trace.id for case in exporting.cases()] == [TRACE_ID]
    assert f"{OTHER_TRACE_ID}: Opik has no such trace" in capsys.readouterr().out


async def test_a_trace_of_which_only_some_spans_came_makes_no_case(
    exporting: Exporting, capsys: pytest.CaptureFixture[str]
) -> None:
    await exporting.service.ask()
    await rate(exporting.service, 1)
    assert await exporting.run(most_spans=2) == 1
    assert not exporting.cases()
    assert f"{TRACE_ID}: Only 2 of its spans" in capsys.readouterr().out


async def test_a_trace_file_replaces_the_backend(exporting: Exporting, tmp_path: Path) -> None:
    await exporting.service.ask()
    await rate(exporting.service, 1)
    await exporting.run()
    (path,) = exporting.folder.iterdir()
    recording = json.loads(path.read_text())
    recording.pop("turns")
    given = tmp_path / "trace.json"
    given.write_text(json.dumps(recording))
    path.unlink()
    exporting.service.switches.received.clear()

    assert await exporting.run(FileSource(read_recording(given))) == 0
    assert len(exporting.cases()) == 1
    # Figures of the project may still be read for the question.
    read = [each.path for each in exporting.service.switches.received]
    assert not [path for path in read if not path.endswith("/traces/stats")]

    recording["trace"]["id"] = OTHER_TRACE_ID
    given.write_text(json.dumps(recording))
    path.unlink()
    assert await exporting.run(FileSource(read_recording(given))) == 0
    assert not exporting.cases()


@pytest.fixture
def environment(service: Service, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("SESSION_SERVICE_URI", service.database_uri)
    monkeypatch.setenv("AGENT_OPIK_URL", service.backend)
    return monkeypatch


@pytest.mark.parametrize("variable", ["OPIK_API_KEY", "OPIK_SESSION_TOKEN"])
async def test_credentials_reach_the_backend_and_no_file(
    exporting: Exporting, environment: pytest.MonkeyPatch, variable: str
) -> None:
    service = exporting.service
    service.switches.accounts = {SECRET: UserAccount("operator", frozenset({"team"}))}
    record_trace(service.standin, workspace="team")
    service.headers |= {"Cookie": f"sessionToken={SECRET}", "Comet-Workspace": "team"}
    await service.ask()
    rated = await service.http.put(
        f"{service.session()}/feedback", json={"value": 1}, headers=service.headers
    )
    assert rated.status_code == 200
    environment.setenv(variable, SECRET)

    run = partial(
        CliRunner().invoke, command, ["--out", str(exporting.folder), "--workspace", "team"]
    )
    ended = await anyio.to_thread.run_sync(run)
    assert ended.exit_code == 0, ended.output
    (path,) = exporting.folder.iterdir()
    assert SECRET not in path.read_text() + ended.output
    assert path.stat().st_mode & 0o077 == 0

    environment.setenv(variable, "another")
    ended = await anyio.to_thread.run_sync(run)
    assert ended.exit_code == 1
    assert "Your Opik session has expired" in ended.output


async def test_a_case_that_is_written_again_becomes_its_owners_alone(exporting: Exporting) -> None:
    await exporting.service.ask()
    await rate(exporting.service, 1)
    await exporting.run()
    (path,) = exporting.folder.iterdir()
    path.chmod(0o644)
    await exporting.run()
    assert path.stat().st_mode & 0o077 == 0


async def test_a_missing_database_is_reported_and_not_created(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    export = Export(tmp_path / "cases", "default")
    with pytest.raises(StartRefused, match="does not exist"):
        await export_cases(f"sqlite:///{path}", NOTHING, export)
    assert not path.exists()


@pytest.mark.slow
def test_standard_output_holds_what_was_exported_and_no_log_line() -> None:
    command = [sys.executable, "-m", "app", "export-cases", "--out", "cases"]
    environment = {**os.environ, "AGENT_OPIK_URL": "http://127.0.0.1:1"}
    environment["SESSION_SERVICE_URI"] = "mysql://nobody@127.0.0.1:1/none"
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stdout == ""
    assert "The assistant's database does not answer" in run.stderr.splitlines()[-1]
    assert "database_unavailable" in run.stderr


@pytest.mark.parametrize("content", ["{", "{}", None])
def test_a_file_without_a_trace_is_named(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(StartRefused, match="trace"):
        read_recording(path)


def test_the_help_says_that_traces_may_be_private() -> None:
    assert "traces and questions may be private" in CliRunner().invoke(command, ["--help"]).output


@pytest.mark.slow
async def test_a_case_of_a_thumb_can_be_asked_of_a_model(
    exporting: Exporting, tmp_path: Path
) -> None:
    await exporting.service.ask("Why did it fail?")
    await rate(exporting.service, 1)
    await exporting.run()
    results, output = tmp_path / "results", io.StringIO()
    with serve_in_thread(FakeServer().app()) as url:
        wished = ["--model", "finds", "--base-url", f"{url}/v1", "--out", str(results)]
        wished += ["--cases", str(exporting.folder)]
        assert await anyio.to_thread.run_sync(lambda: ask.main(wished, out=output)) == 0
    (line,) = (results / "1-finds.jsonl").read_text().splitlines()
    row = json.loads(line)
    assert (row["question"], row["verdict"]) == ("Why did it fail?", "culprit")
