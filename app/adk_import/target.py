"""Writes an imported conversation into the service's own tables: one unit of work.

Repeated, it leaves the same rows.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Literal

from sqlalchemy import Connection, func, select

from app.adk_import.conversion import ImportedConversation, ImportedTurn
from app.caller import DEFAULT_WORKSPACE, Owner
from app.db.event_rows import find_event_limit
from app.db.event_size import shrink_event
from app.db.ownership import is_about_trace, owner_columns
from app.db.schema import IMPORTED, events, facts, sessions, turns
from app.db.turn_log import create_marker
from app.events import dump_event
from app.opik.access import ANONYMOUS, name_imported_owner

_ANONYMOUS_USER = "default"
"""ADK's user id of callers without a session token."""

StoreOutcome = Literal["imported", "extended", "unchanged", "continued"]
"""`continued` is a conversation that goes on in the service: it is left as it is."""


def find_owner(user_id: str) -> Owner:
    """Who owns the conversations of one of ADK's users: see `name_imported_owner`."""
    if user_id == _ANONYMOUS_USER:
        return Owner(DEFAULT_WORKSPACE, ANONYMOUS)
    return name_imported_owner(user_id)


def store_conversation(db: Connection, conversation: ImportedConversation) -> StoreOutcome:
    """Stores a conversation, or the turns of it that an earlier import did not find yet."""
    existing = _find_turn_ids(db, conversation.id)
    if existing is None:
        _insert_session(db, conversation)
        _note_import(db)
        missing, sequence, parent = list(conversation.turns), 1, None
    else:
        if not existing <= {each.id for each in conversation.turns}:
            return "continued"
        missing = [each for each in conversation.turns if each.id not in existing]
        if not missing:
            return "unchanged"
        sequence = _read_next_sequence(db, conversation.id)
        parent = _find_last_turn(db, conversation.id)
    for turn in missing:
        _insert_turn(db, conversation.id, turn, parent=parent, sequence=sequence)
        sequence, parent = sequence + len(turn.events), turn.id
    db.execute(
        sessions.update()
        .where(sessions.c.id == conversation.id)
        .values(next_sequence=sequence, updated_at=conversation.updated_at)
    )
    return "imported" if existing is None else "extended"


def _note_import(db: Connection) -> None:
    """Where nothing was imported, the service looks for no imported conversations."""
    known = select(facts.c.name).where(facts.c.name == IMPORTED)
    if db.scalar(known) is None:
        db.execute(facts.insert().values(name=IMPORTED, value="adk"))


def _find_turn_ids(db: Connection, session_id: str) -> set[str] | None:
    """None where the conversation was never imported."""
    if db.scalar(select(sessions.c.id).where(sessions.c.id == session_id)) is None:
        return None
    return set(db.scalars(select(turns.c.id).where(turns.c.session_id == session_id)))


def _read_next_sequence(db: Connection, session_id: str) -> int:
    query = select(sessions.c.next_sequence).where(sessions.c.id == session_id)
    return int(db.scalar(query) or 1)


def _find_last_turn(db: Connection, session_id: str) -> str | None:
    query = select(events.c.turn_id).where(events.c.session_id == session_id)
    return db.scalar(query.order_by(events.c.sequence.desc()).limit(1))


def _insert_session(db: Connection, conversation: ImportedConversation) -> None:
    """Below the conversations that its owner already has about the trace."""
    owner = find_owner(conversation.user_id)
    lowest = db.scalar(
        select(func.min(sessions.c.number)).where(is_about_trace(owner, conversation.trace_id))
    )
    db.execute(
        sessions.insert().values(
            id=conversation.id,
            **owner_columns(owner),
            trace_id=conversation.trace_id,
            number=1 if lowest is None else lowest - 1,
            marker=create_marker(),
            next_sequence=1,
            created_at=conversation.created_at,
            updated_at=conversation.updated_at,
        )
    )


def _insert_turn(
    db: Connection, session_id: str, turn: ImportedTurn, *, parent: str | None, sequence: int
) -> None:
    first, last = turn.events[0], turn.events[-1]
    counts = asdict(turn.usage)
    del counts["estimated"]
    db.execute(
        turns.insert().values(
            session_id=session_id,
            id=turn.id,
            parent_turn_id=parent,
            state=last.event.type.removeprefix("turn_"),
            lease_until=last.created_at,
            model=turn.model[:255],
            started_at=first.created_at,
            ended_at=last.created_at,
            **counts,
        )
    )
    limit = find_event_limit(db)
    db.execute(events.insert(), list(_build_rows(session_id, turn, sequence, limit)))


def _build_rows(
    session_id: str, turn: ImportedTurn, sequence: int, limit: int
) -> Iterator[dict[str, Any]]:
    for number, dated in enumerate(turn.events, sequence):
        yield {
            "id": dated.id,
            "session_id": session_id,
            "turn_id": turn.id,
            "sequence": number,
            "type": dated.event.type,
            "payload": dump_event(shrink_event(dated.event, limit)),
            "created_at": dated.created_at,
        }
