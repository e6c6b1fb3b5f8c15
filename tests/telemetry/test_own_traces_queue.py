"""A slow, broken or missing backend of our own traces: no turn waits, losses are counted."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from opik.id_helpers import generate_id
from opik.rest_api.types.span_write import SpanWrite
from opik.rest_api.types.trace_write import TraceWrite
from structlog.testing import capture_logs

from app.telemetry import turn_traces
from app.telemetry.own_traces import queue
from app.telemetry.own_traces.delivery import JobBuilder
from app.telemetry.turn_traces import REQUEST_SECONDS
from standin.app import create_app
from standin.faults import Answer, Delay, Fault, Refuse
from standin.record_store import Records
from standin.serving import serve_in_thread
from standin.switches import Switches
from testkit.scripted_chat import DirectedChat, answer
from testkit.service import wait_until
from tests.telemetry.observed import PRIVATE, Target, observed

SCORES_DELETED = "/traces/threads/feedback-scores/delete"
NOW = datetime(2026, 11, 20, tzinfo=UTC)


class Queue:
    """A queue to a backend, with what is put into it."""

    def __init__(self, jobs: JobBuilder) -> None:
        self.queue = queue.DeliveryQueue()
        self._jobs = jobs

    def put_turn(self, spans: int = 1) -> None:
        times = {"start_time": NOW, "end_time": NOW}
        trace = TraceWrite(
            id=generate_id(NOW), project_name="p", name="turn", thread_id="thread", **times
        )
        calls = [
            SpanWrite(
                id=generate_id(NOW),
                trace_id=trace.id,
                project_name="p",
                name="model_reply",
                type="llm",
                **times,
            )
            for _ in range(spans)
        ]
        self.queue.put(self._jobs.build_turn(trace, calls))

    def put_deletion(self) -> None:
        self.queue.put(self._jobs.build_deletion("thread"))


@asynccontextmanager
async def delivering(url: str) -> AsyncIterator[Queue]:
    """Leaving the block closes the queue."""
    async with httpx.AsyncClient(timeout=REQUEST_SECONDS) as http:
        jobs = JobBuilder(http, url, api_key=None, workspace=None, project="p")
        filled = Queue(jobs)
        async with filled.queue.running():
            yield filled


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "RETRY_SECONDS", (0.01, 0.01))
    monkeypatch.setattr(queue, "CLOSE_SECONDS", 10)


@pytest.fixture
def target() -> Target:
    return Target(create_app(Records(), chat=DirectedChat(answer("x")), switches=Switches()))


@pytest.fixture
def url(target: Target, short_pauses: None) -> Iterator[str]:
    with serve_in_thread(target.standin) as url:
        yield url


def losses(lines: list[Any]) -> list[tuple[int, str]]:
    return [(each["lost"], each["reason"]) for each in lines if each["event"] == "own_traces_lost"]


def not_deleted(lines: list[Any]) -> list[list[str]]:
    return [each["threads"] for each in lines if each["event"] == "own_traces_not_deleted"]


@pytest.mark.parametrize(
    "effect", [pytest.param(Delay(3_600), marks=pytest.mark.slow), Refuse(), Answer(500)]
)
async def test_turns_do_not_wait_for_a_backend_that_fails_or_hangs(
    tmp_path: Path, effect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Longer than a turn and the end may take here, so that waiting for a request is noticed.
    monkeypatch.setattr(turn_traces, "REQUEST_SECONDS", 120)
    async with observed(tmp_path) as running:
        running.target.standin.switches.faults = [Fault(effect)]
        running.plays(answer("It was the tool."))
        for _ in range(5):
            reader = await running.service.ask()
            assert (reader.texts, reader.error) == (["It was the tool."], None)
        assert running.target.standin.records.workspace().traces == {}
        ending = time.monotonic()
    assert time.monotonic() - ending < 60


async def test_waiting_traces_are_sent_at_the_end(tmp_path: Path) -> None:
    async with observed(tmp_path) as running:
        running.target.standin.switches.faults = [Fault(Delay(0.3), times=1)]
        running.plays(answer("It was the tool."))
        await running.service.ask()
        await running.service.ask()
    assert len(running.target.traces) == 2


async def test_jobs_that_do_not_fit_are_dropped_and_counted_once_a_minute(
    target: Target, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "MAX_WAITING", 2)
    monkeypatch.setattr(queue, "CLOSE_SECONDS", 0.05)
    target.standin.switches.faults = [Fault(Delay(3_600))]
    with capture_logs() as lines:
        async with delivering(url) as full:
            full.put_turn()
            await wait_until(lambda: target.traces)
            for _ in range(5):
                full.put_turn()
            first = losses(lines)
            with monkeypatch.context() as a_minute_later:
                a_minute_later.setattr(queue, "REPORT_SECONDS", 0)
                full.put_turn()
            then = losses(lines)[1:]
    assert first == [(1, "queue_full")]
    assert then == [(4, "queue_full")]
    assert losses(lines)[2:] == [(7, "shutdown")]


async def test_a_job_that_fails_again_and_again_is_dropped_and_the_next_is_tried(
    target: Target, url: str
) -> None:
    target.standin.switches.faults = [Fault(Answer(503), times=3)]
    with capture_logs() as lines:
        async with delivering(url) as patient:
            patient.put_turn()
            patient.put_turn()
            await wait_until(lambda: len(target.spans) == 1)
    assert losses(lines) == [(1, "status 503")]
    assert len(target.traces) == 4
    assert len(target.standin.records.workspace().traces) == 1


async def test_a_refused_job_is_not_tried_again(target: Target, url: str) -> None:
    target.standin.switches.faults = [Fault(Answer(401), times=1)]
    with capture_logs() as lines:
        async with delivering(url) as patient:
            patient.put_turn()
    assert losses(lines) == [(1, "status 401")]
    assert len(target.traces) == 1


async def test_another_attempt_makes_no_second_trace(target: Target, url: str) -> None:
    faults = [Fault(Answer(503), path=f"{PRIVATE}/{kind}", times=1) for kind in ("spans", "traces")]
    target.standin.switches.faults = faults
    async with delivering(url) as patient:
        patient.put_turn()
    assert len(target.traces) == len(target.spans) == 2
    assert len({each["id"] for each in target.traces}) == 1
    assert len({each["id"] for each in target.spans}) == 1


async def test_a_turn_of_many_calls_is_sent_in_batches_that_the_backend_takes(
    target: Target, url: str
) -> None:
    async with delivering(url) as patient:
        patient.put_turn(spans=1_500)
        await wait_until(lambda: len(target.sent("POST", "/spans/batch")) >= 60)
    assert [len(each["spans"]) for each in target.sent("POST", "/spans/batch")] == [25] * 60


async def test_a_deletion_is_tried_until_it_succeeds(
    target: Target, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "DELETION_RETRY_SECONDS", 0.05)
    with capture_logs() as lines:
        async with delivering(url) as patient:
            patient.put_turn()
            await wait_until(lambda: target.standin.records.workspace().spans)
            # Every attempt of the first time, and of the second.
            target.standin.switches.faults = [Fault(Answer(503), times=6)]
            patient.put_deletion()
            await wait_until(lambda: not target.standin.records.workspace().traces)
    assert lines == []


@pytest.mark.parametrize("faults", [[Fault(Answer(503))], [Fault(Answer(503), times=3)]])
async def test_a_failed_deletion_is_tried_at_the_end_and_then_named(
    target: Target, url: str, faults: list[Fault]
) -> None:
    with capture_logs() as lines:
        async with delivering(url) as patient:
            patient.put_turn()
            await wait_until(lambda: target.standin.records.workspace().spans)
            target.standin.switches.faults = faults
            patient.put_deletion()
            await wait_until(lambda: target.sent("POST", SCORES_DELETED))
    left = bool(target.standin.records.workspace().traces)
    assert not_deleted(lines) == ([["thread"]] if left else [])
    assert left == (faults[0].times is None)


async def test_deletions_pending_at_the_end_are_logged(
    target: Target, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "CLOSE_SECONDS", 0.05)
    target.standin.switches.faults = [Fault(Delay(3_600))]
    with capture_logs() as lines:
        async with delivering(url) as patient:
            patient.put_deletion()
            await wait_until(lambda: target.sent("POST", SCORES_DELETED))
            patient.put_deletion()
    assert not_deleted(lines) == [["thread", "thread"]]
    assert losses(lines) == []


async def test_a_refused_deletion_is_named(target: Target, url: str) -> None:
    target.standin.switches.faults = [Fault(Answer(403))]
    with capture_logs() as lines:
        async with delivering(url) as patient:
            patient.put_deletion()
    assert [(each["threads"], each["reason"]) for each in lines] == [(["thread"], "status 403")]


async def test_a_crash_of_one_job_is_counted_and_the_next_is_delivered(
    target: Target, url: str
) -> None:
    async def crash() -> None:
        raise RuntimeError("not foreseen")

    with capture_logs() as lines:
        async with delivering(url) as patient:
            patient.queue.put(queue.Job([crash]))
            patient.queue.put(queue.Job([crash], deletes="thread"))
            patient.put_turn()
    assert losses(lines) == [(1, "internal")]
    assert not_deleted(lines) == [["thread"]]
    assert len(target.traces) == 1
