"""Conversations of the replaced service are imported, and its tables stay as they are."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import anyio.to_thread
import pytest
from click.testing import CliRunner, Result

from app.caller import Owner
from app.cli import cli
from app.db.engine import create_engine
from app.db.event_rows import EventEntry
from app.db.quotas import Quotas
from app.db.store import Store
from app.db.turn_log import Conversation, TurnStart
from app.events import (
    LoggedEvent,
    ReplyCompleted,
    ToolCompleted,
    TurnFailed,
    TurnFinished,
    TurnInterrupted,
    TurnStarted,
)
from app.settings import database_url
from standin.switches import UserAccount
from testkit import credentials
from testkit.service import TRACE_ID, record_trace, running
from tests.adk_import.old_tables import (
    STARTED,
    VERSIONS,
    OldEvent,
    OldTables,
    ask,
    call,
    reply,
    result,
)

TRACE = "0193f000-0000-7000-8000-00000000a001"
EVERYBODY = Owner("default", "anonymous")
SETUP = OldEvent("session_setup", "system")
FIRST_TURN = [
    ask("e-1", "Why did it fail?", 1),
    reply("e-1", {"text": "Reading."}, call("get_span_details", {"span_id": "s"}), seconds=2),
    reply("e-1", result("get_span_details", {"output": "KeyError"}), seconds=3),
    reply(
        "e-1",
        {"text": "Some reasoning.", "thought": True},
        {"text": "A **KeyError** in `lookup`."},
        seconds=4,
        usage_metadata={"prompt_token_count": 900, "candidates_token_count": 30},
    ),
]
SECOND_TURN = [ask("e-2", "And the cost?", 60), reply("e-2", {"text": "$0.02."}, seconds=61)]


@dataclass
class Import:
    """The old tables, the database of the service, and the command between them."""

    old: OldTables
    uri: str
    monkeypatch: pytest.MonkeyPatch

    async def run(self) -> str:
        """What the command prints; it must succeed."""
        ended = await self.try_run()
        assert (ended.exit_code, ended.exception) == (0, None), ended.output
        return ended.output

    async def try_run(self) -> Result:
        self.monkeypatch.setenv("SESSION_SERVICE_URI", self.uri)
        arguments = ["import-adk", "--from", self.old.uri]
        return await anyio.to_thread.run_sync(CliRunner().invoke, cli, arguments)

    async def read(self, owner: Owner = EVERYBODY, trace: str = TRACE) -> list[LoggedEvent]:
        async with self.store() as store:
            found = await store.find(owner, trace)
            return [] if found is None else list(await store.events(found.id))

    async def find(self, owner: Owner = EVERYBODY, trace: str = TRACE) -> Conversation | None:
        async with self.store() as store:
            return await store.find(owner, trace)

    def store(self) -> "OpenStore":
        return OpenStore(self.uri)


class OpenStore:
    def __init__(self, uri: str) -> None:
        self.engine = create_engine(database_url(uri), pool_recycle=-1)

    async def __aenter__(self) -> Store:
        return Store(self.engine)

    async def __aexit__(self, *_: object) -> None:
        await self.engine.dispose()


@pytest.fixture(params=VERSIONS)
async def each_version(
    request: pytest.FixtureRequest,
    migrated_sqlite_uri: str,
    empty_mysql_uri: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Import:
    old = OldTables(empty_mysql_uri, request.param)
    await old.create()
    return Import(old, migrated_sqlite_uri, monkeypatch)


@pytest.fixture
async def latest(
    migrated_sqlite_uri: str, empty_mysql_uri: str, monkeypatch: pytest.MonkeyPatch
) -> Import:
    old = OldTables(empty_mysql_uri, VERSIONS[-1])
    await old.create()
    return Import(old, migrated_sqlite_uri, monkeypatch)


async def test_questions_answers_calls_times_and_tokens_are_imported(each_version: Import) -> None:
    await each_version.old.add_session(TRACE, [SETUP, *FIRST_TURN, *SECOND_TURN])
    before = await each_version.old.dump()
    assert "1 conversations imported" in await each_version.run()
    log = await each_version.read()
    assert [type(each.event) for each in log] == [
        TurnStarted,
        ReplyCompleted,
        ToolCompleted,
        ReplyCompleted,
        TurnFinished,
        TurnStarted,
        ReplyCompleted,
        TurnFinished,
    ]
    question, looked, found, answer = (each.event for each in log[:4])
    assert isinstance(question, TurnStarted)
    assert question.question == "Why did it fail?"
    assert isinstance(looked, ReplyCompleted)
    assert looked.calls[0].arguments == '{"span_id": "s"}'
    assert looked.calls[0].display_name == "Get span details"
    assert isinstance(found, ToolCompleted)
    assert (found.call_id, "KeyError" in found.text) == (looked.calls[0].id, True)
    assert isinstance(answer, ReplyCompleted)
    assert answer.text == "A **KeyError** in `lookup`."
    assert log[0].created_at == STARTED + timedelta(seconds=1)
    assert await each_version.old.dump() == before


async def test_both_may_be_in_one_database(
    migrated_mysql_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = OldTables(migrated_mysql_uri, "1.25")
    await old.create()
    try:
        both = Import(old, migrated_mysql_uri, monkeypatch)
        for number in range(3):
            await old.add_session(
                f"{TRACE[:-1]}{number}",
                [ask("e-1", f"Why {number}?"), reply("e-1", {"text": "So."})],
            )
        before = await old.dump()
        assert "3 conversations imported" in await both.run()
        assert "3 were there already" in await both.run()
        assert len(await both.read(trace=f"{TRACE[:-1]}2")) == 3
        assert await old.dump() == before
    finally:
        for table in ("events", "sessions"):
            await old.execute(f"DROP TABLE {table}")


async def test_a_second_import_adds_only_what_is_new(latest: Import) -> None:
    await latest.old.add_session(TRACE, FIRST_TURN)
    await latest.run()
    first = await latest.read()
    assert "1 were there already" in await latest.run()
    assert await latest.read() == first
    await latest.old.add_events(f"opik-ai-trace-analyzer-{TRACE}", SECOND_TURN)
    assert "0 conversations imported, 1 extended" in await latest.run()
    both = await latest.read()
    assert both[: len(first)] == first
    assert [each.sequence for each in both] == list(range(1, len(both) + 1))
    assert [type(each.event) for each in both[len(first) :]] == [
        TurnStarted,
        ReplyCompleted,
        TurnFinished,
    ]


async def test_a_conversation_that_went_on_here_is_left_alone(latest: Import) -> None:
    await latest.old.add_session(TRACE, FIRST_TURN)
    await latest.run()
    async with latest.store() as store:
        started = EventEntry(str(uuid4()), TurnStarted(question="Here?"))
        await store.begin_turn(
            EVERYBODY, TRACE, TurnStart(str(uuid4()), started, 60, "m", Quotas())
        )
    before = await latest.read()
    await latest.old.add_events(f"opik-ai-trace-analyzer-{TRACE}", SECOND_TURN)
    assert "1 left as they are: they go on in the service" in await latest.run()
    assert await latest.read() == before


async def test_an_own_conversation_stays_the_current_one(latest: Import) -> None:
    async with latest.store() as store:
        started = EventEntry(str(uuid4()), TurnStarted(question="Mine"))
        own = await store.begin_turn(
            EVERYBODY, TRACE, TurnStart(str(uuid4()), started, 60, "m", Quotas())
        )
    await latest.old.add_session(TRACE, FIRST_TURN)
    await latest.run()
    current = await latest.find()
    assert current is not None
    assert own is not None
    assert current.id == own.id


@pytest.mark.parametrize(
    ("last", "ending"),
    [
        (reply("e-1", {"text": "Done."}), TurnFinished()),
        (reply("e-1", call("get_span_details", {})), TurnInterrupted()),
        (
            reply("e-1", error_code="RATE_LIMIT", error_message="Slow down."),
            TurnFailed(code="imported", message="Slow down."),
        ),
    ],
)
async def test_each_turn_has_one_end(latest: Import, last: OldEvent, ending: object) -> None:
    await latest.old.add_session(TRACE, [ask("e-1", "Why?"), last])
    await latest.run()
    assert (await latest.read())[-1].event == ending


async def test_what_cannot_be_imported_is_reported_with_its_reason(latest: Import) -> None:
    broken = [
        OldEvent("e-1", "data_analyzer", [{"text": "x"}], more={"timestamp": time})
        for time in ("yesterday", 1e20)
    ]
    other = "0193f000-0000-7000-8000-00000000a002"
    await latest.old.add_session(TRACE, [ask("e-1", "Why?"), *broken])
    await latest.old.add_session(other, [SETUP])
    await latest.old.add_session("../../etc", FIRST_TURN)
    await latest.old.add_session(other, SECOND_TURN, app_name="another-program")
    printed = await latest.run()
    assert "1 conversations imported" in printed
    assert "1 sessions left out: nothing was asked" in printed
    assert "1 sessions left out: the session names no trace" in printed
    assert "2 events left out: no known form of ADK's" in printed


async def test_a_database_without_old_tables_is_named(
    migrated_sqlite_uri: str, empty_mysql_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = OldTables(empty_mysql_uri, "1.25")
    ended = await Import(old, migrated_sqlite_uri, monkeypatch).try_run()
    assert ended.exit_code == 1
    assert "this database holds no conversations of Google's ADK" in str(ended.exception)


async def test_an_error_of_the_old_database_is_a_sentence(latest: Import) -> None:
    await latest.old.add_session(TRACE, FIRST_TURN)
    await latest.old.execute("ALTER TABLE sessions DROP COLUMN state")
    ended = await latest.try_run()
    assert ended.exit_code == 1
    assert str(ended.exception).startswith("--from: ")
    assert "state" in str(ended.exception)


async def test_only_the_owner_of_the_session_token_sees_what_was_imported(latest: Import) -> None:
    user = hashlib.sha256(credentials.ANNA.encode()).hexdigest()[:16]
    await latest.old.add_session(TRACE_ID, FIRST_TURN, user=user)
    await latest.run()
    async with running(latest.uri) as service:
        record_trace(service.standin, workspace="acme")
        service.switches.accounts = {
            credentials.ANNA: UserAccount("anna", frozenset({"acme"})),
            credentials.BOB: UserAccount("bob", frozenset({"acme"})),
        }
        service.headers = cookie(credentials.BOB)
        answer = await service.http.get(service.session(), headers=service.headers)
        assert answer.status_code == 404
        service.headers = cookie(credentials.ANNA)
        shown = await service.read_messages()
        assert shown[0] == ("user", "Why did it fail?")
        reader = await service.ask("And now?")
        assert reader.error is None
        assert "A **KeyError**" in str(service.chat.requests[-1]["messages"])
        assert (await service.read_messages())[: len(shown)] == shown


def cookie(token: str) -> dict[str, str]:
    return {"Cookie": f"sessionToken={token}", "Comet-Workspace": "acme"}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("sqlite:///old.db", "--from must start with mysql://"),
        ("postgresql://x/y", "--from must start with mysql://"),
        ("mysql://nobody:wrong@127.0.0.1:1/none", "--from: "),
    ],
)
def test_a_database_that_cannot_be_read_is_named(
    source: str, message: str, migrated_sqlite_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SESSION_SERVICE_URI", migrated_sqlite_uri)
    ended = CliRunner().invoke(cli, ["import-adk", "--from", source])
    assert ended.exit_code == 1
    assert str(ended.exception).startswith(message)
    assert "wrong" not in str(ended.exception)
