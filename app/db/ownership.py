"""Whose conversations are whose: the columns of an owner, and a change of owner."""

import hashlib

from sqlalchemy import ColumnElement, Connection, and_, func, select

from app.caller import Owner
from app.db.schema import sessions

_NAME_LENGTH = 255


def fit_column(name: str) -> str:
    """The name, or a hash of it where the column cannot hold it exactly.

    A column has a maximal length, MySQL ignores trailing spaces when it compares, and half a
    surrogate pair is no UTF-8.
    """
    plain = name.encode("utf-8", "ignore").decode() == name
    if plain and len(name) <= _NAME_LENGTH and not name.startswith("~") and name == name.rstrip():
        return name
    return "~" + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def owner_columns(owner: Owner) -> dict[str, str]:
    """The values of the columns `workspace` and `owner`."""
    return {"workspace": fit_column(owner.workspace), "owner": fit_column(owner.name)}


def is_owned_by(owner: Owner) -> ColumnElement[bool]:
    """Condition on `sessions`."""
    return and_(*(sessions.c[name] == value for name, value in owner_columns(owner).items()))


def is_about_trace(owner: Owner, trace_id: str) -> ColumnElement[bool]:
    """Condition on `sessions`: the owner's conversations about a trace."""
    return and_(is_owned_by(owner), sessions.c.trace_id == trace_id)


def adopt_conversations(db: Connection, source: Owner, target: Owner, trace_id: str | None) -> int:
    """See `Store.adopt`."""
    wanted = is_owned_by(source) if trace_id is None else is_about_trace(source, trace_id)
    rows = db.execute(
        select(sessions.c.id, sessions.c.trace_id, sessions.c.number)
        .where(wanted)
        .order_by(sessions.c.trace_id, sessions.c.number.desc())
        .with_for_update()
    ).all()
    for row in rows:
        lowest = db.scalar(
            select(func.min(sessions.c.number)).where(is_about_trace(target, row.trace_id))
        )
        number = row.number if lowest is None else lowest - 1
        db.execute(
            sessions.update()
            .where(sessions.c.id == row.id)
            .values(**owner_columns(target), number=number)
        )
    return len(rows)
