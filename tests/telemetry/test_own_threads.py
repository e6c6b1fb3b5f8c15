"""Thumbs and deletions, as they reach the threads of our own turns."""

from pathlib import Path

import pytest

from standin.faults import Answer, Fault
from testkit.scripted_chat import answer
from testkit.service import wait_until
from tests.telemetry.observed import PRIVATE, PROJECT, Observed, observed

CLOSE, SCORES = "/traces/threads/close", "/traces/threads/feedback-scores"
SCORE = "opikassist_user_feedback"
ANSWERED = answer("It was the tool.")


async def rate(running: Observed, value: int) -> None:
    service = running.service
    url = f"{service.session()}/feedback"
    assert (await service.http.put(url, json={"value": value})).status_code == 200


async def unrate(running: Observed) -> None:
    service = running.service
    assert (await service.http.delete(f"{service.session()}/feedback")).status_code == 204


async def forget(running: Observed) -> None:
    service = running.service
    assert (await service.http.delete(service.session())).status_code == 200


async def test_a_thumb_scores_the_closed_thread_and_another_thumb_replaces_it(
    tmp_path: Path,
) -> None:
    async with observed(tmp_path) as running:
        trace, _ = await running.ask(ANSWERED)
        await rate(running, 1)
        await wait_until(lambda: running.target.scores == [(SCORE, 1)])
        await rate(running, 0)
        await wait_until(lambda: running.target.scores == [(SCORE, 0)])
        closed = running.target.sent("PUT", CLOSE)
    thread = {"project_name": PROJECT, "thread_id": trace["thread_id"]}
    assert closed == [thread, thread]


async def test_a_thumb_that_is_taken_back_takes_its_score_with_it(tmp_path: Path) -> None:
    async with observed(tmp_path) as running:
        await running.ask(ANSWERED)
        await rate(running, 1)
        await unrate(running)
        await wait_until(lambda: running.target.sent("POST", f"{SCORES}/delete"))
        await wait_until(lambda: not running.target.scores)
        assert len(running.target.sent("PUT", SCORES)) == 1


@pytest.mark.parametrize(("content", "left"), [("none", 1), ("full", 0)])
async def test_a_deleted_conversation_keeps_no_score_and_none_of_its_content(
    tmp_path: Path, content: str, left: int
) -> None:
    async with observed(tmp_path, opik_internal_content=content) as running:
        await running.ask(ANSWERED)
        await rate(running, 1)
        await wait_until(lambda: running.target.scores)
        await forget(running)
        stored = running.target.standin.records.workspace().traces
        await wait_until(lambda: not running.target.scores and len(stored) == left)


async def test_each_conversation_has_a_thread_that_is_scored_and_deleted_alone(
    tmp_path: Path,
) -> None:
    async with observed(tmp_path, opik_internal_content="full") as running:
        kept, _ = await running.ask(ANSWERED)
        url = f"{running.service.session()}/conversations"
        created = (await running.service.http.post(url)).json()["id"]
        deleted, _ = await running.ask(ANSWERED)
        assert (deleted["thread_id"], kept["thread_id"] != created) == (created, True)
        first = f"{running.service.session()}/feedback?conversation={kept['thread_id']}"
        assert (await running.service.http.put(first, json={"value": 1})).status_code == 200
        await wait_until(lambda: running.target.scores == [(SCORE, 1)])
        assert (await running.service.http.delete(f"{url}/{created}")).status_code == 204
        stored = running.target.standin.records.workspace().traces
        await wait_until(lambda: list(stored) == [kept["id"]])
        assert running.target.scores == [(SCORE, 1)]
        assert running.target.sent("PUT", CLOSE)[-1]["thread_id"] == kept["thread_id"]


async def test_a_thumb_waits_for_a_backend_that_is_just_busy(tmp_path: Path) -> None:
    async with observed(tmp_path) as running:
        await running.ask(ANSWERED)
        running.target.standin.switches.faults = [
            Fault(Answer(404), path=PRIVATE + CLOSE, times=1),
            Fault(Answer(503), path=PRIVATE + SCORES, times=1),
        ]
        await rate(running, 1)
        await wait_until(lambda: running.target.scores == [(SCORE, 1)])
        assert len(running.target.sent("PUT", CLOSE)) == 2


async def test_deleting_what_never_got_a_trace_is_no_loss(tmp_path: Path) -> None:
    async with observed(tmp_path) as running:
        running.target.standin.switches.faults = [Fault(Answer(400), path=PRIVATE, times=1)]
        running.plays(ANSWERED)
        await running.service.ask()
        await forget(running)
        await wait_until(lambda: running.target.sent("POST", f"{SCORES}/delete"))
        await running.ask(ANSWERED)
        assert len(running.target.sent("POST", f"{SCORES}/delete")) == 1
