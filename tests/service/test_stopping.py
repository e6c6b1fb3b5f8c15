"""Stop, leave, delete, two questions at once, and processes that die."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import structlog

from app.caller import Owner
from app.db.event_rows import EventEntry, TurnKey
from app.db.quotas import Quotas
from app.db.schema import sessions
from app.db.turn_log import TurnStart
from app.events import ReplyCompleted, TurnStarted
from standin.chat import text
from standin.faults import Delay, Fault
from testkit.scripted_chat import answer, calling
from testkit.service import (
    TRACE_ID,
    Service,
    Stream,
    running,
    service_at,
    span_id,
    wait_until,
)
from tests.telemetry.observed import observed


@pytest.fixture
async def service(database_uri: str) -> Any:
    async with running(database_uri, busy_wait_seconds=0.3) as service:
        yield service


def a_text(stream: Stream) -> object:
    return stream.reader.texts


async def test_frames_come_one_by_one_while_the_model_still_speaks(service: Service) -> None:
    gate = asyncio.Event()
    service.chat.scripts = [[text("First "), gate, *answer("second.")]]
    async with service.asking() as stream:
        await stream.until(lambda each: each.reader.texts == ["First "])
        gate.set()
        assert (await stream.rest()).texts == ["First second."]


async def test_stop_ends_the_model_call_and_keeps_what_was_written(service: Service) -> None:
    service.chat.scripts = [[text("Half an "), asyncio.Event()], answer("Whole.")]
    async with service.asking() as stream:
        await stream.until(a_text)
    await wait_until(lambda: service.switches.chats.running == 0)
    assert service.switches.chats.cancelled == 1
    assert (await service.ask("And now?")).texts == ["Whole."]
    assert await service.read_messages() == [
        ("user", "What caused this error?"),
        ("assistant", "Half an \n\n(stopped)"),
        ("user", "And now?"),
        ("assistant", "Whole."),
    ]


async def test_a_client_that_leaves_before_the_first_byte_frees_the_conversation(
    service: Service,
) -> None:
    service.chat.scripts = [[asyncio.Event()], answer("Whole.")]
    asking = asyncio.create_task(service.ask())
    await service.chat.asked.wait()
    asking.cancel()
    await wait_until(lambda: service.switches.chats.running == 0)
    assert (await service.ask("Again?")).texts == ["Whole."]


async def test_a_call_cut_by_stop_is_answered_as_cancelled_for_the_model(
    service: Service,
) -> None:
    too_long = {
        "id": span_id(3),
        "trace_id": TRACE_ID,
        "project_name": "shop",
        "output": "x" * 20_000,
    }
    service.standin.records.put_spans([too_long])
    service.switches.faults.append(
        Fault(Delay(30), path=f"/v1/private/spans/{span_id(3)}", method="GET", times=1)
    )
    call = ("get_span_details", f'{{"span_id": "{span_id(3)}", "include_output": true}}')
    service.chat.scripts = [calling(call, status="Let me look."), answer("Whole.")]
    async with service.asking() as stream:
        await stream.until(lambda each: each.reader.rows)
    await service.ask("Again?")
    messages = service.chat.requests[-1]["messages"]
    answers = [each["content"] for each in messages if each["role"] == "tool"]
    assert answers == ["[cancelled before there was a result]"]
    assert any("stopped this answer" in str(each["content"]) for each in messages)


async def test_a_reply_stopped_midway_is_counted_with_an_estimate_of_its_tokens(
    tmp_path: Path,
) -> None:
    async with observed(tmp_path, workspace_tokens_per_day=1) as running:
        with structlog.testing.capture_logs() as logs:
            running.plays([text("Half an answer "), asyncio.Event()])
            async with running.service.asking() as stream:
                await stream.until(a_text)
            trace, spans = await running.arrived()
        refused = await running.service.ask("And now?")
        sent = running.service.chat.requests[0]["messages"]
    assert refused.error is not None
    assert "used up its 1 tokens of today" in refused.error
    with contextlib.closing(sqlite3.connect(tmp_path / "observed.db")) as db:
        row = db.execute(
            "select state, prompt_tokens, completion_tokens from opik_assist_turns"
        ).fetchone()
        (charged,) = db.execute("select tokens from opik_assist_admissions").fetchone()
    prompt = sum(len(each["content"]) for each in sent) // 3
    completion = len("Half an answer ") // 3
    assert row == ("cancelled", prompt, completion)
    assert charged == prompt + completion
    (line,) = [each for each in logs if each["event"] == "turn_ended"]
    assert (line["prompt_tokens"], line["completion_tokens"]) == (prompt, completion)
    assert line["tokens_estimated"] is True
    facts = trace["metadata"]
    assert (facts["prompt_tokens"], facts["completion_tokens"]) == (prompt, completion)
    (call,) = [each for each in spans if each["name"] == "model_reply"]
    assert call["usage"]["total_tokens"] == prompt + completion
    assert call["metadata"]["usage"] == "estimated"


async def test_a_second_question_waits_for_a_stop_that_is_on_its_way(service: Service) -> None:
    service.chat.scripts = [[text("Long "), asyncio.Event()], answer("Second.")]
    async with service.asking() as stream:
        await stream.until(a_text)
        second = asyncio.create_task(service.ask("Second?"))
        await wait_until(lambda: len(service.switches.requests("GET", _TRACE)) > _ASKED_ONCE)
    assert (await second).texts == ["Second."]


async def test_a_second_question_while_the_first_is_answered_is_refused(
    service: Service,
) -> None:
    service.chat.scripts = [[text("Long "), asyncio.Event()], answer("Second.")]
    async with service.asking() as stream:
        await stream.until(a_text)
        refused = await service.ask("Second?")
        assert refused.error is not None
        assert refused.error.startswith("This conversation is still answering; stop it or wait.")
        by_program = service.question("Second?", headers={"Accept": "application/json"})
        status = await service.http.send(by_program)
        assert (status.status_code, status.json()["code"]) == (409, "busy")
    assert len(service.chat.requests) == 1


async def test_silence_is_broken_by_comment_lines(database_uri: str) -> None:
    async with running(database_uri, heartbeat_seconds=0.05) as service:
        gate = asyncio.Event()
        service.chat.scripts = [[gate, *answer("At last.")]]
        async with service.asking() as stream:
            await stream.until(lambda each: each.bytes.count(b": ping\n\n") == 2)
            gate.set()
            assert (await stream.rest()).texts == ["At last."]


async def test_a_running_turn_shows_what_is_stored_so_far(service: Service) -> None:
    gate = asyncio.Event()
    call = ("get_span_details", f'{{"span_id": "{span_id(3)}"}}')
    service.chat.scripts = [calling(call, status="Let me look."), [gate, *answer("Done.")]]
    async with service.asking() as stream:
        await wait_until(lambda: len(service.chat.requests) == 2)
        assert [role for role, _ in await service.read_messages()] == [
            "user",
            "assistant",
            "assistant",
        ]
        gate.set()
        assert (await stream.rest()).texts == ["Let me look.", "Done."]


async def test_deleting_ends_the_running_turn_and_nothing_of_it_comes_back(
    service: Service,
) -> None:
    service.chat.scripts = [[text("Long "), asyncio.Event()], answer("Fresh.")]
    async with service.asking() as stream:
        await stream.until(a_text)
        assert (await service.http.delete(service.session())).status_code == 200
        await stream.rest()
    await wait_until(lambda: service.switches.chats.running == 0)
    assert (await service.http.get(service.session())).status_code == 404
    await service.ask("Fresh?")
    assert await service.read_messages() == [("user", "Fresh?"), ("assistant", "Fresh.")]


async def test_deleting_on_one_process_ends_the_turn_of_another(service: Service) -> None:
    service.chat.scripts = [[text("Long "), asyncio.Event()], answer("Fresh.")]
    async with service_at(service.backend, service.database_uri, lease_seconds=0.4) as other:
        request = service.question()
        request.url = httpx.URL(str(request.url).replace(service.url, other))
        stream = Stream(await service.http.send(request, stream=True))
        await stream.until(a_text)
        assert (await service.http.delete(service.session())).status_code == 200
        reader = await stream.rest()
        assert reader.error is not None
        assert "deleted" in reader.error
    assert (await service.http.get(service.session())).status_code == 404


async def test_a_turn_whose_process_died_reads_as_interrupted_and_the_next_one_works(
    service: Service, store: Any
) -> None:
    await service.ask("First?")
    owner = await _owner(store)
    dead = str(uuid4())
    started = EventEntry(str(uuid4()), TurnStarted(question="Second?"))
    start = TurnStart(dead, started, 0.01, "m", Quotas())
    conversation = await store.begin_turn(owner, TRACE_ID, start)
    reply = ReplyCompleted(bubble="b", text="Half an answer")
    await store.append(TurnKey(conversation.id, dead), [EventEntry(str(uuid4()), reply)])
    service.chat.scripts = [answer("Third.")]
    assert (await service.ask("Third?")).texts == ["Third."]
    assert (await service.read_messages())[2:] == [
        ("user", "Second?"),
        ("assistant", "Half an answer\n\n(interrupted)"),
        ("user", "Third?"),
        ("assistant", "Third."),
    ]
    texts = [str(each["content"]) for each in service.chat.requests[-1]["messages"]]
    assert any("interrupted" in each for each in texts)


async def test_a_slow_model_does_not_lose_its_lease(database_uri: str) -> None:
    async with running(database_uri, lease_seconds=0.4, busy_wait_seconds=1.2) as service:
        gate = asyncio.Event()
        service.chat.scripts = [[text("Slow "), gate, *answer("but sure.")]]
        async with service.asking() as stream:
            await stream.until(a_text)
            refused = await service.ask("Me too?")
            assert refused.error is not None
            gate.set()
            reader = await stream.rest()
            assert reader.error is None
        assert (await service.read_messages())[-1] == ("assistant", "Slow but sure.")


async def test_too_many_questions_at_once_are_refused_with_a_message(database_uri: str) -> None:
    async with running(database_uri, concurrent_turns=1) as service:
        service.chat.scripts = [[text("Long "), asyncio.Event()]]
        async with service.asking() as stream:
            await stream.until(a_text)
            refused = await service.ask("Me too?")
            assert refused.error is not None
            assert refused.error.startswith("Too many questions")
            by_program = service.question("x", headers={"Accept": "application/json"})
            assert (await service.http.send(by_program)).status_code == 429


async def test_turns_that_ended_in_any_way_leave_nothing_behind(service: Service) -> None:
    await service.ask()
    before = len(asyncio.all_tasks())
    for _ in range(3):
        service.chat.scripts = [[text("Half "), asyncio.Event()]]
        async with service.asking() as stream:
            await stream.until(a_text)
        await wait_until(lambda: service.switches.chats.running == 0)
        service.chat.scripts = [answer("Whole.")]
        await service.ask()
    await wait_until(lambda: len(asyncio.all_tasks()) <= before)


_TRACE = f"/v1/private/traces/{TRACE_ID}"
_ASKED_ONCE = 1


async def _owner(store: Any) -> Any:
    async with store._transactions._engine.connect() as db:
        row = (await db.execute(sessions.select())).one()
    return Owner(row.workspace, row.owner)
