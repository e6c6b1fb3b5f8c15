"""Finds out whose conversations a caller may see, and moves those of owners of earlier times."""

import structlog
from cachetools import TTLCache

from app.caller import Caller, Identity, Owner
from app.conversation.ports import Access
from app.db.store import Store

log = structlog.get_logger(__name__)

ADOPTION_CACHE_SECONDS = 60
"""How long to skip looking for conversations of a former owner, which is one query a request."""
IMPORT_CHECK_SECONDS = 60
"""After an import a running service shows the first conversations within this time."""


class Owners:
    """The owners of conversations, by the callers."""

    def __init__(self, store: Store, access: Access) -> None:
        self._store = store
        self._access = access
        self._adopted: TTLCache[tuple[Owner, str | None], Owner] = TTLCache(
            10_000, ADOPTION_CACHE_SECONDS
        )
        self._imported: TTLCache[None, bool] = TTLCache(1, IMPORT_CHECK_SECONDS)

    async def identify(
        self, caller: Caller, *, trace_id: str | None = None, fresh: bool = False
    ) -> Owner:
        """The caller's owner; takes over conversations of owners that the caller had before.

        `trace_id` is a trace that the caller may read: an imported conversation about it becomes
        the caller's.
        """
        return await self.take_over(await self._access.identify(caller, fresh=fresh), trace_id)

    async def take_over(self, identity: Identity, trace_id: str | None) -> Owner:
        """The owner of this identity, as `identify` gives it."""
        if not identity.former_owners:
            # What is asked under this name is adopted as soon as the caller has another one.
            self._adopted.pop((identity.owner, None), None)
        for former in identity.former_owners:
            await self._adopt(former, identity.owner)
        imported = identity.imported_owner
        if imported is not None and trace_id is not None and await self._has_imported():
            await self._adopt(imported, identity.owner, trace_id)
        return identity.owner

    async def _adopt(self, former: Owner, owner: Owner, trace_id: str | None = None) -> None:
        if self._adopted.get((former, trace_id)) != owner:
            moved = await self._store.adopt(source=former, target=owner, trace_id=trace_id)
            self._adopted[former, trace_id] = owner
            if moved:
                log.info("conversations_adopted", count=moved)

    async def _has_imported(self) -> bool:
        """Asked once in IMPORT_CHECK_SECONDS, so that a turn has no statement for it."""
        if None not in self._imported:
            self._imported[None] = await self._store.has_imported()
        return self._imported[None]
