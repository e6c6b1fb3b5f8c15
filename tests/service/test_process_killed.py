"""A process that is killed in the middle of a turn, as by a power failure."""

import asyncio
import re
import signal
from functools import partial
from pathlib import Path

import anyio
import pytest

from app.db.schema import turns, utc_in
from standin.chat import text
from testkit import databases
from testkit.processes import service_process, serving_backend
from testkit.scripted_chat import answer, calling
from testkit.service import span_id


@pytest.mark.slow
async def test_a_killed_process_loses_no_complete_event_and_the_next_turn_knows(
    tmp_path: Path, database_uri: str
) -> None:
    call = ("get_span_details", f'{{"span_id": "{span_id(3)}"}}')
    scripts = [
        calling(call, status="Let me look."),
        [text("The order "), asyncio.Event()],
        answer("Back."),
    ]
    command = ("-m", "testkit.changed_service", "lease_seconds=2", "busy_wait_seconds=10")
    start = partial(service_process, command=command, SESSION_SERVICE_URI=database_uri)
    async with serving_backend(*scripts) as backend:
        async with start(backend, tmp_path) as (service, process):  # noqa: SIM117 - the stream closes before the process
            async with service.asking() as stream:
                await stream.until(lambda each: "The order " in each.reader.texts)
                await process.stop(signal.SIGKILL)
        async with start(backend, tmp_path) as (service, _):
            assert (await service.ask("Again?")).texts == ["Back."]
            messages = [words for _, words in await service.read_messages()]
    assert "Fetching span details" in messages.pop(2)
    assert messages == [
        "What caused this error?",
        "Let me look.",
        "(interrupted)",
        "Again?",
        "Back.",
    ]
    messages = backend.chat.requests[-1]["messages"]
    (result,) = [each["content"] for each in messages if each["role"] == "tool"]
    assert result.startswith("[get_span_details: ok")
    assert any("interrupted" in str(each["content"]) for each in messages)


@pytest.mark.slow
async def test_a_killed_turn_reads_as_interrupted_once_its_lease_ran_out(
    tmp_path: Path, database_uri: str
) -> None:
    command = ("-m", "testkit.changed_service", "lease_seconds=1")
    start = partial(service_process, command=command, SESSION_SERVICE_URI=database_uri)
    async with serving_backend([text("Endless "), asyncio.Event()]) as backend:
        async with start(backend, tmp_path) as (service, process):  # noqa: SIM117 - the stream closes before the process
            async with service.asking() as stream:
                await stream.until(lambda each: each.reader.texts)
                await process.stop(signal.SIGKILL)
        async with start(backend, tmp_path) as (service, _):
            with anyio.fail_after(60):
                while len(messages := await service.read_messages()) < 2:  # noqa: ASYNC110 - no event tells it
                    await asyncio.sleep(0.1)
    assert messages == [("user", "What caused this error?"), ("assistant", "(interrupted)")]


@pytest.mark.slow
async def test_words_of_a_killed_answer_are_kept_and_a_question_reads_when_it_can_be_asked(
    tmp_path: Path, database_uri: str
) -> None:
    command = ("-m", "testkit.changed_service", "lease_seconds=40", "busy_wait_seconds=0.1")
    start = partial(service_process, command=command, SESSION_SERVICE_URI=database_uri)
    streamed = [text("It was the "), text("tool that "), asyncio.Event()]
    async with serving_backend(streamed, answer("Back.")) as backend:
        async with start(backend, tmp_path) as (service, process):  # noqa: SIM117 - the stream closes before the process
            async with service.asking() as stream:
                await stream.until(lambda each: "".join(each.reader.texts).endswith("tool that "))
                with anyio.fail_after(60):
                    while (await service.read_messages())[1:] != [  # noqa: ASYNC110 - no event tells it
                        ("assistant", "It was the tool that ")
                    ]:
                        await asyncio.sleep(0.1)
                await process.stop(signal.SIGKILL)
        async with start(backend, tmp_path) as (service, _):
            refused = await service.ask("Again?")
            assert refused.error is not None
            assert re.match(
                r"The last answer was cut off; you can ask again in [1-9][0-9]? s\.", refused.error
            )
            async with databases.open_engine(database_uri) as engine, engine.begin() as db:
                await db.execute(turns.update().values(lease_until=utc_in(-1)))
            assert (await service.ask("Again?")).texts == ["Back."]
            messages = await service.read_messages()
    assert messages == [
        ("user", "What caused this error?"),
        ("assistant", "It was the tool that \n\n(interrupted)"),
        ("user", "Again?"),
        ("assistant", "Back."),
    ]
