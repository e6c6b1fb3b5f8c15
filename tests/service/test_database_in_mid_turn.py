"""What a user sees of a turn whose database goes away while it answers, and what is kept."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog

from standin.chat import text
from testkit import databases
from testkit.scripted_chat import answer, calling
from testkit.service import Service, Stream, running, span_id

LOOK = ("get_span_details", f'{{"span_id": "{span_id(3)}"}}')
WHOLE = ["Let me look.", "It was the tool."]


@pytest.fixture
def mortal_uri(private_server: databases.PrivateServer) -> Iterator[str]:
    uri = databases.create_database(private_server.uri("information_schema"))
    databases.migrate(uri)
    yield uri
    databases.drop_database(uri)


@pytest.fixture
async def service(mortal_uri: str) -> Any:
    async with running(mortal_uri, end_seconds=0.2, lease_seconds=1) as service:
        yield service


class Halves:
    """An answer in two replies, a tool call between them, each reply held back in its middle."""

    def __init__(self, service: Service) -> None:
        self.first, self.second = asyncio.Event(), asyncio.Event()
        service.chat.scripts = [
            [text("Let me "), self.first, *calling(LOOK, status="look.")],
            [text("It was "), self.second, *answer("the tool.")],
        ]


@asynccontextmanager
async def answering(service: Service) -> AsyncIterator[tuple[Stream, Halves]]:
    """A question whose first reply has begun."""
    halves = Halves(service)
    async with service.asking() as stream:
        await stream.until(lambda each: each.reader.texts == ["Let me "])
        yield stream, halves


def in_the_second_reply(stream: Stream) -> bool:
    return stream.reader.texts[1:] == ["It was "]


async def test_an_outage_within_a_turn_goes_unnoticed_and_leaves_the_whole_log(
    service: Service, private_server: databases.PrivateServer
) -> None:
    async with answering(service) as (stream, halves):
        private_server.kill()
        try:
            halves.first.set()
            await stream.until(in_the_second_reply)
        finally:
            private_server.start()
        halves.second.set()
        reader = await stream.rest()

    assert (reader.texts, reader.error) == (WHOLE, None)
    assert [row.completed for row in reader.rows] == [True]
    question, status, rows, last = await service.read_messages()
    assert question == ("user", "What caused this error?")
    assert [status[1], last[1]] == WHOLE
    assert "span" in rows[1]
    assert (await service.ask("And now?")).error is None


async def test_an_outage_longer_than_a_turn_leaves_the_whole_answer_with_a_note(
    service: Service, private_server: databases.PrivateServer
) -> None:
    with structlog.testing.capture_logs() as logs:
        async with answering(service) as (stream, halves):
            private_server.kill()
            try:
                halves.first.set()
                halves.second.set()
                reader = await stream.rest()
            finally:
                private_server.start()

    assert reader.texts[:2] == WHOLE
    assert reader.error is not None
    assert reader.error == reader.texts[-1]
    assert "complete" in reader.error
    assert "reload" in reader.error
    failures = [each for each in logs if each["event"] == "turn_storage_failed"]
    assert [each["events"] for each in failures] == [7]
    assert "Let me" not in str(logs)
    assert (await service.ask("And now?")).error is None
    assert [content for _, content in await service.read_messages()][:3] == [
        "What caused this error?",
        "(interrupted)",
        "And now?",
    ]


async def test_connections_that_are_killed_within_a_turn_cost_nothing(
    service: Service, mortal_uri: str
) -> None:
    async with answering(service) as (stream, halves):
        await _kill_connections(mortal_uri)
        halves.first.set()
        await stream.until(in_the_second_reply)
        await _kill_connections(mortal_uri)
        halves.second.set()
        reader = await stream.rest()

    assert (reader.texts, reader.error) == (WHOLE, None)
    assert len(await service.read_messages()) == 4


async def _kill_connections(uri: str) -> None:
    async with databases.open_engine(uri) as engine, engine.connect() as db:
        found = await db.exec_driver_sql(
            "SELECT id FROM information_schema.processlist"
            " WHERE db = DATABASE() AND id <> CONNECTION_ID()"
        )
        ids = [row.id for row in found]
        assert ids
        for each in ids:
            await db.exec_driver_sql(f"KILL {int(each)}")
