"""Reads and writes conversations in the database."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence, Set
from itertools import count
from typing import Any
from uuid import uuid4

import anyio
from sqlalchemy import ColumnElement, Connection, Select, and_, case, delete, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.caller import Owner
from app.db import turn_log
from app.db.conversation_list import (
    ConversationEntry,
    create_conversation,
    read_entries,
    rename_conversation,
)
from app.db.event_rows import EventEntry, TurnKey
from app.db.log_reader import LogPage, read_log, read_log_page, read_turn_parents
from app.db.quotas import Quotas, delete_old_admissions, record_tokens
from app.db.schema import IMPORTED, OWNER_KEY, facts, feedback, sessions, turns, utc_now
from app.db.transactions import Transactions
from app.db.turn_log import Conversation, TurnStart, select_conversation
from app.errors import DatabaseUnavailable
from app.events import LATEST_PLACE, LoggedEvent, TurnPlace
from app.messages import TokenUsage

__all__ = [
    "Conversation",
    "ConversationEntry",
    "EventEntry",
    "LogPage",
    "Quotas",
    "Store",
    "TurnKey",
]

_NAME_LENGTH = 255
_NO_QUOTAS = Quotas()
CLEAN_UP_TURNS = 20
"""How often a turn that begins also deletes admissions that no limit counts any more."""


class Store:
    """Conversations, their turns, events and feedback.

    Every method is one short transaction. It may be repeated, completes even when its task is
    cancelled, and raises DatabaseUnavailable when the database does not answer.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        attempts: int = 3,
        seconds: float | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        on_failure: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`seconds` limits a transaction with all its attempts, UNIT_SECONDS by default."""
        self._transactions = Transactions(
            engine, attempts=attempts, sleep=sleep, seconds=seconds, on_failure=on_failure
        )
        self._owner_key: bytes | None = None
        self._begun = 0

    def limit_time(self, seconds: float) -> None:
        """From now on a transaction, also one under way, has at most so many seconds."""
        self._transactions.limit_time(seconds)

    async def owner_key(self) -> bytes:
        """The secret (32 bytes) of this database that turns session tokens into owner names."""
        if self._owner_key is None:
            query = select(facts.c.value).where(facts.c.name == OWNER_KEY)
            value = await self._transactions.run(lambda db: db.scalar(query))
            if value is None:
                raise DatabaseUnavailable("The tables of the assistant's database are incomplete.")
            self._owner_key = bytes.fromhex(value)
        return self._owner_key

    async def has_imported(self) -> bool:
        """Whether conversations of the replaced service were ever imported."""
        query = select(facts.c.name).where(facts.c.name == IMPORTED)
        return await self._transactions.run(lambda db: db.scalar(query)) is not None

    async def adopt(self, *, source: Owner, target: Owner, trace_id: str | None = None) -> int:
        """Moves source's conversations, or those about one trace, to target; returns how many.

        Where target has a conversation about the same trace, the moved ones get numbers below its
        lowest, so that target's own stays the current one.
        """
        if source == target:
            return 0
        return await self._transactions.run(
            lambda db: _adopt_conversations(db, source, target, trace_id)
        )

    async def find(
        self, owner: Owner, trace_id: str, conversation_id: str | None = None
    ) -> Conversation | None:
        """The current conversation, or the one with this id, about the trace.

        It is free if the lease of its turn has expired.
        """
        holder = case((turns.c.lease_until > utc_now(), sessions.c.active_turn_id))
        active = and_(turns.c.session_id == sessions.c.id, turns.c.id == sessions.c.active_turn_id)
        columns = (sessions.c.id, sessions.c.number, sessions.c.marker, holder, feedback.c.value)
        query = select_conversation(
            columns, _owner_columns(owner), trace_id, conversation_id=conversation_id
        ).select_from(sessions.outerjoin(turns, active).outerjoin(feedback))
        row = await self._transactions.run(lambda db: _fetch_first(db, query))
        return None if row is None else Conversation(*row)

    async def check_place(self, owner: Owner, trace_id: str, place: TurnPlace) -> None:
        """Raises NotFound where the owner has no such place, which names something."""
        names = _owner_columns(owner)
        await self._transactions.run(lambda db: turn_log.check_place(db, names, trace_id, place))

    async def begin_turn(
        self,
        owner: Owner,
        trace_id: str,
        *,
        turn_id: str,
        entry: EventEntry,
        lease_seconds: float,
        model: str,
        quotas: Quotas = _NO_QUOTAS,
        title: str | None = None,
        place: TurnPlace = LATEST_PLACE,
    ) -> Conversation | None:
        """Takes the conversation of the turn's place and writes the turn's first entry.

        Creates the first conversation about a trace; one without a title gets this one. A turn
        whose lease has expired by the database's clock gets its TurnInterrupted in the same
        transaction. Returns None while another turn holds the conversation. Raises NotFound where
        there is no such place, LimitReached where a quota is used up.
        """
        start = TurnStart(turn_id, entry, lease_seconds, model, quotas, title, place)
        names = _owner_columns(owner)
        self._begun += 1
        clean_up = self._begun % CLEAN_UP_TURNS == 0

        def begin(db: Connection) -> Conversation | None:
            if clean_up:
                delete_old_admissions(db)
            return turn_log.begin_turn(db, names, trace_id, start=start)

        return await self._transactions.run(begin)

    async def append(
        self,
        turn: TurnKey,
        entries: Sequence[EventEntry],
        *,
        lease_seconds: float | None = None,
        tokens: int | None = None,
    ) -> None:
        """Appends entries that are not in the log yet, in order.

        With `lease_seconds` the turn also holds its conversation for that long from now; with
        `tokens` it has used so many in all. An event that is too large for the database is cut and
        marked. Raises TurnLost when the conversation was deleted or taken over.
        """
        attempts = count(1)

        def append(db: Connection) -> None:
            if tokens is not None:
                record_tokens(db, turn.turn_id, tokens)
            turn_log.append_events(
                db, turn, entries, lease_seconds=lease_seconds, repeated=next(attempts) > 1
            )

        await self._transactions.run(append)

    async def end_turn(
        self,
        turn: TurnKey,
        entries: Sequence[EventEntry],
        *,
        state: str,
        usage: TokenUsage,
        model: str | None = None,
        tokens: int | None = None,
    ) -> None:
        """Appends the last entries (the very last is terminal) and frees the conversation.

        `state` is finished, failed or cancelled; `model` replaces the one given at the begin.
        Raises like `append`.
        """
        attempts = count(1)

        def end(db: Connection) -> None:
            if tokens is not None:
                record_tokens(db, turn.turn_id, tokens)
            turn_log.end_turn(
                db,
                turn,
                entries,
                repeated=next(attempts) > 1,
                state=state,
                usage=usage,
                model=model,
            )

        await self._transactions.run(end)

    async def renew(self, turn: TurnKey, lease_seconds: float) -> None:
        """Holds the conversation for that many seconds from now; raises TurnLost like `append`."""
        await self.append(turn, (), lease_seconds=lease_seconds)

    async def record_tokens(self, turn_id: str, tokens: int) -> None:
        """Stores how many tokens a turn has used in all; its conversation may be gone by now."""
        await self._transactions.run(lambda db: record_tokens(db, turn_id, tokens))

    async def events(self, conversation_id: str) -> list[LoggedEvent]:
        """The whole log in order, without events that only a later version knows."""
        return await read_log(self._transactions, conversation_id)

    async def read_page(
        self,
        conversation_id: str,
        turn_ids: Set[str],
        *,
        before: int | None,
        characters: float,
    ) -> LogPage:
        """The last of these turns, or the last whose events come before a sequence number.

        About `characters` of stored text, but at least one turn; without tool results and other
        events that nobody is shown.
        """
        return await read_log_page(
            self._transactions, conversation_id, turn_ids, before=before, characters=characters
        )

    async def read_parents(self, conversation_id: str) -> dict[str, str | None]:
        """The parent of each turn of a conversation, the turns in order of their start."""
        return await read_turn_parents(self._transactions, conversation_id)

    async def list_conversations(
        self, owner: Owner, trace_id: str, conversation_id: str | None = None
    ) -> list[ConversationEntry]:
        """All of this owner's conversations about a trace, the newest first; or this one alone."""
        names = _owner_columns(owner)
        return await self._transactions.run(
            lambda db: read_entries(db, names, trace_id, conversation_id=conversation_id)
        )

    async def create_conversation(
        self, owner: Owner, trace_id: str, quotas: Quotas = _NO_QUOTAS
    ) -> ConversationEntry:
        """Creates an empty conversation, from now on the current one.

        Raises LimitReached where the owner has too many.
        """
        names, new_id = _owner_columns(owner), str(uuid4())
        return await self._transactions.run(
            lambda db: create_conversation(db, names, trace_id, new_id=new_id, quotas=quotas)
        )

    async def rename_conversation(
        self, owner: Owner, trace_id: str, conversation_id: str, *, title: str
    ) -> ConversationEntry | None:
        """Sets a conversation's title; None where the owner has no such conversation."""
        names = _owner_columns(owner)
        return await self._transactions.run(
            lambda db: rename_conversation(db, names, trace_id, id=conversation_id, title=title)
        )

    async def delete(
        self, owner: Owner, trace_id: str, conversation_id: str | None = None
    ) -> dict[str, str | None]:
        """Deletes all of this owner's conversations about a trace, or the one with this id.

        Their turns, events and feedback go with them. Returns their ids, each with the id of its
        running turn, if any; such a turn can write no more.
        """
        forgotten: dict[str, str | None] = {}
        chosen = _is_about_trace(owner, trace_id)
        if conversation_id is not None:
            chosen = and_(chosen, sessions.c.id == conversation_id)
        await self._transactions.run(lambda db: _delete_conversations(db, chosen, forgotten))
        return forgotten

    async def set_feedback(
        self, owner: Owner, trace_id: str, value: int, conversation_id: str | None = None
    ) -> str | None:
        """Sets the feedback (0 or 1) of the current conversation, or of the one with this id.

        Returns its id, if there is one.
        """
        found = _lock_conversation(owner, trace_id, conversation_id)
        return await self._transactions.run(lambda db: _set_feedback(db, found, value))

    async def clear_feedback(
        self, owner: Owner, trace_id: str, conversation_id: str | None = None
    ) -> str | None:
        """Removes that feedback, if any; returns the conversation's id, if there is one."""
        found = _lock_conversation(owner, trace_id, conversation_id)
        return await self._transactions.run(lambda db: _clear_feedback(db, found))


def _fit_column(name: str) -> str:
    """The name, or a hash of it where the column cannot hold it exactly.

    A column has a maximal length, MySQL ignores trailing spaces when it compares, and half a
    surrogate pair is no UTF-8.
    """
    plain = name.encode("utf-8", "ignore").decode() == name
    if plain and len(name) <= _NAME_LENGTH and not name.startswith("~") and name == name.rstrip():
        return name
    return "~" + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def _owner_columns(owner: Owner) -> dict[str, str]:
    return {"workspace": _fit_column(owner.workspace), "owner": _fit_column(owner.name)}


def _is_owned_by(owner: Owner) -> ColumnElement[bool]:
    return and_(*(sessions.c[name] == value for name, value in _owner_columns(owner).items()))


def _is_about_trace(owner: Owner, trace_id: str) -> ColumnElement[bool]:
    return and_(_is_owned_by(owner), sessions.c.trace_id == trace_id)


def _fetch_first(db: Connection, query: Any) -> Any:
    return db.execute(query).first()


def _fetch_all(db: Connection, query: Any) -> Any:
    return db.execute(query).all()


def _adopt_conversations(db: Connection, source: Owner, target: Owner, trace_id: str | None) -> int:
    wanted = _is_owned_by(source) if trace_id is None else _is_about_trace(source, trace_id)
    rows = _fetch_all(
        db,
        select(sessions.c.id, sessions.c.trace_id, sessions.c.number)
        .where(wanted)
        .order_by(sessions.c.trace_id, sessions.c.number.desc())
        .with_for_update(),
    )
    for row in rows:
        lowest = db.scalar(
            select(func.min(sessions.c.number)).where(_is_about_trace(target, row.trace_id))
        )
        number = row.number if lowest is None else lowest - 1
        db.execute(
            sessions.update()
            .where(sessions.c.id == row.id)
            .values(**_owner_columns(target), number=number)
        )
    return len(rows)


def _delete_conversations(
    db: Connection, chosen: ColumnElement[bool], forgotten: dict[str, str | None]
) -> None:
    rows = _fetch_all(
        db, select(sessions.c.id, sessions.c.active_turn_id).where(chosen).with_for_update()
    )
    forgotten.update((row.id, row.active_turn_id) for row in rows)
    if rows:
        db.execute(delete(sessions).where(sessions.c.id.in_([row.id for row in rows])))


def _lock_conversation(owner: Owner, trace_id: str, conversation_id: str | None) -> Select[Any]:
    names = _owner_columns(owner)
    return select_conversation(
        [sessions.c.id], names, trace_id, conversation_id=conversation_id
    ).with_for_update()


def _set_feedback(db: Connection, found: Select[Any], value: int) -> str | None:
    session_id: str | None = db.scalar(found)
    if session_id is None:
        return None
    values = {"value": value, "updated_at": utc_now()}
    changed = db.execute(
        feedback.update().where(feedback.c.session_id == session_id).values(values)
    )
    if changed.rowcount == 0:
        db.execute(feedback.insert().values(session_id=session_id, **values))
    return session_id


def _clear_feedback(db: Connection, found: Select[Any]) -> str | None:
    session_id: str | None = db.scalar(found)
    db.execute(delete(feedback).where(feedback.c.session_id == session_id))
    return session_id
