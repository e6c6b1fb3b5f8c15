"""Limits of turns, tokens and conversations per owner and workspace, checked when a turn begins.

A transaction that admits a turn locks the row of its workspace until the commit, so that all
processes count one after the other. Locks are taken in one order, session before workspace: no
transaction that holds a workspace waits for a session.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, func, select

from app.db.schema import admissions, sessions, turns, utc_in, utc_now, workspaces
from app.errors import LimitReached
from app.messages import clamp_tokens

MINUTE_SECONDS = 60
DAY_SECONDS = 86_400
CONCURRENCY_RETRY_SECONDS = 5
"""When to try again where it is unknown how long the running turns will take."""
_DELETE_BATCH = 100


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
    if quotas.owner_events is not None:
        _check_events(db, owner, quotas.owner_events)
    delete_old_admissions(db)
    _lock_workspace(db, owner["workspace"])
    _check_running(db, owner, quotas)
    if quotas.owner_turns_per_minute is not None:
        _check_minute(db, owner, quotas.owner_turns_per_minute)
    if quotas.workspace_tokens_per_day is not None:
        _check_tokens(db, owner["workspace"], quotas.workspace_tokens_per_day)
    if first and quotas.owner_conversations is not None:
        _check_conversations(db, owner, quotas.owner_conversations)
    if quotas.owner_turns_per_minute or quotas.workspace_tokens_per_day:
        db.execute(
            admissions.insert().values(turn_id=turn_id, **owner, admitted_at=utc_now(), tokens=0)
        )


def admit_conversation(db: Connection, owner: Mapping[str, str], quotas: Quotas) -> None:
    """Admits a conversation without a turn, or raises LimitReached; `owner` as for a turn.

    From here to the commit no other of this workspace is admitted.
    """
    _lock_workspace(db, owner["workspace"])
    if quotas.owner_conversations is not None:
        _check_conversations(db, owner, quotas.owner_conversations)


def record_tokens(db: Connection, turn_id: str, tokens: int) -> None:
    """Stores how many tokens an admitted turn has used in all."""
    db.execute(
        admissions.update()
        .where(admissions.c.turn_id == turn_id)
        .values(tokens=clamp_tokens(tokens))
    )


def delete_old_admissions(db: Connection) -> None:
    """Deletes some admissions that no limit counts any more."""
    old = db.scalars(
        select(admissions.c.turn_id)
        .where(admissions.c.admitted_at < utc_in(-DAY_SECONDS))
        .order_by(admissions.c.admitted_at)
        .limit(_DELETE_BATCH)
    )
    if ids := sorted(old):
        db.execute(delete(admissions).where(admissions.c.turn_id.in_(ids)))


def _lock_workspace(db: Connection, workspace: str) -> None:
    row = select(workspaces.c.name).where(workspaces.c.name == workspace).with_for_update()
    if db.scalar(row) is None:
        db.execute(workspaces.insert().values(name=workspace))


def _check_running(db: Connection, owner: Mapping[str, str], quotas: Quotas) -> None:
    if quotas.owner_turns is None and quotas.workspace_turns is None:
        return
    # A subquery instead of a join: it goes from the few running turns to their sessions.
    of_session = (
        select(sessions.c.owner)
        .where(sessions.c.id == turns.c.session_id, sessions.c.workspace == owner["workspace"])
        .scalar_subquery()
    )
    owners = [each for each in db.scalars(select(of_session).where(has_live_lease())) if each]
    in_all, own = len(owners), owners.count(owner["owner"])
    if quotas.owner_turns is not None and own >= quotas.owner_turns:
        raise LimitReached(
            f"You have {_format_questions(quotas.owner_turns)} being answered now, which is the"
            " most at once. Wait until one is done, or stop one.",
            retry_after=CONCURRENCY_RETRY_SECONDS,
        )
    if quotas.workspace_turns is not None and in_all >= quotas.workspace_turns:
        raise LimitReached(
            f"This workspace has {_format_questions(quotas.workspace_turns)} being answered now,"
            " which is the most at once. Try again in a moment.",
            retry_after=CONCURRENCY_RETRY_SECONDS,
        )


def has_live_lease() -> ColumnElement[bool]:
    """Condition on `turns`: the turn runs, and its process still renews its lease."""
    return and_(turns.c.lease_until > utc_now(), turns.c.ended_at.is_(None))


def _check_minute(db: Connection, owner: Mapping[str, str], most: int) -> None:
    oldest = (
        select(admissions.c.admitted_at, utc_now())
        .where(_is_owned_admission(owner), admissions.c.admitted_at > utc_in(-MINUTE_SECONDS))
        .order_by(admissions.c.admitted_at.desc())
        .offset(most - 1)
        .limit(1)
    )
    row = db.execute(oldest).first()
    if row is None:
        return
    admitted_at, now = row
    seconds = _round_up_seconds(admitted_at + timedelta(seconds=MINUTE_SECONDS) - now)
    unit = "second" if seconds == 1 else "seconds"
    raise LimitReached(
        f"You have asked {_format_questions(most)} within a minute. Try again in {seconds} {unit}.",
        retry_after=seconds,
    )


def _check_tokens(db: Connection, workspace: str, most: int) -> None:
    now = (db.execute(select(utc_now()))).scalar_one()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    spent = db.scalar(
        select(func.coalesce(func.sum(admissions.c.tokens), 0)).where(
            admissions.c.workspace == workspace, admissions.c.admitted_at >= midnight
        )
    )
    if (spent or 0) >= most:
        raise LimitReached(
            f"This workspace has used up its {most:,} tokens of today. It gets new ones at"
            " 00:00 UTC; the operator of this service can raise the limit.",
            retry_after=_round_up_seconds(midnight + timedelta(days=1) - now),
        )


def _check_conversations(db: Connection, owner: Mapping[str, str], most: int) -> None:
    if (db.scalar(select(func.count()).where(_is_owned_session(owner))) or 0) >= most:
        raise LimitReached(
            f"You have {most:,} conversations, which is the most that are kept. Clear the chat of"
            " a trace that you no longer need, then ask again."
        )


def _check_events(db: Connection, owner: Mapping[str, str], most: int) -> None:
    stored = func.coalesce(func.sum(sessions.c.next_sequence - 1), 0)
    if (db.scalar(select(stored).where(_is_owned_session(owner))) or 0) >= most:
        raise LimitReached(
            f"Your conversations hold {most:,} stored events, which is the most that are kept."
            " Clear the chat of a trace that you no longer need, then ask again."
        )


def _is_owned_session(owner: Mapping[str, str]) -> ColumnElement[bool]:
    return and_(*(sessions.c[name] == value for name, value in owner.items()))


def _is_owned_admission(owner: Mapping[str, str]) -> ColumnElement[bool]:
    return and_(*(admissions.c[name] == value for name, value in owner.items()))


def _round_up_seconds(span: timedelta) -> int:
    return max(1, math.ceil(span.total_seconds()))


def _format_questions(number: int) -> str:
    return "1 question" if number == 1 else f"{number:,} questions"
