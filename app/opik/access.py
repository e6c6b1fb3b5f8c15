"""Asks the backend who a caller is and whether they may read a trace; caches the answers briefly.

Only permissions are cached, never refusals, under a digest of the credentials: a revoked permission
ends within the cache's time, and a failing backend allows nothing.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from time import monotonic

from cachetools import LRUCache, TTLCache

from app.caller import DEFAULT_WORKSPACE, WORKSPACE_LENGTH, Caller, Identity, Owner
from app.errors import BackendUnavailable
from app.opik.client import OpikClient
from app.opik.records import Trace
from app.task_groups import open_task_group

CACHE_SIZE = 10_000
ACCESS_CACHE_SECONDS = 60.0
"""How long a permission is remembered, and so how long a revoked one still opens a history. Each
question asks again."""
_NAME_LENGTH = 240
"""With its prefix a name fits into the 255 characters of its column."""
ANONYMOUS = "anonymous"
"""The name of every caller without a token, where the backend names nobody."""
_IMPORTED_NAME_DIGITS = 16


class BackendAccess:
    def __init__(self, client: OpikClient, *, owner_key: Callable[[], Awaitable[bytes]]) -> None:
        """`owner_key` signs tokens into owner names."""
        self._client = client
        self._owner_key = owner_key
        self._identities: TTLCache[str, Identity] = TTLCache(
            CACHE_SIZE, ACCESS_CACHE_SECONDS, timer=monotonic
        )
        # The name that the backend last gave to credentials: they stand for one user, so it holds
        # where the backend, or another one behind the same address, names nobody for a while.
        self._names: LRUCache[str, Owner] = LRUCache(CACHE_SIZE)
        self._readable: TTLCache[tuple[str, str], bool] = TTLCache(
            CACHE_SIZE, ACCESS_CACHE_SECONDS, timer=monotonic
        )

    async def identify(self, caller: Caller, *, fresh: bool) -> Identity:
        """Who the caller is according to the backend.

        Where the backend has no such endpoint, the owner is the one that it named before, else is
        named by the token (signed, so that it cannot be read back from the database) or anonymous;
        every other failure is raised.
        """
        digest = caller.digest()
        known = None if fresh else self._identities.get(digest)
        if known is None:
            known = await self._read_identity(caller)
            self._identities[digest] = known
        return known

    async def check(self, caller: Caller, trace_id: str, *, fresh: bool) -> bool:
        """Returns if the caller may read the trace; raises the backend's error otherwise. True
        where the backend was asked, False where its answer was cached."""
        key = (caller.digest(), trace_id)
        if not fresh and key in self._readable:
            return False
        self._readable.pop(key, None)
        await self._client.check_trace(caller, trace_id)
        self._readable[key] = True
        return True

    async def admit(self, caller: Caller, trace_id: str) -> tuple[Identity, Trace]:
        """Who the caller is, and the trace; both asked anew, side by side.

        Raises a refusal at once. While the backend's circuit is open only one of the two is let
        through, as the probe: it is not given up for the other, which follows when it succeeds.
        """
        identity: list[Identity] = []
        trace: list[Trace] = []

        async def identify() -> None:
            identity.append(await self.identify(caller, fresh=True))

        async def read_trace() -> None:
            key = (caller.digest(), trace_id)
            self._readable.pop(key, None)
            trace.append(await self._client.get_trace(caller, trace_id))
            self._readable[key] = True

        unavailable: list[tuple[Callable[[], Awaitable[None]], BackendUnavailable]] = []

        async def attempt(read: Callable[[], Awaitable[None]]) -> None:
            try:
                await read()
            except BackendUnavailable as error:
                unavailable.append((read, error))

        async with open_task_group() as group:
            group.start_soon(attempt, read_trace)
            group.start_soon(attempt, identify)
        if len(unavailable) > 1:
            raise unavailable[0][1]
        for read, _ in unavailable:
            await read()
        return identity[0], trace[0]

    async def _read_identity(self, caller: Caller) -> Identity:
        permissions = await self._client.get_permissions(caller)
        requested = caller.workspace if caller.workspace is not None else DEFAULT_WORKSPACE
        by_token = Owner(requested, await self._name_by_token(caller))
        digest = caller.digest()
        if permissions is not None:
            workspace = permissions.workspace_name or requested
            name = _name_user(permissions.user_name)
            self._names[digest] = Owner(workspace[:WORKSPACE_LENGTH], name)
        owner = self._names.get(digest)
        if owner is None:
            return Identity(by_token, imported_owner=_find_imported_owner(caller))
        return Identity(owner, (by_token,), _find_imported_owner(caller))

    async def _name_by_token(self, caller: Caller) -> str:
        if caller.secret is None:
            return ANONYMOUS
        key = await self._owner_key()
        signed = f"{caller.secret}\0{caller.workspace or ''}".encode("latin-1", "replace")
        kind = "token" if caller.api_key is None else "key"
        return f"{kind}:{hmac.new(key, signed, hashlib.sha256).hexdigest()}"


def name_imported_owner(user_id: str) -> Owner:
    """The owner of conversations imported from the replaced service, until their user takes them.

    `user_id` is the first 16 hex digits of the SHA-256 of the user's session token. That service
    stored no workspace, so there is none here either.
    """
    return Owner("", f"adk:{user_id}")


def _find_imported_owner(caller: Caller) -> Owner | None:
    if caller.token is None:
        return None
    digest = hashlib.sha256(caller.token.encode("latin-1", "replace")).hexdigest()
    return name_imported_owner(digest[:_IMPORTED_NAME_DIGITS])


def _name_user(name: str) -> str:
    if len(name) <= _NAME_LENGTH:
        return f"user:{name}"
    return f"user-sha256:{hashlib.sha256(name.encode()).hexdigest()}"
