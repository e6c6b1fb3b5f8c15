"""Reads and writes conversations in the database."""

from collections.abc import Awaitable, Callable, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import anyio
from sqlalchemy import ColumnElement, Connection, Select, and_, case, delete, select

from app.caller import Owner
from app.db import turn_log
from app.db.conversation_list import (
    ConversationEntry,
    create_conversation,
    read_entries,
    rename_conversation,
)
from app.db.event_rows import EventEntry, TurnKey
from app.db.growing_replies import GrowingReplies
from app.db.log_reader import (
    LogPage,
    read_log,
    read_log_beginning,
    read_log_page,
    read_turn_parents,
)
from app.db.ownership import adopt_conversations, is_about_trace
from app.db.quotas import Quotas, delete_old_admissions, record_tokens
from app.db.schema import IMPORTED, OWNER_KEY, facts, feedback, sessions, turns, utc_now
from app.db.transactions import Transactions
from app.db.turn_log import Conversation, TurnStart, select_conversation
from app.errors import DatabaseUnavailable
from app.events import LoggedEvent, TurnPlace
from app.messages import TokenUsage

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

CLEAN_UP_TURNS = 20
"""How often a turn that begins also deletes admissions that no limit counts any more."""


_IS_ACTIVE = and_(turns.c.session_id == sessions.c.id, turns.c.id == sessions.c.active_turn_id)


@dataclass(frozen=True, slots=True)
class TurnHolder:
    """The turn that holds a conversation, until `lease_until` and for so many seconds."""

    turn_id: str
    lease_until: datetime
    seconds: float


class Store:
    """Conversations, their turns, events and feedback.

    Every method is one short transaction. It may be repeated, completes even when its task is
    cancelled, and raises DatabaseUnavailable when the database does not answer.
    """

    def __init__(
        self,
        engine: "AsyncEngine",
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
        self.growing_replies = GrowingReplies(self._transactions)
        self._owner_key: bytes | None = None
        self._begun = 0

    def limit_time(self, seconds: float) -> None:
        """From now on a transaction, also one under way, has at most so many seconds."""
        self._transactions.limit_time(seconds)

    def is_disk_full(self) -> bool:
        """Whether a write of the last minute failed since the database's disk is full."""
        return self._transactions.is_disk_full()

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
            lambda db: adopt_conversations(db, source, target, trace_id)
        )

    async def find(
        self, owner: Owner, trace_id: str, conversation_id: str | None = None
    ) -> Conversation | None:
        """The current conversation, or the one with this id, about the trace.

        It is free if the lease of its turn has expired.
        """
        holder = case((turns.c.lease_until > utc_now(), sessions.c.active_turn_id))
        columns = (sessions.c.id, sessions.c.number, sessions.c.marker, holder, feedback.c.value)
        query = select_conversation(
            columns, owner, trace_id, conversation_id=conversation_id
        ).select_from(sessions.outerjoin(turns, _IS_ACTIVE).outerjoin(feedback))
        row = await self._transactions.run(lambda db: db.execute(query).first())
        return None if row is None else Conversation(*row)

    async def check_place(self, owner: Owner, trace_id: str, place: TurnPlace) -> None:
        """Raises NotFound where the owner has no such place, which names something."""
        await self._transactions.run(lambda db: turn_log.check_place(db, owner, trace_id, place))

    async def begin_turn(
        self, owner: Owner, trace_id: str, start: TurnStart
    ) -> Conversation | None:
        """Takes the conversation of the turn's place and writes the turn's first entry.

        Creates the first conversation about a trace; one without a title gets the turn's. A turn
        whose lease has expired by the database's clock gets its TurnInterrupted in the same
        transaction. Returns None while another turn holds the conversation. Raises NotFound where
        there is no such place, LimitReached where a quota is used up.
        """
        self._begun += 1
        clean_up = self._begun % CLEAN_UP_TURNS == 0

        def begin(db: Connection) -> Conversation | None:
            if clean_up:
                delete_old_admissions(db)
            conversation = turn_log.begin_turn(db, owner, trace_id, start=start)
            if conversation is None or conversation.is_new:
                return conversation
            return replace(conversation, beginning=read_log_beginning(db, conversation.id))

        return await self._transactions.run(begin)

    async def find_holder(
        self, owner: Owner, trace_id: str, conversation_id: str | None = None
    ) -> TurnHolder | None:
        """The turn that holds the current conversation, or the one with this id."""
        columns = (turns.c.id, turns.c.lease_until, utc_now().label("now"))
        query = select_conversation(
            columns, owner, trace_id, conversation_id=conversation_id
        ).select_from(sessions.join(turns, _IS_ACTIVE))
        row = await self._transactions.run(lambda db: db.execute(query).first())
        if row is None or row.lease_until <= row.now:
            return None
        return TurnHolder(row.id, row.lease_until, (row.lease_until - row.now).total_seconds())

    async def append(
        self,
        turn: TurnKey,
        entries: Sequence[EventEntry],
        *,
        lease_seconds: float | None = None,
        tokens: int | None = None,
        unfinished: str | None = None,
    ) -> None:
        """Appends entries that are not in the log yet, in order.

        With `lease_seconds` the turn also holds its conversation for that long from now; with
        `tokens` it has used so many in all; `unfinished` is the JSON of the reply under way, "" for
        none. An event that is too large for the database is cut and marked. Raises TurnLost when
        the conversation was deleted or taken over.
        """
        attempts = count(1)

        def append(db: Connection) -> None:
            if tokens is not None:
                record_tokens(db, turn.turn_id, tokens)
            repeated = next(attempts) > 1
            turn_log.append_events(
                db,
                turn,
                entries,
                lease_seconds=lease_seconds,
                unfinished=unfinished,
                repeated=repeated,
            )

        await self._transactions.run(append)

    async def end_turn(
        self,
        turn: TurnKey,
        entries: Sequence[EventEntry],
        *,
        usage: TokenUsage,
        model: str | None = None,
        tokens: int | None = None,
    ) -> None:
        """Appends the last entries (the very last is terminal) and frees the conversation.

        `model` replaces the one given at the begin. Raises like `append`.
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
                usage=usage,
                model=model,
            )

        await self._transactions.run(end)

    async def record_tokens(self, turn_id: str, tokens: int) -> None:
        """Stores how many tokens a turn has used in all; its conversation may be gone by now."""
        await self._transactions.run(lambda db: record_tokens(db, turn_id, tokens))

    async def events(self, conversation_id: str) -> list[LoggedEvent]:
        """The whole log in order, without events that only a later version knows."""
        return await read_log(self._transactions, conversation_id)

    async def events_at_begin(self, conversation: Conversation) -> list[LoggedEvent]:
        """The same for a conversation that `begin_turn` returned, with less to read."""
        return await read_log(self._transactions, conversation.id, beginning=conversation.beginning)

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
        return await self._transactions.run(
            lambda db: read_entries(db, owner, trace_id, conversation_id=conversation_id)
        )

    async def create_conversation(
        self, owner: Owner, trace_id: str, quotas: Quotas
    ) -> ConversationEntry:
        """Creates an empty conversation, from now on the current one.

        Raises LimitReached where the owner has too many.
        """
        new_id = str(uuid4())
        return await self._transactions.run(
            lambda db: create_conversation(db, owner, trace_id, new_id=new_id, quotas=quotas)
        )

    async def rename_conversation(
        self, owner: Owner, trace_id: str, conversation_id: str, *, title: str
    ) -> ConversationEntry | None:
        """Sets a conversation's title; None where the owner has no such conversation."""
        return await self._transactions.run(
            lambda db: rename_conversation(db, owner, trace_id, id=conversation_id, title=title)
        )

    async def delete(
        self, owner: Owner, trace_id: str, conversation_id: str | None = None
    ) -> dict[str, str | None]:
        """Deletes all of this owner's conversations about a trace, or the one with this id.

        Their turns, events and feedback go with them. Returns their ids, each with the id of its
        running turn, if any; such a turn can write no more.
        """
        # Kept over all attempts: after a commit whose outcome is unknown the next finds no rows.
        forgotten: dict[str, str | None] = {}
        chosen = is_about_trace(owner, trace_id)
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


def _delete_conversations(
    db: Connection, chosen: ColumnElement[bool], forgotten: dict[str, str | None]
) -> None:
    query = select(sessions.c.id, sessions.c.active_turn_id).where(chosen).with_for_update()
    rows = db.execute(query).all()
    forgotten.update((row.id, row.active_turn_id) for row in rows)
    if rows:
        db.execute(delete(sessions).where(sessions.c.id.in_([row.id for row in rows])))


def _lock_conversation(owner: Owner, trace_id: str, conversation_id: str | None) -> Select[Any]:
    return select_conversation(
        [sessions.c.id], owner, trace_id, conversation_id=conversation_id
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
