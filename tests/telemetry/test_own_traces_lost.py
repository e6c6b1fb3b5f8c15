"""A slow, broken or missing backend of our own traces: nobody waits, losses are counted."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.telemetry.own_traces.delivery import OpikDelivery
from app.telemetry.own_traces.queue import REPORT_SECONDS, DeliveryQueue
from app.telemetry.own_traces.records import SpanRecord, ThreadDeletion, TurnRecord
from standin.app import create_app
from standin.faults import Answer, Delay, Fault, Refuse
from standin.record_store import Records
from standin.serving import serve_in_thread
from standin.switches import Switches
from testkit.scripted_chat import DirectedChat, answer
from testkit.service import wait_until
from tests.telemetry.observed import PRIVATE, Target, observed

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def a_turn(spans: int = 1) -> TurnRecord:
    span = SpanRecord("model_reply", "llm", NOW, NOW)
    return TurnRecord("thread", NOW, NOW, {}, (), [span] * spans, {}, None, None)


@pytest.fixture
def target() -> Target:
    return Target(create_app(Records(), chat=DirectedChat(answer("x")), switches=Switches()))


@pytest.fixture
def url(target: Target) -> Iterator[str]:
    with serve_in_thread(target.standin) as url:
        yield url


def outbox(url: str, **values: Any) -> DeliveryQueue:
    delivery = OpikDelivery(url, api_key=None, workspace=None, project="p")
    return DeliveryQueue(delivery, **{"waits": (0.01, 0.01), **values})


def losses(lines: list[Any]) -> list[tuple[int, str]]:
    return [(each["lost"], each["reason"]) for each in lines if each["event"] == "own_traces_lost"]


@pytest.mark.parametrize(
    "effect", [pytest.param(Delay(3_600), marks=pytest.mark.slow), Refuse(), Answer(500)]
)
async def test_turns_do_not_wait_for_a_backend_that_fails_or_hangs(
    tmp_path: Path, effect: Any
) -> None:
    async with observed(tmp_path) as running:
        running.target.standin.switches.faults = [Fault(effect)]
        running.plays(answer("It was the tool."))
        for _ in range(5):
            reader = await running.service.ask()
            assert (reader.texts, reader.error) == (["It was the tool."], None)
        assert running.target.standin.records.workspace().traces == {}
        ending = time.monotonic()
    assert time.monotonic() - ending < 10


async def test_what_waits_at_the_end_is_still_sent(tmp_path: Path) -> None:
    async with observed(tmp_path) as running:
        running.target.standin.switches.faults = [Fault(Delay(0.3), times=1)]
        running.plays(answer("It was the tool."))
        await running.service.ask()
        await running.service.ask()
    assert len(running.target.traces) == 2


async def test_what_does_not_fit_is_lost_at_once_and_counted_now_and_then(
    target: Target, url: str
) -> None:
    target.standin.switches.faults = [Fault(Delay(3_600))]
    now = 0.0
    full = outbox(url, waiting=2, clock=lambda: now)
    with capture_logs() as lines:
        full.put(a_turn())
        await wait_until(lambda: target.traces)
        for _ in range(5):
            full.put(a_turn())
        first = losses(lines)
        now = REPORT_SECONDS
        full.put(a_turn())
        then = losses(lines)[1:]
        full.close(0.05)
    assert first == [(1, "queue_full")]
    assert then == [(4, "queue_full")]
    assert losses(lines)[2:] == [(6, "shutdown")]


def test_what_fails_again_and_again_is_given_up_and_the_next_is_tried(
    target: Target, url: str
) -> None:
    target.standin.switches.faults = [Fault(Answer(503), times=3)]
    patient = outbox(url)
    with capture_logs() as lines:
        patient.put(a_turn())
        patient.put(a_turn())
        patient.close(10)
    assert losses(lines) == [(1, "status 503")]
    assert len(target.traces) == 4
    assert len(target.standin.records.workspace().traces) == 1


def test_a_refusal_is_not_tried_again(target: Target, url: str) -> None:
    target.standin.switches.faults = [Fault(Answer(401), times=1)]
    patient = outbox(url)
    with capture_logs() as lines:
        patient.put(a_turn())
        patient.close(10)
    assert losses(lines) == [(1, "status 401")]
    assert len(target.traces) == 1


def test_another_attempt_makes_no_second_trace(target: Target, url: str) -> None:
    faults = [Fault(Answer(503), path=f"{PRIVATE}/{kind}", times=1) for kind in ("spans", "traces")]
    target.standin.switches.faults = faults
    patient = outbox(url)
    patient.put(a_turn())
    patient.close(10)
    assert len(target.traces) == len(target.spans) == 2
    assert len({each["id"] for each in target.traces}) == 1
    assert len({each["id"] for each in target.spans}) == 1


def test_a_turn_of_many_calls_is_sent_in_batches_that_the_backend_takes(
    target: Target, url: str
) -> None:
    patient = outbox(url)
    patient.put(a_turn(spans=1_500))
    patient.close(10)
    assert [len(each["spans"]) for each in target.sent("POST", "/spans/batch")] == [1_000, 500]


async def test_what_is_to_be_erased_is_tried_until_it_is_gone(target: Target, url: str) -> None:
    patient = outbox(url, owed_again=0.05)
    with capture_logs() as lines:
        patient.put(a_turn())
        await wait_until(lambda: target.standin.records.workspace().spans)
        # Every attempt of the first time, and of the second.
        target.standin.switches.faults = [Fault(Answer(503), times=6)]
        patient.put(ThreadDeletion("thread"))
        await wait_until(lambda: not target.standin.records.workspace().traces)
        patient.close(10)
    assert lines == []


@pytest.mark.parametrize("faults", [[Fault(Answer(503))], [Fault(Answer(503), times=3)]])
async def test_what_could_not_be_erased_is_tried_at_the_end_and_then_named(
    target: Target, url: str, faults: list[Fault]
) -> None:
    patient = outbox(url)
    patient.put(a_turn())
    await wait_until(lambda: target.standin.records.workspace().spans)
    target.standin.switches.faults = faults
    with capture_logs() as lines:
        patient.put(ThreadDeletion("thread"))
        patient.close(10)
    left = bool(target.standin.records.workspace().traces)
    assert [each["threads"] for each in lines if each["event"] == "own_traces_not_erased"] == (
        [["thread"]] if left else []
    )
    assert left == (faults[0].times is None)


def test_a_refused_erasure_is_counted_as_lost(target: Target, url: str) -> None:
    target.standin.switches.faults = [Fault(Answer(403))]
    patient = outbox(url)
    with capture_logs() as lines:
        patient.put(ThreadDeletion("thread"))
        patient.close(10)
    assert losses(lines) == [(1, "status 403")]


def test_a_fault_of_our_own_is_counted_and_ends_nothing(target: Target, url: str) -> None:
    patient = outbox(url)
    with capture_logs() as lines:
        patient.put(object())  # type: ignore[arg-type]
        patient.put(a_turn())
        patient.close(10)
    assert losses(lines) == [(1, "internal")]
    assert len(target.traces) == 1
