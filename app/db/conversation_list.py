"""The statements for the list of an owner's conversations about one trace.

Each function is one unit of work on an open transaction and leaves the same rows when repeated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, select

from app.caller import Owner
from app.db.ownership import is_about_trace, owner_columns
from app.db.quotas import Quotas, admit_conversation
from app.db.schema import events, sessions, turns, utc_now
from app.db.turn_log import create_marker, insert_session
from app.errors import LimitReached

TRACE_CONVERSATIONS = 1_000
"""The most of one owner about one trace, so that the list is one small answer. In an Opik without
accounts all users are one owner."""


@dataclass(frozen=True, slots=True)
class TurnLink:
    """A turn in the tree of a conversation, with the name of its model."""

    id: str
    parent_id: str | None
    model: str


@dataclass(frozen=True, slots=True)
class ConversationEntry:
    """A conversation in the list; times are UTC.

    `turns` are in order of their start. `title` is None where none was given: then `first_event` is
    its first event as stored, if it has one. `running` is True while a turn answers in it.
    """

    id: str
    number: int
    title: str | None
    created_at: datetime
    updated_at: datetime
    running: bool
    turns: Sequence[TurnLink]
    first_event: str | None


def read_entries(
    db: Connection,
    owner: Owner,
    trace_id: str,
    *,
    conversation_id: str | None = None,
) -> list[ConversationEntry]:
    """All conversations about a trace, the newest first; or this one alone, if there is one."""
    query = (
        select(
            sessions.c.id,
            sessions.c.number,
            sessions.c.title,
            sessions.c.created_at,
            sessions.c.updated_at,
            turns.c.id.is_not(None).label("running"),
        )
        .select_from(sessions.outerjoin(turns, _is_running_turn()))
        .where(is_about_trace(owner, trace_id))
        .order_by(sessions.c.number.desc())
    )
    if conversation_id is not None:
        query = query.where(sessions.c.id == conversation_id)
    rows = db.execute(query).all()
    links = _read_turn_links(db, [row.id for row in rows])
    first = _read_first_events(db, [row.id for row in rows if row.title is None])
    return [
        ConversationEntry(
            row.id,
            row.number,
            row.title,
            row.created_at,
            row.updated_at,
            row.running,
            links.get(row.id, ()),
            first.get(row.id),
        )
        for row in rows
    ]


def create_conversation(
    db: Connection, owner: Owner, trace_id: str, *, new_id: str, quotas: Quotas
) -> ConversationEntry:
    """Creates an empty conversation, from now on the current one; raises LimitReached."""
    if made := read_entries(db, owner, trace_id, conversation_id=new_id):
        return made[0]
    names = owner_columns(owner)
    admit_conversation(db, names, quotas)
    counted = select(func.coalesce(func.max(sessions.c.number), 0), func.count())
    highest, count = db.execute(counted.where(is_about_trace(owner, trace_id))).one()
    if count >= TRACE_CONVERSATIONS:
        raise LimitReached(
            f"You have {TRACE_CONVERSATIONS:,} conversations about this trace, which is the most"
            " that are kept. Delete one that you no longer need, then try again."
        )
    row = {"id": new_id, "trace_id": trace_id, "number": highest + 1}
    insert_session(db, {**names, **row, "marker": create_marker()})
    (made_now,) = read_entries(db, owner, trace_id, conversation_id=new_id)
    return made_now


def rename_conversation(
    db: Connection, owner: Owner, trace_id: str, *, id: str, title: str
) -> ConversationEntry | None:
    """Sets the title; None where the owner has no such conversation."""
    named = and_(is_about_trace(owner, trace_id), sessions.c.id == id)
    db.execute(sessions.update().where(named).values(title=title))
    return next(iter(read_entries(db, owner, trace_id, conversation_id=id)), None)


def _is_running_turn() -> ColumnElement[bool]:
    return and_(
        turns.c.session_id == sessions.c.id,
        turns.c.id == sessions.c.active_turn_id,
        turns.c.lease_until > utc_now(),
    )


def _read_turn_links(db: Connection, session_ids: Sequence[str]) -> dict[str, list[TurnLink]]:
    links: dict[str, list[TurnLink]] = {}
    if session_ids:
        query = (
            select(turns.c.session_id, turns.c.id, turns.c.parent_turn_id, turns.c.model)
            .where(turns.c.session_id.in_(session_ids))
            .order_by(turns.c.started_at)
        )
        for session_id, *link in db.execute(query):
            links.setdefault(session_id, []).append(TurnLink(*link))
    return links


def _read_first_events(db: Connection, session_ids: Sequence[str]) -> dict[str, str]:
    if not session_ids:
        return {}
    query = select(events.c.session_id, events.c.payload).where(
        events.c.session_id.in_(session_ids), events.c.sequence == 1
    )
    return {row.session_id: row.payload for row in db.execute(query)}
