"""Checks the tables: each conversation's log is complete, in order and closed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.db.schema import events, sessions, turns
from app.events import (
    AliasesAssigned,
    LoggedEvent,
    ReplyCompleted,
    TerminalEvent,
    ToolCompleted,
    TurnCancelled,
    TurnFailed,
    TurnFinished,
    TurnInterrupted,
    TurnStarted,
    load_event,
)

_STATES: dict[type, str] = {
    TurnFinished: "finished",
    TurnFailed: "failed",
    TurnCancelled: "cancelled",
    TurnInterrupted: "interrupted",
}
_COUNTS = ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens")


@dataclass(frozen=True, slots=True)
class LoggedTurn:
    """One turn: its row in the table (None where it has none), and its events in order."""

    id: str
    row: Any
    events: Sequence[LoggedEvent]

    @property
    def question(self) -> str:
        first = self.events[0].event
        return first.question if isinstance(first, TurnStarted) else ""

    @property
    def ending(self) -> TerminalEvent | None:
        last = self.events[-1].event
        return last if isinstance(last, TerminalEvent) else None

    @property
    def replies(self) -> list[ReplyCompleted]:
        return [each.event for each in self.events if isinstance(each.event, ReplyCompleted)]


@dataclass(frozen=True, slots=True)
class LoggedConversation:
    """A row of the sessions, its rows of turns by id, and its events in order."""

    row: Any
    rows: dict[str, Any]
    events: Sequence[LoggedEvent]

    @property
    def turns(self) -> list[LoggedTurn]:
        """The runs of events of one turn; a turn that comes twice was interleaved."""
        runs = groupby(self.events, key=lambda each: each.turn_id)
        return [LoggedTurn(turn_id, self.rows.get(turn_id), list(run)) for turn_id, run in runs]


async def read_log(engine: AsyncEngine) -> list[LoggedConversation]:
    """All conversations of a database."""
    async with engine.begin() as db:
        by_session: dict[str, list[LoggedEvent]] = {}
        for row in await _read_rows(db, events, order=events.c.sequence):
            logged = LoggedEvent(
                row.id, row.sequence, row.turn_id, row.created_at, load_event(row.payload)
            )
            by_session.setdefault(row.session_id, []).append(logged)
        rows: dict[str, dict[str, Any]] = {}
        for row in await _read_rows(db, turns, order=turns.c.started_at):
            rows.setdefault(row.session_id, {})[row.id] = row
        return [
            LoggedConversation(row, rows.get(row.id, {}), by_session.get(row.id, []))
            for row in await _read_rows(db, sessions, order=sessions.c.created_at)
        ]


async def _read_rows(db: AsyncConnection, table: Any, *, order: Any) -> Sequence[Any]:
    return (await db.execute(select(table).order_by(order))).all()


def find_log_faults(log: Iterable[LoggedConversation]) -> list[str]:
    """What is wrong with conversations in which nothing runs any more, one line each."""
    return [
        f"conversation {conversation.row.id}: {fault}"
        for conversation in log
        for fault in _of_conversation(conversation)
    ]


def _of_conversation(conversation: LoggedConversation) -> Iterator[str]:
    row, logged = conversation.row, conversation.events
    if row.active_turn_id is not None:
        yield f"turn {row.active_turn_id} still holds its lease"
    sequences = [each.sequence for each in logged]
    if sequences != list(range(1, len(logged) + 1)):
        yield f"sequence with gaps or doubles: {sequences}"
    if row.next_sequence != len(logged) + 1:
        yield f"next sequence is {row.next_sequence} after {len(logged)} events"
    for turn_id, runs in Counter(turn.id for turn in conversation.turns).items():
        if runs > 1:
            yield f"turn {turn_id} is interleaved with another"
    for turn_id in conversation.rows.keys() - {turn.id for turn in conversation.turns}:
        yield f"turn {turn_id} has a row and no events"
    named = [
        id for each in logged if isinstance(each.event, AliasesAssigned) for id in each.event.ids
    ]
    if len(named) != len(set(named)):
        yield "a span was given two short names"
    yield from _find_duplicates(
        "bubble", (r.bubble for turn in conversation.turns for r in turn.replies)
    )
    for turn in conversation.turns:
        yield from (f"turn {turn.id}: {fault}" for fault in _of_turn(turn))
    yield from _find_disorder(conversation.turns)


def _find_disorder(turns: Sequence[LoggedTurn]) -> Iterator[str]:
    earlier: set[str | None] = {None}
    for turn in turns:
        if turn.row and turn.row.parent_turn_id not in earlier:
            yield f"turn {turn.id} follows {turn.row.parent_turn_id}, which is no earlier turn"
        earlier.add(turn.id)
    for before, after in pairwise(turns):
        ended_at = before.row and before.row.ended_at
        if after.row and ended_at and after.row.started_at < ended_at:
            yield f"turn {after.id} began before {before.id} had ended"


def _of_turn(turn: LoggedTurn) -> Iterator[str]:
    kinds = [type(each.event) for each in turn.events]
    if kinds[0] is not TurnStarted or kinds.count(TurnStarted) != 1:
        yield f"does not start with one turn_started: {_event_types(turn)}"
    endings = [kind for kind in kinds if kind in _STATES]
    if turn.ending is None or len(endings) != 1:
        yield f"does not end with one terminal event: {_event_types(turn)}"
    yield from _of_calls(turn)
    if turn.row is None:
        yield "has events and no row"
        return
    state = _STATES.get(type(turn.ending), "running")
    if turn.row.state != state:
        yield f"has the state {turn.row.state}, its events say {state}"
    if turn.row.ended_at is None or turn.row.ended_at < turn.row.started_at:
        yield f"ran from {turn.row.started_at} to {turn.row.ended_at}"
    yield from _of_tokens(turn)


def _of_tokens(turn: LoggedTurn) -> Iterator[str]:
    """The row counts what the replies report, and estimates for those that report nothing.

    A reply that was stopped before its first word is counted and stored as no event.
    """
    reported = [reply.usage for reply in turn.replies if reply.usage and reply.usage.total_tokens]
    exact = isinstance(turn.ending, TurnFinished) and len(reported) == len(turn.replies)
    for count in _COUNTS:
        counted, known = getattr(turn.row, count), sum(getattr(each, count) for each in reported)
        if counted < known or (exact and counted > known):
            yield f"has {counted} {count}, its replies {known}"


def _of_calls(turn: LoggedTurn) -> Iterator[str]:
    asked: set[str] = set()
    answered: list[str] = []
    for each in turn.events:
        if isinstance(each.event, ReplyCompleted):
            asked.update(call.id for call in each.event.calls)
        elif isinstance(each.event, ToolCompleted):
            answered.append(each.event.call_id)
            if each.event.call_id not in asked:
                yield f"call {each.event.call_id} is answered before it was asked"
    yield from _find_duplicates("answer to call", answered)
    if isinstance(turn.ending, TurnFinished) and asked - set(answered):
        yield f"finished without answers to {sorted(asked - set(answered))}"


def _find_duplicates(what: str, ids: Iterable[str]) -> Iterator[str]:
    for id, times in Counter(ids).items():
        if times > 1:
            yield f"{what} {id} is there {times} times"


def _event_types(turn: LoggedTurn) -> list[str]:
    return [each.event.type for each in turn.events]
