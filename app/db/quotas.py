"""Limits of turns, tokens and conversations per owner and workspace, checked when a turn begins.

A transaction that admits a turn locks the row of its workspace until the commit, so that all
processes count one after the other. Locks are taken in one order, session before workspace: no
transaction that holds a workspace waits for a session.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    func,
    select,
)

from app.db.schema import (
    UtcDateTime,
    admissions,
    sessions,
    turns,
    utc_in,
    utc_now,
    workspaces,
)
from app.errors import LimitReached
from app.messages import clamp_tokens

MINUTE_SECONDS = 60
DAY_SECONDS = 86_400
CONCURRENCY_RETRY_SECONDS = 5
"""When to try again where it is unknown how long the running turns will take."""
DELETE_BATCH = 2_000
"""The most at a time, far more than the turns that come between two times."""


OWNER_CONVERSATIONS = 10_000
"""More traces than one person asks about in years; a script that asks about every trace stops
here."""
OWNER_EVENTS = 500_000
"""Stored events of one owner (about twenty a question), above which no turn starts: bounds what one
user takes of the database."""


@dataclass(frozen=True, slots=True)
class Quotas:
    """The most of each; None for no limit.

    `owner_turns` and `workspace_turns` run at once, in all processes together.
    `owner_turns_per_minute` begin within any sixty seconds. `workspace_tokens_per_day` are used
    since midnight UTC.
    """

    owner_turns: int | None = None
    owner_turns_per_minute: int | None = None
    owner_conversations: int | None = None
    owner_events: int | None = None
    workspace_turns: int | None = None
    workspace_tokens_per_day: int | None = None

    def for_workspace_only(self) -> "Quotas":
        """The limits for callers without a name, who share one owner."""
        return Quotas(
            workspace_turns=self.workspace_turns,
            workspace_tokens_per_day=self.workspace_tokens_per_day,
        )


def admit_turn(
    db: Connection, owner: Mapping[str, str], turn_id: str, *, quotas: Quotas, first: bool
) -> None:
    """Admits a turn or raises LimitReached; `first` if it creates a conversation.

    `owner` has the columns `workspace` and `owner`. The session's row, if there is one, is locked.
    """
    if quotas == Quotas():
        return
    _lock_workspace(db, owner["workspace"])
    counts = db.execute(_select_counts(quotas, first), owner).one()._asdict()
    _check_events(counts, quotas)
    _check_running(counts, quotas)
    _check_minute(counts, quotas)
    if quotas.workspace_tokens_per_day is not None:
        _check_tokens(db, owner["workspace"], counts["now"], quotas.workspace_tokens_per_day)
    _check_conversations(counts, quotas)
    if quotas.owner_turns_per_minute or quotas.workspace_tokens_per_day:
        db.execute(_INSERT_ADMISSION, {"turn_id": turn_id, **owner})


_WORKSPACE: BindParameter[str] = bindparam("workspace")
_OWNER: BindParameter[str] = bindparam("owner")
_INSERT_ADMISSION = admissions.insert().values(admitted_at=utc_now(), tokens=0)


@lru_cache
def _select_counts(quotas: Quotas, first: bool) -> Select[Any]:
    """One row with what the limits count of `:owner` and `:workspace`, and the time."""
    columns: list[ColumnElement[Any]] = [utc_now().label("now")]

    def add(name: str, query: Select[Any]) -> None:
        columns.append(query.scalar_subquery().label(name))

    if quotas.owner_events is not None:
        stored = func.coalesce(func.sum(sessions.c.next_sequence - 1), 0)
        add("owner_events", select(stored).where(_IS_OWNED_SESSION))
    if quotas.owner_turns is not None:
        add("owner_turns", _count_running(sessions.c.owner == _OWNER))
    if quotas.workspace_turns is not None:
        add("workspace_turns", _count_running())
    if quotas.owner_turns_per_minute is not None:
        # Up to now: after the clock was set back, later times would count for as long.
        recent = admissions.c.admitted_at.between(utc_in(-MINUTE_SECONDS), utc_now())
        admitted_at = select(admissions.c.admitted_at).where(_IS_OWNED_ADMISSION, recent)
        newest_first = admitted_at.order_by(admissions.c.admitted_at.desc())
        add("admitted_at", newest_first.offset(quotas.owner_turns_per_minute - 1).limit(1))
    if first and quotas.owner_conversations is not None:
        add("owner_conversations", select(func.count()).where(_IS_OWNED_SESSION))
    return select(*columns)


def _count_running(*of_owner: ColumnElement[bool]) -> Select[Any]:
    """Counts the running turns of the workspace, or of one owner in it."""
    # A subquery instead of a join: it goes from the few running turns to their sessions.
    of_session = select(sessions.c.owner).where(
        sessions.c.id == turns.c.session_id, sessions.c.workspace == _WORKSPACE, *of_owner
    )
    return select(func.count(of_session.scalar_subquery())).where(has_live_lease())


_IS_OWNED_SESSION = and_(sessions.c.workspace == _WORKSPACE, sessions.c.owner == _OWNER)
_IS_OWNED_ADMISSION = and_(admissions.c.workspace == _WORKSPACE, admissions.c.owner == _OWNER)


def admit_conversation(db: Connection, owner: Mapping[str, str], quotas: Quotas) -> None:
    """Admits a conversation without a turn, or raises LimitReached; `owner` as for a turn.

    From here to the commit no other of this workspace is admitted.
    """
    _lock_workspace(db, owner["workspace"])
    if quotas.owner_conversations is not None:
        only = Quotas(owner_conversations=quotas.owner_conversations)
        counts = db.execute(_select_counts(only, True), owner).one()._asdict()
        _check_conversations(counts, only)


def record_tokens(db: Connection, turn_id: str, tokens: int) -> None:
    """Stores how many tokens an admitted turn has used in all."""
    db.execute(_SET_TOKENS, {"turn": turn_id, "count": clamp_tokens(tokens)})


_SET_TOKENS = (
    admissions.update()
    .where(admissions.c.turn_id == bindparam("turn"))
    .values(tokens=bindparam("count"))
)


def delete_old_admissions(db: Connection) -> None:
    """Deletes some admissions that no limit counts any more."""
    old = db.scalars(
        select(admissions.c.turn_id)
        .where(admissions.c.admitted_at < utc_in(-DAY_SECONDS))
        .order_by(admissions.c.admitted_at)
        .limit(DELETE_BATCH)
    )
    if ids := sorted(old):
        db.execute(delete(admissions).where(admissions.c.turn_id.in_(ids)))


def _lock_workspace(db: Connection, workspace: str) -> None:
    if db.scalar(_LOCK_WORKSPACE, {"workspace": workspace}) is None:
        db.execute(workspaces.insert(), {"name": workspace})


_LOCK_WORKSPACE = select(workspaces.c.name).where(workspaces.c.name == _WORKSPACE).with_for_update()


def _check_running(counts: Mapping[str, Any], quotas: Quotas) -> None:
    most = quotas.owner_turns
    if most is not None and counts["owner_turns"] >= most:
        raise LimitReached(
            f"You have {_format_questions(most)} being answered now, which is the"
            " most at once. Wait until one is done, or stop one.",
            retry_after=CONCURRENCY_RETRY_SECONDS,
        )
    most = quotas.workspace_turns
    if most is not None and counts["workspace_turns"] >= most:
        raise LimitReached(
            f"This workspace has {_format_questions(most)} being answered now,"
            " which is the most at once. Try again in a moment.",
            retry_after=CONCURRENCY_RETRY_SECONDS,
        )


def has_live_lease() -> ColumnElement[bool]:
    """Condition on `turns`: the turn runs, and its process still renews its lease."""
    return and_(turns.c.lease_until > utc_now(), turns.c.ended_at.is_(None))


def _check_minute(counts: Mapping[str, Any], quotas: Quotas) -> None:
    most, admitted_at = quotas.owner_turns_per_minute, counts.get("admitted_at")
    if most is None or admitted_at is None:
        return
    again_at = admitted_at + timedelta(seconds=MINUTE_SECONDS)
    seconds = _round_up_seconds(again_at - counts["now"])
    unit = "second" if seconds == 1 else "seconds"
    raise LimitReached(
        f"You have asked {_format_questions(most)} within a minute. Try again in {seconds} {unit}.",
        retry_after=seconds,
    )


def _check_tokens(db: Connection, workspace: str, now: datetime, most: int) -> None:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    spent = db.scalar(_SUM_TOKENS, {"workspace": workspace, "midnight": midnight})
    if (spent or 0) >= most:
        raise LimitReached(
            f"This workspace has used up its {most:,} tokens of today. It gets new ones at"
            " 00:00 UTC; the operator of this service can raise the limit.",
            retry_after=_round_up_seconds(midnight + timedelta(days=1) - now),
        )


_SUM_TOKENS = select(func.coalesce(func.sum(admissions.c.tokens), 0)).where(
    admissions.c.workspace == _WORKSPACE,
    admissions.c.admitted_at >= bindparam("midnight", type_=UtcDateTime()),
)


def _check_conversations(counts: Mapping[str, Any], quotas: Quotas) -> None:
    most = quotas.owner_conversations
    if most is not None and counts.get("owner_conversations", 0) >= most:
        raise LimitReached(
            f"You have {most:,} conversations, which is the most that are kept. Clear the chat of"
            " a trace that you no longer need, then ask again."
        )


def _check_events(counts: Mapping[str, Any], quotas: Quotas) -> None:
    most = quotas.owner_events
    if most is not None and counts["owner_events"] >= most:
        raise LimitReached(
            f"Your conversations hold {most:,} stored events, which is the most that are kept."
            " Clear the chat of a trace that you no longer need, then ask again."
        )


def _round_up_seconds(span: timedelta) -> int:
    return max(1, math.ceil(span.total_seconds()))


def _format_questions(number: int) -> str:
    return "1 question" if number == 1 else f"{number:,} questions"
