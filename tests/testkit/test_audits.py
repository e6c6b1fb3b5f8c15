"""An audit that finds nothing must have looked: every damage is reported."""
# ruff: noqa: S608 - the statements hold our own tables' names

import asyncio
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.db.schema import PREFIX
from app.events import TurnPlace
from testkit import databases
from testkit.audits.clients import AskedQuestion, DeletedConversation, find_client_faults
from testkit.audits.log import LoggedConversation, find_log_faults, read_log
from testkit.audits.places import CreatedConversation, find_place_faults
from testkit.scripted_chat import answer, calling
from testkit.service import OTHER_TRACE_ID, TRACE_ID, Service, record_trace, running, span_id

_EVENTS, _TURNS, _SESSIONS = (f"{PREFIX}{name}" for name in ("events", "turns", "sessions"))


async def _ask_questions(service: Service, question: str, **more: Any) -> AskedQuestion:
    asked = AskedQuestion(more.get("trace_id", TRACE_ID), question, time.monotonic())
    reader = await service.ask(question, **more)
    asked.frames, asked.ended, asked.whole = reader.frames, time.monotonic(), True
    return asked


async def _two_turns(uri: str) -> list[AskedQuestion]:
    call = ("get_span_details", f'{{"span_id": "{span_id(3)}"}}')
    async with running(uri) as service:
        record_trace(service.standin, OTHER_TRACE_ID)
        service.chat.scripts = [calling(call, status="Let me look."), answer("It was ", "late.")]
        first = await _ask_questions(service, "First?")
        second = await _ask_questions(service, "Second?")
        return [first, second, await _ask_questions(service, "Elsewhere?", trace_id=OTHER_TRACE_ID)]


@pytest.fixture(scope="module")
def _recorded_run(_migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("recorded") / "recorded.db"
    shutil.copy(_migrated_sqlite, path)
    return path, asyncio.run(_two_turns(f"sqlite:///{path}"))


@pytest.fixture
def recorded(
    _recorded_run: tuple[Path, list[AskedQuestion]], tmp_path: Path
) -> tuple[str, list[AskedQuestion]]:
    """The address of a database with three turns, and what their clients saw."""
    path, asked = _recorded_run
    shutil.copy(path, tmp_path / "copy.db")
    return f"sqlite:///{tmp_path / 'copy.db'}", asked


async def _read_log(uri: str) -> list[LoggedConversation]:
    async with databases.open_engine(uri) as engine:
        return await read_log(engine)


async def test_a_correct_run_has_no_faults(database_uri: str) -> None:
    asked = await _two_turns(database_uri)
    log = await _read_log(database_uri)
    assert [len(each.turns) for each in log] == [2, 1]
    assert find_log_faults(log) == []
    assert find_client_faults(log, asked) == []
    assert find_place_faults(log, asked) == []


_FIRST = f"turn_id = (SELECT turn_id FROM {_EVENTS} WHERE payload LIKE '%First?%')"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (f"UPDATE {_SESSIONS} SET active_turn_id = 'x'", "holds its lease"),
        (f"DELETE FROM {_EVENTS} WHERE type = 'tool_completed'", "gaps"),
        (f"DELETE FROM {_EVENTS} WHERE type = 'tool_completed'", "without answers"),
        (f"UPDATE {_SESSIONS} SET next_sequence = 3", "next sequence is 3"),
        (f"UPDATE {_EVENTS} SET sequence = 99 WHERE type = 'turn_started' AND {_FIRST}", "inter"),
        (f"DELETE FROM {_EVENTS} WHERE {_FIRST}", "has a row and no events"),
        (f"DELETE FROM {_TURNS}", "has events and no row"),
        (f"DELETE FROM {_EVENTS} WHERE type = 'turn_started'", "one turn_started"),
        (f"DELETE FROM {_EVENTS} WHERE type = 'turn_finished'", "one terminal event"),
        (f"UPDATE {_TURNS} SET state = 'failed'", "has the state failed"),
        (f"UPDATE {_TURNS} SET ended_at = NULL", "ran from"),
        (f"UPDATE {_TURNS} SET prompt_tokens = 7", "has 7 prompt_tokens"),
        (f"UPDATE {_TURNS} SET prompt_tokens = 10000000", "has 10000000 prompt_tokens"),
        (f"UPDATE {_TURNS} SET parent_turn_id = 'x'", "follows x, which is no earlier turn"),
        (f"UPDATE {_TURNS} SET started_at = '2020-01-01 00:00:00.000000'", "began before"),
        (
            f"UPDATE {_EVENTS} SET sequence = -1 WHERE type = 'tool_completed'",
            "answered before it was asked",
        ),
    ],
)
async def test_a_damaged_table_is_reported(
    recorded: tuple[str, list[AskedQuestion]], damage: str, words: str
) -> None:
    uri, _ = recorded
    async with databases.open_engine(uri) as engine, engine.begin() as db:
        await db.execute(text(damage))
    assert any(words in fault for fault in find_log_faults(await _read_log(uri)))


def _drop_frames(kind: str) -> Callable[[AskedQuestion], AskedQuestion]:
    return lambda asked: replace(
        asked, frames=[each for each in asked.frames if each["message_type"] != kind]
    )


def _reword_texts(partial: bool) -> Callable[[AskedQuestion], AskedQuestion]:
    def reword(asked: AskedQuestion) -> AskedQuestion:
        other = {"content": {"parts": [{"text": "something else"}]}}
        return replace(
            asked,
            frames=[
                each | other if each.get("partial") is partial else each for each in asked.frames
            ],
        )

    return reword


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda asked: replace(asked, question="Zeroth?"), "was answered and is lost"),
        (lambda asked: replace(asked, question="Zeroth?"), "was asked by no client"),
        (lambda asked: replace(asked, trace_id=OTHER_TRACE_ID), "is in the conversation of"),
        (lambda asked: replace(asked, owner="user:bob"), "is in the conversation of"),
        (_drop_frames("tool_complete"), "showed"),
        (_drop_frames("usage"), "was sent the usage []"),
        (_reword_texts(True), "in pieces"),
        (_reword_texts(False), "showed 'something else'"),
        (lambda asked: replace(asked, frames=asked.frames * 2), "showed"),
        (
            lambda asked: replace(asked, frames=[*asked.frames, {"error": "!", "code": "cut"}]),
            "failed by cut",
        ),
        (
            lambda asked: replace(asked, frames=[*asked.frames, {"invocationId": "another"}]),
            "frames of the turns",
        ),
        (lambda asked: replace(asked, began=asked.ended + 60, ended=asked.ended + 61), "before"),
    ],
)
async def test_an_answer_that_differs_from_the_log_is_reported(
    recorded: tuple[str, list[AskedQuestion]],
    damage: Callable[[AskedQuestion], AskedQuestion],
    words: str,
) -> None:
    uri, (first, *others) = recorded
    log = await _read_log(uri)
    faults = find_client_faults(log, [damage(first), *others])
    assert any(words in fault for fault in faults)


async def test_a_bubble_that_only_an_error_replaces_is_in_no_log(
    recorded: tuple[str, list[AskedQuestion]],
) -> None:
    uri, (first, *others) = recorded
    text = next(each for each in first.frames if each.get("partial"))
    opened = text | {"id": "another", "content": {"parts": [{"text": "…"}]}}
    shown = replace(first, frames=[*first.frames, opened])
    assert find_client_faults(await _read_log(uri), [shown, *others]) == []


async def test_a_question_of_a_deleted_conversation_may_be_gone_and_must_not_come_back(
    recorded: tuple[str, list[AskedQuestion]],
) -> None:
    uri, asked = recorded
    log = await _read_log(uri)
    deleted = DeletedConversation(TRACE_ID, asked[1].ended, asked[1].ended, certain=True)
    gone = [each for each in log if each.row.trace_id != TRACE_ID]
    assert find_client_faults(gone, asked, [deleted]) == []
    faults = find_client_faults(log, asked, [deleted])
    assert [fault.split(":")[0] for fault in faults] == ["First?", "Second?"]
    assert "came back" in faults[0]


async def test_a_question_in_a_named_place_is_found_there(migrated_sqlite_uri: str) -> None:
    async with running(migrated_sqlite_uri) as service:
        first = await _ask_questions(service, "First?")
        (turn_id,) = first.turn_ids
        await _ask_questions(service, "Second?")
        edited = await _ask_questions(service, "First, edited?", replaces=turn_id)
    log = await _read_log(migrated_sqlite_uri)
    asked = [first, replace(edited, place=TurnPlace(replaces=turn_id))]
    assert find_log_faults(log) == []
    assert find_place_faults(log, asked) == []
    assert "follows turn None, not" in find_place_faults(log, [edited])[0]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (TurnPlace(conversation_id="another"), "was asked in conversation another"),
        (TurnPlace(replaces="another"), "replaces turn another of another conversation"),
        (TurnPlace(after="another"), "not another"),
    ],
)
async def test_a_question_in_another_place_than_the_named_one_is_reported(
    recorded: tuple[str, list[AskedQuestion]], place: TurnPlace, words: str
) -> None:
    uri, (_, second, _) = recorded
    (fault,) = find_place_faults(await _read_log(uri), [replace(second, place=place)])
    assert words in fault


async def test_a_question_in_an_older_conversation_than_the_current_one_is_reported(
    recorded: tuple[str, list[AskedQuestion]],
) -> None:
    uri, asked = recorded
    log = await _read_log(uri)
    created = CreatedConversation(TRACE_ID, "newer", number=2, ended=asked[0].ended)
    (fault,) = find_place_faults(log, asked, created=[created])
    assert fault.startswith("Second?")
    assert "newer was created before" in fault
    gone = DeletedConversation(TRACE_ID, created.ended, created.ended, True, "", "newer")
    assert find_place_faults(log, asked, [gone], [created]) == []


@pytest.mark.parametrize(
    "refused", [{"not_found": True}, {"frames": [{"error": "!", "code": "not_found"}]}]
)
def test_a_place_that_nobody_deleted_must_be_found(refused: dict[str, Any]) -> None:
    asked = AskedQuestion("trace", "Where?", 1, 2, **refused)
    earlier = DeletedConversation("trace", -2, -1, certain=True)
    assert len(find_place_faults([], [asked], [earlier])) == 1
    assert find_place_faults([], [asked], [replace(earlier, ended=1)]) == []
