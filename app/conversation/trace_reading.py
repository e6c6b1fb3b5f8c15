"""Starts to read traces for questions, and for what is asked of a trace without a turn."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.caller import Caller, Owner
from app.conversation.admission import Admission
from app.conversation.owners import Owners
from app.conversation.ports import Access, OpeningTrace, OpenTrace


class TraceReading:
    """Reads traces with their callers' rights; what nobody will open is read no further."""

    def __init__(
        self, access: Access, owners: Owners, admission: Admission, open_trace: OpenTrace
    ) -> None:
        self._access = access
        self._owners = owners
        self._admission = admission
        self._open_trace = open_trace

    async def begin(self, caller: Caller, trace_id: str) -> tuple[Owner, OpeningTrace]:
        """Checks the caller's rights anew and starts to read the trace."""
        identity, trace = await self._access.admit(caller, trace_id)
        opening = self._open_trace(caller, identity.owner, trace)
        try:
            return await self._owners.take_over(identity, trace_id), opening
        except BaseException:
            opening.cancel()
            raise

    @asynccontextmanager
    async def without_turn(
        self, caller: Caller, trace_id: str
    ) -> AsyncIterator[tuple[Owner, OpeningTrace]]:
        """Does the same and holds one of the slots for questions until the block ends.

        Raises LimitReached where this process answers too many questions.
        """
        with self._admission.reserve_slot():
            owner, opening = await self.begin(caller, trace_id)
            try:
                yield owner, opening
            finally:
                opening.cancel()
