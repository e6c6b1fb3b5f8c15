"""The statements of a turn: it takes its conversation, appends events, and frees it.

Each function is one unit of work on an open transaction and leaves the same rows when repeated.
The session's row is locked first, so the transaction that holds it sees all that was written.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import uuid4

import structlog
from pydantic import ValidationError
from sqlalchemy import Connection, Select, and_, func, select
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError

from app.db.engine import MAX_EVENT_BYTES
from app.db.event_size import shrink_event
from app.db.quotas import Quotas, admit_turn
from app.db.schema import events, sessions, turns, utc_in, utc_now
from app.errors import NotFound, TurnLost
from app.events import (
    LATEST_PLACE,
    ReplyCompleted,
    StoredEvent,
    TurnInterrupted,
    TurnPlace,
    dump_event,
    load_event,
)
from app.messages import TokenUsage

_log = structlog.get_logger()

NO_CONVERSATION = "There is no such conversation about this trace."
_MODEL_LENGTH = 255
_MAX_PACKET_BYTES = 8_000_000
"""The most of one statement where the server has no limit or a larger one."""
_ROW_BYTES = 512
"""Allowance for the other columns of an event's row."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation about a trace.

    `number` counts the conversations of one owner about one trace, the highest is the current one.
    `marker` is a random token of this conversation. `active_turn_id` is the turn that holds it,
    None when it is free. `rating` is 1 for a thumb up, 0 for one down, None for none. `is_new` is
    True in the first turn.
    """

    id: str
    number: int
    marker: str
    active_turn_id: str | None
    rating: int | None = None
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class TurnKey:
    """The ids of a turn and its conversation."""

    conversation_id: str
    turn_id: str


@dataclass(frozen=True, slots=True)
class EventEntry:
    """An event to append; by its `id`, a UUID of the writer, a repeated write is recognized."""

    id: str
    event: StoredEvent


@dataclass(frozen=True, slots=True)
class TurnStart:
    """What a turn needs to take its conversation; `title` is for a conversation without one."""

    turn_id: str
    entry: EventEntry
    lease_seconds: float
    model: str
    quotas: Quotas
    title: str | None = None
    place: TurnPlace = LATEST_PLACE


def begin_turn(
    db: Connection, owner: dict[str, str], trace_id: str, *, start: TurnStart
) -> Conversation | None:
    """Takes the conversation of the turn's place, making the first one about the trace.

    None while another turn holds it. Raises NotFound where there is no such place, LimitReached
    where a quota is used up.
    """
    columns = (sessions.c.id, sessions.c.number, sessions.c.marker, *_LOCK_COLUMNS)
    place = start.place
    found = select_conversation(columns, owner, trace_id, conversation_id=place.conversation_id)
    row = db.execute(found.with_for_update()).first()
    if row is None and place != LATEST_PLACE:
        raise NotFound(NO_CONVERSATION)
    if row is None:
        admit_turn(db, owner, start.turn_id, quotas=start.quotas, first=True)
        session_id, number, marker = str(uuid4()), 1, create_marker()
        insert_session(
            db, {**owner, "id": session_id, "trace_id": trace_id, "number": 1, "marker": marker}
        )
        _insert_turn(db, session_id, start=start, parent=None, sequence=1)
        return Conversation(session_id, number, marker, start.turn_id, is_new=True)
    is_new = row.next_sequence == 1
    conversation = Conversation(row.id, row.number, row.marker, start.turn_id, is_new=is_new)
    if row.active_turn_id == start.turn_id:
        return conversation
    old = None if row.active_turn_id is None else TurnKey(row.id, row.active_turn_id)
    parent = _find_parent(db, row.id, place)
    if old is not None and not _is_lease_expired(db, old):
        return None
    admit_turn(db, owner, start.turn_id, quotas=start.quotas, first=False)
    sequence = max(row.next_sequence, _find_next_sequence(db, row.id))
    if old is not None:
        sequence = _try_interrupt_turn(db, old, sequence=sequence)
    _insert_turn(db, row.id, start=start, parent=parent, sequence=sequence)
    return conversation


def select_conversation(
    columns: Sequence[Any], owner: Mapping[str, str], trace_id: str, *, conversation_id: str | None
) -> Select[Any]:
    """Selects one of an owner's conversations about a trace: this one, or the current one."""
    of_owner = and_(*(sessions.c[name] == value for name, value in owner.items()))
    query = select(*columns).where(of_owner, sessions.c.trace_id == trace_id)
    if conversation_id is not None:
        return query.where(sessions.c.id == conversation_id)
    return query.order_by(sessions.c.number.desc()).limit(1)


def _find_parent(db: Connection, session_id: str, place: TurnPlace) -> str | None:
    """The turn before a new one, None for a first one; raises NotFound for a wrong place."""
    named = place.replaces or place.after
    if named is None:
        last_turn = (
            select(events.c.turn_id)
            .where(events.c.session_id == session_id)
            .order_by(events.c.sequence.desc())
            .limit(1)
        )
        return db.scalar(last_turn)
    query = select(turns.c.parent_turn_id).where(
        turns.c.session_id == session_id, turns.c.id == named
    )
    row = db.execute(query).first()
    if row is None:
        raise NotFound("There is no such turn in this conversation.")
    return named if place.replaces is None else row.parent_turn_id


def append_events(
    db: Connection,
    turn: TurnKey,
    entries: Sequence[EventEntry],
    *,
    lease_seconds: float | None,
) -> None:
    """Writes entries, and moves the lease to `lease_seconds` from now unless that is None.

    Raises TurnLost when the turn no longer holds its conversation.
    """
    row = _lock_session(db, turn)
    _append_missing(db, turn, entries, row.next_sequence)
    if lease_seconds is not None:
        db.execute(_update_turn(turn).values(lease_until=utc_in(lease_seconds)))


def end_turn(
    db: Connection,
    turn: TurnKey,
    entries: Sequence[EventEntry],
    *,
    state: str,
    usage: TokenUsage,
    model: str | None,
) -> None:
    """Writes the last entries and frees the conversation; raises TurnLost like `append`.

    Does nothing for a turn that has already ended with these entries.
    """
    try:
        row = _lock_session(db, turn)
    except TurnLost:
        if entries and not _find_missing(db, turn, entries):
            return
        raise
    _append_missing(db, turn, entries, row.next_sequence, active_turn_id=None)
    named = {} if model is None else {"model": model[:_MODEL_LENGTH]}
    _close_turn(db, turn, state=state, usage=usage, **named)


_LOCK_COLUMNS = (sessions.c.active_turn_id, sessions.c.next_sequence)


def _lock_session(db: Connection, turn: TurnKey) -> Any:
    row = (
        db.execute(
            select(*_LOCK_COLUMNS).where(sessions.c.id == turn.conversation_id).with_for_update()
        )
    ).first()
    if row is None or row.active_turn_id != turn.turn_id:
        raise TurnLost("This answer has lost its conversation.")
    return row


def _append_missing(
    db: Connection, turn: TurnKey, entries: Sequence[EventEntry], sequence: int, **more: Any
) -> None:
    """Writes the entries that are not in the log yet, and `more` columns of the session."""
    missing = _find_missing(db, turn, entries) if entries else []
    if missing or more:
        _insert_events(db, turn, missing, sequence, **more)


def _find_missing(db: Connection, turn: TurnKey, entries: Sequence[EventEntry]) -> list[EventEntry]:
    ids = [entry.id for entry in entries]
    known = db.scalars(
        select(events.c.id).where(
            events.c.id.in_(ids),
            events.c.session_id == turn.conversation_id,
            events.c.turn_id == turn.turn_id,
        )
    )
    stored = set(known)
    return [entry for entry in entries if entry.id not in stored]


def _insert_events(
    db: Connection, turn: TurnKey, entries: Sequence[EventEntry], sequence: int, **more: Any
) -> None:
    limit = min(_MAX_PACKET_BYTES, db.info.get(MAX_EVENT_BYTES, _MAX_PACKET_BYTES))
    rows = [
        {
            "id": entry.id,
            "session_id": turn.conversation_id,
            "turn_id": turn.turn_id,
            "sequence": number,
            "type": entry.event.type,
            "payload": dump_event(shrink_event(entry.event, limit)),
            "created_at": utc_now(),
        }
        for number, entry in enumerate(entries, start=sequence)
    ]
    for packet in _split_packets(rows, limit):
        # SQLAlchemy compiles a statement of one row once, one of many rows each time.
        db.execute(events.insert().values(packet if len(packet) > 1 else packet[0]))
    db.execute(
        sessions.update()
        .where(sessions.c.id == turn.conversation_id)
        .values(next_sequence=sequence + len(entries), updated_at=utc_now(), **more)
    )


def _split_packets(rows: Sequence[dict[str, Any]], limit: int) -> Iterator[list[dict[str, Any]]]:
    """Groups the rows into few statements, each with at most `limit` bytes of events."""
    packet: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        more = len(row["payload"].encode()) + _ROW_BYTES
        if packet and size + more > limit:
            yield packet
            packet, size = [], 0
        packet.append(row)
        size += more
    if packet:
        yield packet


def create_marker() -> str:
    """A random token for a new conversation."""
    return secrets.token_hex(8)


def insert_session(db: Connection, values: dict[str, Any]) -> None:
    """Inserts a conversation without events; its times are now."""
    db.execute(
        sessions.insert().values(
            **values, next_sequence=1, created_at=utc_now(), updated_at=utc_now()
        )
    )


def _insert_turn(
    db: Connection, session_id: str, *, start: TurnStart, parent: str | None, sequence: int
) -> None:
    db.execute(
        turns.insert().values(
            session_id=session_id,
            id=start.turn_id,
            parent_turn_id=parent,
            state="running",
            lease_until=utc_in(start.lease_seconds),
            model=start.model[:_MODEL_LENGTH],
            prompt_tokens=0,
            completion_tokens=0,
            cached_tokens=0,
            reasoning_tokens=0,
            started_at=utc_now(),
        )
    )
    key = TurnKey(session_id, start.turn_id)
    taken = {"active_turn_id": start.turn_id, "title": func.coalesce(sessions.c.title, start.title)}
    _insert_events(db, key, [start.entry], sequence, **taken)


def _is_lease_expired(db: Connection, turn: TurnKey) -> bool:
    running = select(turns.c.id).where(
        turns.c.session_id == turn.conversation_id,
        turns.c.id == turn.turn_id,
        turns.c.lease_until > utc_now(),
    )
    return db.scalar(running) is None


def _find_next_sequence(db: Connection, session_id: str) -> int:
    """The number after the last event."""
    last = select(func.max(events.c.sequence)).where(events.c.session_id == session_id)
    return (db.scalar(last) or 0) + 1


def _try_interrupt_turn(db: Connection, turn: TurnKey, *, sequence: int) -> int:
    """Ends a turn whose process is gone; returns the next free sequence number.

    The next question is answered whatever is wrong with that turn.
    """
    try:
        with db.begin_nested():
            return _interrupt_turn(db, turn, sequence=sequence)
    except (OperationalError, InterfaceError, InternalError):
        # The connection or the whole transaction is lost, so that the unit has to be repeated.
        raise
    except Exception:
        _log.exception("turn_interrupt_failed", turn=turn.turn_id)
        return sequence


def _interrupt_turn(db: Connection, turn: TurnKey, *, sequence: int) -> int:
    """Ends a turn whose process is gone; returns the next free sequence number."""
    _insert_events(db, turn, [EventEntry(str(uuid4()), TurnInterrupted())], sequence)
    _close_turn(db, turn, state="interrupted", usage=_sum_stored_usage(db, turn))
    return sequence + 1


def _sum_stored_usage(db: Connection, turn: TurnKey) -> TokenUsage:
    """The tokens of a turn's stored replies."""
    payloads = db.scalars(
        select(events.c.payload).where(
            events.c.session_id == turn.conversation_id,
            events.c.turn_id == turn.turn_id,
            events.c.type == "reply_completed",
        )
    )
    return sum(filter(None, map(_read_usage, payloads)), TokenUsage())


def _read_usage(payload: str) -> TokenUsage | None:
    """What a stored reply reports; None also for one that cannot be read."""
    try:
        event = load_event(payload)
    except ValidationError:
        return None
    return event.usage if isinstance(event, ReplyCompleted) else None


def _close_turn(
    db: Connection, turn: TurnKey, *, state: str, usage: TokenUsage, **values: Any
) -> None:
    values |= {"state": state, "ended_at": utc_now(), **asdict(usage)}
    del values["estimated"]
    db.execute(_update_turn(turn).values(values))


def _update_turn(turn: TurnKey) -> Any:
    return turns.update().where(
        turns.c.session_id == turn.conversation_id, turns.c.id == turn.turn_id
    )
