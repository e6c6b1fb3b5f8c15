"""Writes events of a turn as rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Insert, Integer, bindparam, select, union_all

from app.db.engine import MAX_EVENT_BYTES
from app.db.event_size import shrink_event
from app.db.schema import events, sessions, utc_now
from app.events import StoredEvent, dump_event

_MAX_PACKET_BYTES = 8_000_000
"""The most of one statement where the server has no limit or a larger one."""
_ROW_BYTES = 512
"""Allowance for the other columns of an event's row."""


@dataclass(frozen=True, slots=True)
class TurnKey:
    """The ids of a turn and its conversation."""

    conversation_id: str
    turn_id: str

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of a statement about the turn."""
        return {"conversation": self.conversation_id, "turn": self.turn_id}


@dataclass(frozen=True, slots=True)
class EventEntry:
    """An event to append; by its `id`, a UUID of the writer, a repeated write is recognized."""

    id: str
    event: StoredEvent


def find_missing(db: Connection, turn: TurnKey, entries: Sequence[EventEntry]) -> list[EventEntry]:
    """The entries that the log does not have."""
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


def find_event_limit(db: Connection) -> int:
    """The most bytes of one event, and of the events of one statement."""
    limit: int = db.info.get(MAX_EVENT_BYTES, _MAX_PACKET_BYTES)
    return min(_MAX_PACKET_BYTES, limit)


def insert_events(db: Connection, turn: TurnKey, entries: Sequence[EventEntry]) -> None:
    """Writes events at the end of the sequence numbers that the session has reserved."""
    limit = find_event_limit(db)
    rows = [
        {
            "id": entry.id,
            "type": entry.event.type,
            "payload": dump_event(shrink_event(entry.event, limit)),
            "back": len(entries) - number,
        }
        for number, entry in enumerate(entries)
    ]
    for packet in _split_packets(rows, limit):
        values = {f"{name}_{at}": row[name] for at, row in enumerate(packet) for name in row}
        db.execute(_insert_rows(len(packet)), {**turn.parameters, **values})


@lru_cache(maxsize=32)
def _insert_rows(number: int) -> Insert:
    """The statement that inserts so many events.

    SQLAlchemy compiles an insert of several rows each time, but not one of a select.
    """
    rows = [
        select(
            bindparam(f"id_{at}", type_=events.c.id.type),
            sessions.c.id,
            bindparam("turn", type_=events.c.turn_id.type),
            sessions.c.next_sequence - bindparam(f"back_{at}", type_=Integer()),
            bindparam(f"type_{at}", type_=events.c.type.type),
            bindparam(f"payload_{at}", type_=events.c.payload.type),
            utc_now(),
        ).where(sessions.c.id == bindparam("conversation"))
        for at in range(number)
    ]
    query = union_all(*rows) if number > 1 else rows[0]
    return events.insert().from_select(_EVENT_COLUMNS, query)


_EVENT_COLUMNS = ("id", "session_id", "turn_id", "sequence", "type", "payload", "created_at")


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
