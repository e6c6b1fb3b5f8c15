"""Reads the log of a conversation in pages, so that a long one holds up nothing else."""

from collections.abc import Set
from dataclasses import dataclass, replace
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy import Connection, and_, bindparam, func, select

from app.db.event_rows import TurnKey
from app.db.schema import events, turns
from app.db.transactions import Transactions
from app.db.turn_log import read_unfinished_reply
from app.events import LoggedEvent, TerminalEvent, load_event

_FIRST_ROWS = 50
"""More than a conversation of two or three questions has."""
_MOST_ROWS = 1_000
"""Of one query, however short they are: each has to be parsed."""
_PAGE_CHARACTERS = 250_000
"""Of one query: some milliseconds of the event loop, which parses them."""
_HIDDEN_TYPES = ("tool_completed", "spans_named", "context_shrunk")

log = structlog.get_logger(__name__)

_COLUMNS = (
    events.c.id,
    events.c.sequence,
    events.c.turn_id,
    events.c.created_at,
    events.c.payload,
    turns.c.parent_turn_id,
)
_IS_TURN_OF_EVENT = and_(turns.c.session_id == events.c.session_id, turns.c.id == events.c.turn_id)
_WITH_TURNS = events.outerjoin(turns, _IS_TURN_OF_EVENT)
_OF_CONVERSATION = events.c.session_id == bindparam("conversation")
_FORWARD = (
    select(*_COLUMNS)
    .select_from(_WITH_TURNS)
    .where(_OF_CONVERSATION, events.c.sequence > bindparam("after"))
    .order_by(events.c.sequence)
    .limit(bindparam("rows"))
)
_BACKWARD = (
    select(*_COLUMNS)
    .select_from(_WITH_TURNS)
    .where(
        _OF_CONVERSATION,
        events.c.sequence < bindparam("before"),
        events.c.type.not_in(_HIDDEN_TYPES),
    )
    .order_by(events.c.sequence.desc())
    .limit(bindparam("rows"))
)
_PARENTS = (
    select(events.c.turn_id, turns.c.parent_turn_id)
    .select_from(_WITH_TURNS)
    .where(_OF_CONVERSATION)
    .group_by(events.c.turn_id, turns.c.parent_turn_id)
    .order_by(func.min(events.c.sequence))
)
_AFTER_ALL = 2**31 - 1


@dataclass(frozen=True, slots=True)
class LogPage:
    """Events of whole turns in order; those of earlier turns come before `earlier`, if any."""

    events: tuple[LoggedEvent, ...]
    earlier: int | None


class _Reader:
    """Asks for as many rows at a time as have about _PAGE_CHARACTERS."""

    def __init__(self, transactions: Transactions, conversation_id: str) -> None:
        self._transactions = transactions
        self._conversation_id = conversation_id
        self._rows = _FIRST_ROWS
        self.at_end = False

    async def read(self, query: Any, **place: int) -> list[Any]:
        """The next rows of a query; sets `at_end` where there are no more."""
        values = {"conversation": self._conversation_id, "rows": self._rows, **place}
        rows = await self._transactions.run(lambda db: db.execute(query, values).all())
        self.at_end = len(rows) < self._rows
        characters = sum(len(row.payload) for row in rows)
        average = max(1, characters // max(1, len(rows)))
        self._rows = min(max(1, _PAGE_CHARACTERS // average), _MOST_ROWS)
        return list(rows)


BEGINNING_ROWS = 200
"""Read as a turn begins: the whole log of most conversations; about twenty questions fill it."""


def read_log_beginning(db: Connection, conversation_id: str) -> list[Any]:
    """The rows of the first BEGINNING_ROWS events."""
    values = {"conversation": conversation_id, "after": 0, "rows": BEGINNING_ROWS}
    return list(db.execute(_FORWARD, values).all())


async def read_log(
    transactions: Transactions, conversation_id: str, *, beginning: list[Any] | None = None
) -> list[LoggedEvent]:
    """The whole log in order, without events that only a later version knows.

    `beginning` is the result of `read_log_beginning`.
    """
    reader = _Reader(transactions, conversation_id)
    logged: list[LoggedEvent] = []
    after = 0
    if beginning is not None:
        logged, reader.at_end = _parse_rows(beginning), len(beginning) < BEGINNING_ROWS
        after = beginning[-1].sequence if beginning else 0
    while not reader.at_end:
        rows = await reader.read(_FORWARD, after=after)
        after = rows[-1].sequence if rows else after
        logged += _parse_rows(rows)
    return logged


async def read_log_page(
    transactions: Transactions,
    conversation_id: str,
    turn_ids: Set[str],
    *,
    before: int | None,
    characters: float,
) -> LogPage:
    """See `Store.read_page`."""
    reader = _Reader(transactions, conversation_id)
    place = _AFTER_ALL if before is None else before
    newest_first: list[LoggedEvent] = []
    earlier: int | None = None
    while not reader.at_end:
        rows = await reader.read(_BACKWARD, before=place)
        place = rows[-1].sequence if rows else place
        chosen = [row for row in rows if row.turn_id in turn_ids]
        newest_first += _parse_rows(chosen)
        characters -= sum(len(row.payload) for row in chosen)
        if newest_first and not reader.at_end and characters <= 0:
            # The oldest turn may have more events: it goes to the page before.
            whole = _drop_oldest_turn(newest_first)
            if whole:
                newest_first, earlier = whole, whole[-1].sequence
                break
    if before is None:
        newest_first = await _read_unfinished(transactions, conversation_id, newest_first)
    return LogPage(tuple(reversed(newest_first)), earlier)


async def _read_unfinished(
    transactions: Transactions, conversation_id: str, newest_first: list[LoggedEvent]
) -> list[LoggedEvent]:
    """Adds what is stored of the reply that the last turn is at, or was at when it died."""
    if not newest_first or isinstance(newest_first[0].event, TerminalEvent):
        return newest_first
    last = newest_first[0]
    turn = TurnKey(conversation_id, last.turn_id)
    reply = await transactions.run(lambda db: read_unfinished_reply(db, turn))
    if reply is None:
        return newest_first
    return [replace(last, id=f"{last.id}-unfinished", event=reply), *newest_first]


def _drop_oldest_turn(newest_first: list[LoggedEvent]) -> list[LoggedEvent]:
    oldest = newest_first[-1].turn_id
    first = next(at for at, each in enumerate(newest_first) if each.turn_id == oldest)
    return newest_first[:first]


async def read_turn_parents(
    transactions: Transactions, conversation_id: str
) -> dict[str, str | None]:
    """The parent of each turn of a conversation, the turns in order of their start."""
    values = {"conversation": conversation_id}
    rows = await transactions.run(lambda db: db.execute(_PARENTS, values).all())
    return {row.turn_id: row.parent_turn_id for row in rows}


def _parse_rows(rows: list[Any]) -> list[LoggedEvent]:
    return [logged for row in rows if (logged := _parse_event(row)) is not None]


def _parse_event(row: Any) -> LoggedEvent | None:
    try:
        event = load_event(row.payload)
    except ValidationError:
        log.warning("event_unknown", event_id=row.id)
        return None
    return LoggedEvent(row.id, row.sequence, row.turn_id, row.created_at, event, row.parent_turn_id)
