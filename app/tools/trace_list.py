"""Lists traces of a project, newest first, without their bodies and within bounds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import anyio

from app.caller import Caller
from app.errors import OpikAssistError
from app.ids import is_uuid
from app.opik.client import BODIES, Filter, OpikClient
from app.opik.records import Trace
from app.tools.paging import PageSize

Passes = Callable[[Trace], bool]


@dataclass(frozen=True, slots=True)
class ListLimits:
    """What one list may read: records, bytes on the wire, seconds."""

    records: int = 2_000
    bytes: int = 16 * 1024 * 1024
    seconds: float = 10


@dataclass(slots=True)
class TraceList:
    """Traces without bodies, newest first, each one once.

    `looked_at` counts the records that came, more than the traces where the backend did not
    choose them itself; `whole` tells that there are no more of them.
    """

    traces: list[Trace] = field(default_factory=list)
    looked_at: int = 0
    whole: bool = False


class Lister:
    """Makes one list: asks page by page, and checks each trace itself, since a backend may ignore
    filters."""

    def __init__(
        self,
        client: OpikClient,
        caller: Caller,
        project_id: str,
        *,
        passes: Passes,
        enough: int,
        limits: ListLimits,
    ) -> None:
        self._client = client
        self._caller = caller
        self._project_id = project_id
        self._passes = passes
        self._enough = enough
        self._limits = limits
        self._found = TraceList()
        self._bytes = 0

    async def run(self, *wishes: Sequence[Filter], cursor: str = "") -> TraceList:
        """The list that the first of these sets of filters gives which finds anything; where the
        backend takes none of them, the traces that pass among the newest of the project."""
        taken = False
        with anyio.move_on_after(self._limits.seconds):
            for filters in wishes:
                taken = await self._read(filters, cursor) or taken
                if self._found.traces:
                    return self._found
            if not taken:
                await self._read((), cursor)
        return self._found

    async def _read(self, filters: Sequence[Filter], cursor: str) -> bool:
        """Reads pages until there is enough; False where the filters are not taken."""
        size, known = PageSize(), {each.id for each in self._found.traces}
        while not self._is_enough():
            limit = min(size.limit, self._limits.records - self._found.looked_at)
            try:
                page = await self._client.trace_page(
                    self._caller,
                    self._project_id,
                    limit=limit,
                    cursor=cursor,
                    filters=filters,
                    exclude=BODIES,
                )
            except OpikAssistError:
                if not self._found.traces:
                    raise
                return True
            if page is None:
                return False
            self._found.looked_at += page.records
            self._bytes += page.bytes
            new = [each for each in page.found if each.id not in known and is_uuid(each.id)]
            known |= {each.id for each in new}
            self._found.traces += [each for each in new if self._passes(each)]
            if page.broken and limit == 1:
                return True
            if not page.broken and page.records < limit:
                self._found.whole = True
                return True
            cursor = page.cursor or cursor
            size.learn(page)
        return True

    def _is_enough(self) -> bool:
        return (
            len(self._found.traces) >= self._enough
            or self._found.looked_at >= self._limits.records
            or self._bytes >= self._limits.bytes
        )
