"""The statements of a turn: it takes its conversation, appends events, and frees it.

Each function is one unit of work on an open transaction and leaves the same rows when repeated.
The session's row is locked first, so the transaction that holds it sees all that was written.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import uuid4

import structlog
from pydantic import ValidationError
from sqlalchemy import (
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    func,
    select,
)
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError

from app.caller import Owner
from app.db.event_rows import EventEntry, TurnKey, find_missing, insert_events
from app.db.ownership import is_about_trace, owner_columns
from app.db.quotas import Quotas, admit_turn
from app.db.schema import events, sessions, to_microseconds, turns, utc_in, utc_now
from app.errors import NO_CONVERSATION, NO_TURN, NotFound, TurnLost
from app.events import (
    LATEST_PLACE,
    ReplyCompleted,
    StoredEvent,
    TurnInterrupted,
    TurnPlace,
    load_event,
)
from app.messages import TokenUsage

log = structlog.get_logger(__name__)

_MODEL_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation about a trace.

    `number` counts the conversations of one owner about one trace, the highest is the current one.
    `marker` is a random token of this conversation. `active_turn_id` is the turn that holds it,
    None when it is free. `rating` is 1 for a thumb up, 0 for one down, None for none. `is_new` is
    True in the first turn. `beginning` holds rows of the log as a turn begins.
    """

    id: str
    number: int
    marker: str
    active_turn_id: str | None
    rating: int | None = None
    is_new: bool = field(default=False, compare=False)
    beginning: list[Any] = field(default_factory=list, compare=False, repr=False)


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


_IS_TURN = and_(turns.c.session_id == bindparam("conversation"), turns.c.id == bindparam("turn"))
_SELECT_LIVING_TURN = select(turns.c.id).where(_IS_TURN, turns.c.lease_until > utc_now())
_UPDATE_TURN = turns.update().where(_IS_TURN)
_RENEW_LEASE = _UPDATE_TURN.values(lease_until=utc_in("lease"))
_KEEP_UNFINISHED = _UPDATE_TURN.values(unfinished_reply=bindparam("unfinished"))
_CLOSE_TURN = _UPDATE_TURN.values(ended_at=utc_now(), unfinished_reply=None)
_SELECT_UNFINISHED = select(turns.c.unfinished_reply).where(_IS_TURN)
_SELECT_REPLIES = select(events.c.payload).where(
    events.c.session_id == bindparam("conversation"),
    events.c.turn_id == bindparam("turn"),
    events.c.type == "reply_completed",
)


def begin_turn(
    db: Connection, owner: Owner, trace_id: str, *, start: TurnStart
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
        return _create_conversation(db, owner, trace_id, start=start)
    is_repeated = row.active_turn_id == start.turn_id  # after a commit whose answer was lost
    is_new = row.next_sequence == (2 if is_repeated else 1)
    conversation = Conversation(row.id, row.number, row.marker, start.turn_id, is_new=is_new)
    if is_repeated:
        return conversation
    old = None if row.active_turn_id is None else TurnKey(row.id, row.active_turn_id)
    last = db.execute(_SELECT_LAST_EVENT, {"conversation": row.id}).first()
    parent = _find_parent(db, row.id, place, last_turn=last and last.turn_id)
    if old is not None and not _is_lease_expired(db, old):
        return None
    admit_turn(db, owner_columns(owner), start.turn_id, quotas=start.quotas, first=False)
    sequence = max(row.next_sequence, last.sequence + 1 if last else 1)
    if old is not None:
        sequence = _try_interrupt_turn(db, old, sequence=sequence)
    values = {"conversation": row.id, "new_turn": start.turn_id, "new_title": start.title}
    db.execute(_TAKE_SESSION, {**values, "next": sequence + 1})
    _insert_turn(db, row.id, start=start, parent=parent)
    return conversation


_SELECT_LAST_EVENT = (
    select(events.c.turn_id, events.c.sequence)
    .where(events.c.session_id == bindparam("conversation"))
    .order_by(events.c.sequence.desc())
    .limit(1)
)
_SET_SEQUENCE = (
    sessions.update()
    .where(sessions.c.id == bindparam("conversation"))
    .values(next_sequence=bindparam("next"), updated_at=utc_now())
)
_TAKE_SESSION = _SET_SEQUENCE.values(
    active_turn_id=bindparam("new_turn"),
    title=func.coalesce(sessions.c.title, bindparam("new_title")),
)


def _create_conversation(
    db: Connection, owner: Owner, trace_id: str, *, start: TurnStart
) -> Conversation:
    """Creates the first conversation about a trace, with its first turn."""
    names = owner_columns(owner)
    admit_turn(db, names, start.turn_id, quotas=start.quotas, first=True)
    created = Conversation(str(uuid4()), 1, create_marker(), start.turn_id, is_new=True)
    values = {"id": created.id, "number": created.number, "marker": created.marker}
    taken = {"active_turn_id": start.turn_id, "title": start.title, "next_sequence": 2}
    insert_session(db, {**names, **values, **taken, "trace_id": trace_id})
    _insert_turn(db, created.id, start=start, parent=None)
    return created


def select_conversation(
    columns: Sequence[Any], owner: Owner, trace_id: str, *, conversation_id: str | None
) -> Select[Any]:
    """Selects one of an owner's conversations about a trace: this one, or the current one."""
    query = select(*columns).where(is_about_trace(owner, trace_id))
    if conversation_id is not None:
        return query.where(sessions.c.id == conversation_id)
    return query.order_by(sessions.c.number.desc()).limit(1)


def check_place(db: Connection, owner: Owner, trace_id: str, place: TurnPlace) -> None:
    """Raises NotFound where this owner cannot ask in this place, which names something."""
    found = select_conversation(
        [sessions.c.id], owner, trace_id, conversation_id=place.conversation_id
    )
    session_id = db.scalar(found)
    if session_id is None:
        raise NotFound(NO_CONVERSATION)
    _find_parent(db, session_id, place, last_turn=None)


def _find_parent(
    db: Connection, session_id: str, place: TurnPlace, *, last_turn: str | None
) -> str | None:
    """The turn before a new one, None for a first one; raises NotFound for a wrong place."""
    named = place.replaces or place.after
    if named is None:
        return last_turn
    query = select(turns.c.parent_turn_id).where(_IS_TURN)
    row = db.execute(query, {"conversation": session_id, "turn": named}).first()
    if row is None:
        raise NotFound(NO_TURN)
    return named if place.replaces is None else row.parent_turn_id


def append_events(
    db: Connection,
    turn: TurnKey,
    entries: Sequence[EventEntry],
    *,
    lease_seconds: float | None,
    unfinished: str | None,
    repeated: bool,
) -> None:
    """Writes entries, moves the lease to `lease_seconds` from now unless that is None, and keeps
    `unfinished`, the JSON of the reply under way ("" for none), unless that is None.

    `repeated` says that an earlier attempt may have stored some of the entries. Raises TurnLost
    when the turn no longer holds its conversation.
    """
    missing = find_missing(db, turn, entries) if repeated else entries
    _hold_session(db, turn, len(missing))
    insert_events(db, turn, missing)
    if lease_seconds is not None:
        db.execute(_RENEW_LEASE, {**turn.parameters, "lease": to_microseconds(lease_seconds)})
    if unfinished is not None:
        db.execute(_KEEP_UNFINISHED, {**turn.parameters, "unfinished": unfinished or None})


def keep_unfinished(db: Connection, *, replies: Mapping[TurnKey, str]) -> set[TurnKey]:
    """Keeps replies under way, each as JSON or "" for none; returns the turns that still hold their
    conversations, whose replies are kept."""
    kept = set()
    # All processes take locks in the same order.
    for turn, reply in sorted(replies.items(), key=lambda each: each[0].conversation_id):
        if db.execute(_TOUCH, turn.parameters).rowcount:
            db.execute(_KEEP_UNFINISHED, {**turn.parameters, "unfinished": reply or None})
            kept.add(turn)
    return kept


def end_turn(
    db: Connection,
    turn: TurnKey,
    entries: Sequence[EventEntry],
    *,
    repeated: bool,
    usage: TokenUsage,
    model: str | None,
) -> None:
    """Writes the last entries and frees the conversation; raises TurnLost like `append_events`.

    Does nothing for a turn that has already ended with these entries.
    """
    missing = find_missing(db, turn, entries) if repeated else entries
    try:
        _hold_session(db, turn, len(missing), free=True)
    except TurnLost:
        if not find_missing(db, turn, entries):
            return
        raise
    insert_events(db, turn, missing)
    named = {} if model is None else {"model": model[:_MODEL_LENGTH]}
    _close_turn(db, turn, entries[-1].event, usage=usage, **named)


def _hold_session(db: Connection, turn: TurnKey, number: int, *, free: bool = False) -> None:
    """Locks the session and reserves sequence numbers for the next events; frees it with `free`.

    Raises TurnLost where the turn does not hold it.
    """
    statement = _RESERVE_AND_FREE if free else _RESERVE if number else _TOUCH
    if not db.execute(statement, {**turn.parameters, "events": number}).rowcount:
        raise TurnLost("This answer has lost its conversation.")


_LOCK_COLUMNS = (sessions.c.active_turn_id, sessions.c.next_sequence)
_IS_HELD = and_(
    sessions.c.id == bindparam("conversation"), sessions.c.active_turn_id == bindparam("turn")
)
_RESERVE = (
    sessions.update()
    .where(_IS_HELD)
    .values(
        next_sequence=sessions.c.next_sequence + bindparam("events", type_=Integer()),
        updated_at=utc_now(),
    )
)
_RESERVE_AND_FREE = _RESERVE.values(active_turn_id=None)
_TOUCH = sessions.update().where(_IS_HELD).values(active_turn_id=sessions.c.active_turn_id)
"""Only locks the row: a lease that is renewed is no use of the conversation."""


def create_marker() -> str:
    """A random token for a new conversation."""
    return secrets.token_hex(8)


def insert_session(db: Connection, values: dict[str, Any]) -> None:
    """Inserts a conversation, without events but for `next_sequence`; its times are now."""
    db.execute(_INSERT_SESSION, {"next_sequence": 1, **values})


_INSERT_SESSION = sessions.insert().values(created_at=utc_now(), updated_at=utc_now())


def _insert_turn(db: Connection, session_id: str, *, start: TurnStart, parent: str | None) -> None:
    """Inserts a turn and its first event, for which the session has reserved a number."""
    db.execute(
        _INSERT_TURN,
        {
            "session_id": session_id,
            "id": start.turn_id,
            "parent_turn_id": parent,
            "model": start.model[:_MODEL_LENGTH],
            "lease": to_microseconds(start.lease_seconds),
        },
    )
    insert_events(db, TurnKey(session_id, start.turn_id), [start.entry])


_INSERT_TURN = turns.insert().values(
    state="running",
    lease_until=utc_in("lease"),
    prompt_tokens=0,
    completion_tokens=0,
    cached_tokens=0,
    reasoning_tokens=0,
    started_at=utc_now(),
)


def _is_lease_expired(db: Connection, turn: TurnKey) -> bool:
    return db.scalar(_SELECT_LIVING_TURN, turn.parameters) is None


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
        log.exception("turn_interrupt_failed", turn=turn.turn_id)
        return sequence


def _interrupt_turn(db: Connection, turn: TurnKey, *, sequence: int) -> int:
    """Ends a turn whose process is gone; returns the next free sequence number."""
    unfinished = read_unfinished_reply(db, turn)
    last: list[StoredEvent] = [TurnInterrupted()]
    if unfinished is not None:
        last.insert(0, unfinished)
    after = sequence + len(last)
    db.execute(_SET_SEQUENCE, {"conversation": turn.conversation_id, "next": after})
    insert_events(db, turn, [EventEntry(str(uuid4()), each) for each in last])
    _close_turn(db, turn, last[-1], usage=_sum_stored_usage(db, turn))
    return after


def read_unfinished_reply(db: Connection, turn: TurnKey) -> ReplyCompleted | None:
    """What was stored of the reply that a turn was at when its process died, or is at now."""
    stored = db.scalar(_SELECT_UNFINISHED, turn.parameters)
    event = _parse_event(stored) if stored else None
    return event if isinstance(event, ReplyCompleted) else None


def _sum_stored_usage(db: Connection, turn: TurnKey) -> TokenUsage:
    """The tokens of a turn's stored replies."""
    payloads = db.scalars(_SELECT_REPLIES, turn.parameters)
    replies = [each for each in map(_parse_event, payloads) if isinstance(each, ReplyCompleted)]
    return sum((each.usage for each in replies if each.usage), TokenUsage())


def _parse_event(payload: str) -> StoredEvent | None:
    """The stored event; None for one that cannot be read."""
    try:
        return load_event(payload)
    except ValidationError:
        return None


def _close_turn(
    db: Connection, turn: TurnKey, ending: StoredEvent, *, usage: TokenUsage, **values: Any
) -> None:
    state = ending.type.removeprefix("turn_")
    counts = asdict(usage)
    del counts["estimated"]
    db.execute(_CLOSE_TURN.values({**counts, "state": state, **values}), turn.parameters)
