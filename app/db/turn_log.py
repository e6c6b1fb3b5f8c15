"""The statements of a turn: it takes its conversation, writes into the log, and lets go.

Each function is one unit of work on an open transaction and leaves the same rows when repeated.
The session's row is locked before anything else, so whoever has it sees all that was written.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.tables import events, sessions, turns, utc_in, utc_now
from app.errors import TurnLost
from app.events import StoredEvent, TurnInterrupted, dump_event
from app.messages import Usage

# Escaped for the wire a text may double, and a packet over 16 MB ends the connection on MariaDB.
EVENT_BYTES = 8_000_000
_MODEL_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation about a trace.

    `number` counts the conversations of one owner about one trace, the highest is the current one.
    `marker` is a random token of this conversation. `active_turn_id` is the turn that holds it;
    None when it is free.
    """

    id: str
    number: int
    marker: str
    active_turn_id: str | None


@dataclass(frozen=True, slots=True)
class TurnKey:
    """A turn, as its writer presents itself."""

    conversation_id: str
    turn_id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An event to append; `id` is a UUID made by the writer, by which a repetition is known."""

    id: str
    event: StoredEvent


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as it is stored."""

    id: str
    type: str
    payload: str


@dataclass(frozen=True, slots=True)
class Start:
    """What is known of a turn before it takes its conversation."""

    turn_id: str
    line: Line
    lease_seconds: float
    model: str


def line_of(entry: Entry) -> Line:
    """Raises ValueError for an event of more than EVENT_BYTES."""
    payload = dump_event(entry.event)
    if len(payload.encode()) > EVENT_BYTES:
        raise ValueError(f"An event of type {entry.event.type} is larger than {EVENT_BYTES} bytes.")
    return Line(entry.id, entry.event.type, payload)


async def begin(
    db: AsyncConnection, owner: dict[str, str], trace_id: str, *, start: Start
) -> Conversation | None:
    """Takes the current conversation, making the first one; None while another turn holds it."""
    columns = (sessions.c.id, sessions.c.number, sessions.c.marker, *_HOLDING)
    of_trace = and_(*(sessions.c[name] == value for name, value in owner.items()))
    row = (
        await db.execute(
            select(*columns)
            .where(of_trace, sessions.c.trace_id == trace_id)
            .order_by(sessions.c.number.desc())
            .limit(1)
            .with_for_update()
        )
    ).first()
    if row is None:
        session_id, number, marker = str(uuid4()), 1, secrets.token_hex(8)
        await _insert_session(
            db, {**owner, "id": session_id, "trace_id": trace_id, "number": 1, "marker": marker}
        )
        sequence = 1
    else:
        session_id, number, marker = row.id, row.number, row.marker
        sequence = row.next_sequence
        if row.active_turn_id not in (None, start.turn_id):
            old = TurnKey(session_id, row.active_turn_id)
            if not await _lease_ran_out(db, old):
                return None
            sequence = await _interrupt(db, old, sequence=sequence)
    if row is None or row.active_turn_id != start.turn_id:
        await _insert_turn(db, session_id, start=start, sequence=sequence)
    return Conversation(session_id, number, marker, start.turn_id)


async def append(db: AsyncConnection, turn: TurnKey, lines: Sequence[Line]) -> None:
    """Raises TurnLost when the turn does not hold its conversation any more."""
    row = await _hold(db, turn)
    await _append(db, turn, lines, row.next_sequence)


async def end(
    db: AsyncConnection,
    turn: TurnKey,
    lines: Sequence[Line],
    *,
    state: str,
    usage: Usage,
    model: str | None,
) -> None:
    """Writes the last lines and frees the conversation; raises TurnLost like `append`.

    For a turn that has already ended with these lines there is nothing left to do.
    """
    try:
        row = await _hold(db, turn)
    except TurnLost:
        if lines and not await _missing(db, turn, lines):
            return
        raise
    await _append(db, turn, lines, row.next_sequence)
    named = {} if model is None else {"model": model[:_MODEL_LENGTH]}
    await _close(
        db,
        turn,
        state=state,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        cached_tokens=usage.cached_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        **named,
    )
    await db.execute(
        sessions.update()
        .where(sessions.c.id == turn.conversation_id)
        .values(active_turn_id=None, updated_at=utc_now())
    )


async def renew(db: AsyncConnection, turn: TurnKey, *, lease_seconds: float) -> None:
    """Moves the lease to `lease_seconds` from now; raises TurnLost like `append`."""
    await _hold(db, turn)
    await db.execute(_row_of(turn).values(lease_until=utc_in(lease_seconds)))


_HOLDING = (sessions.c.active_turn_id, sessions.c.next_sequence)


async def _hold(db: AsyncConnection, turn: TurnKey) -> Any:
    row = (
        await db.execute(
            select(*_HOLDING).where(sessions.c.id == turn.conversation_id).with_for_update()
        )
    ).first()
    if row is None or row.active_turn_id != turn.turn_id:
        raise TurnLost("This answer has lost its conversation.")
    return row


async def _append(db: AsyncConnection, turn: TurnKey, lines: Sequence[Line], sequence: int) -> None:
    missing = await _missing(db, turn, lines)
    await _insert_events(db, turn, missing, sequence)


async def _missing(db: AsyncConnection, turn: TurnKey, lines: Sequence[Line]) -> list[Line]:
    ids = [line.id for line in lines]
    known = await db.scalars(
        select(events.c.id).where(
            events.c.id.in_(ids),
            events.c.session_id == turn.conversation_id,
            events.c.turn_id == turn.turn_id,
        )
    )
    stored = set(known)
    return [line for line in lines if line.id not in stored]


async def _insert_events(
    db: AsyncConnection, turn: TurnKey, lines: Sequence[Line], sequence: int
) -> None:
    if not lines:
        return
    # One statement each: a packet holds one event at most.
    for number, line in enumerate(lines, start=sequence):
        await db.execute(
            events.insert().values(
                id=line.id,
                session_id=turn.conversation_id,
                turn_id=turn.turn_id,
                sequence=number,
                type=line.type,
                payload=line.payload,
                created_at=utc_now(),
            )
        )
    await db.execute(
        sessions.update()
        .where(sessions.c.id == turn.conversation_id)
        .values(next_sequence=sequence + len(lines), updated_at=utc_now())
    )


async def _insert_session(db: AsyncConnection, values: dict[str, Any]) -> None:
    await db.execute(
        sessions.insert().values(
            **values, next_sequence=1, created_at=utc_now(), updated_at=utc_now()
        )
    )


async def _insert_turn(
    db: AsyncConnection, session_id: str, *, start: Start, sequence: int
) -> None:
    last_turn = (
        select(events.c.turn_id)
        .where(events.c.session_id == session_id)
        .order_by(events.c.sequence.desc())
        .limit(1)
    )
    await db.execute(
        turns.insert().values(
            session_id=session_id,
            id=start.turn_id,
            parent_turn_id=await db.scalar(last_turn),
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
    await _insert_events(db, TurnKey(session_id, start.turn_id), [start.line], sequence)
    await db.execute(
        sessions.update().where(sessions.c.id == session_id).values(active_turn_id=start.turn_id)
    )


async def _lease_ran_out(db: AsyncConnection, turn: TurnKey) -> bool:
    running = select(turns.c.id).where(
        turns.c.session_id == turn.conversation_id,
        turns.c.id == turn.turn_id,
        turns.c.lease_until > utc_now(),
    )
    return await db.scalar(running) is None


async def _interrupt(db: AsyncConnection, turn: TurnKey, *, sequence: int) -> int:
    """Ends a turn whose process is gone; the next free sequence number."""
    await _insert_events(db, turn, [line_of(Entry(str(uuid4()), TurnInterrupted()))], sequence)
    await _close(db, turn, state="interrupted")
    return sequence + 1


async def _close(db: AsyncConnection, turn: TurnKey, **values: Any) -> None:
    await db.execute(_row_of(turn).values(ended_at=utc_now(), **values))


def _row_of(turn: TurnKey) -> Any:
    return turns.update().where(
        turns.c.session_id == turn.conversation_id, turns.c.id == turn.turn_id
    )
