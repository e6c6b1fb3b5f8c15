"""Work that one process at a time does for all: a lease by the database's clock."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.schema import chores, utc_in, utc_now


async def hold(db: AsyncConnection, chore: str, holder: str, *, seconds: float) -> bool:
    """Takes or renews the lease of a chore for that many seconds; False while another has it.

    The lease's row stays locked until the commit, so nobody else does the chore meanwhile.
    """
    row = (
        await db.execute(
            select(chores.c.holder, (chores.c.lease_until > utc_now()).label("alive"))
            .where(chores.c.name == chore)
            .with_for_update()
        )
    ).first()
    values = {"holder": holder, "lease_until": utc_in(seconds)}
    if row is None:
        await db.execute(chores.insert().values(name=chore, **values))
        return True
    if row.alive and row.holder != holder:
        return False
    await db.execute(chores.update().where(chores.c.name == chore).values(values))
    return True
