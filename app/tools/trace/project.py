"""The project around one trace, read with the caller's rights and within bounds."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
from cachetools import LRUCache

from app.analysis.baseline import Baseline, BaselineWindow, read_baseline
from app.caller import Caller
from app.errors import NotFound, OpikAssistError
from app.ids import is_uuid
from app.opik.client import BODIES, Filter, OpikClient
from app.opik.records import Stats, Thread, Trace
from app.opik.responses import Page
from app.surrogates import join_surrogates

_FIRST, _LARGEST = 100, 1_000
_PAGE_BYTES = 2 * 1024 * 1024


class PageSize:
    """The number of records of the next page, learnt from the last one."""

    def __init__(self) -> None:
        self.limit = _FIRST

    def learn(self, page: Page[Any]) -> None:
        """Takes in what came when `limit` records were asked for."""
        if page.broken:
            self.limit = max(1, self.limit // 4)
        else:
            fitting = _PAGE_BYTES * page.records // max(1, page.bytes)
            self.limit = max(1, min(fitting, 2 * self.limit, _LARGEST))


TracePredicate = Callable[[Trace], bool]


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


class TraceLister:
    """Makes one list: asks page by page, and checks each trace itself, since a backend may ignore
    filters."""

    def __init__(
        self,
        client: OpikClient,
        caller: Caller,
        project_id: str,
        *,
        passes: TracePredicate,
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
                page = await self._client.get_trace_page(
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


BY_PROGRAMS: Filter = {"field": "source", "operator": "=", "value": "sdk"}
"""Without it lists and statistics mix in the runs of experiments, playgrounds and evaluators."""

_AFTER = timedelta(days=1)
_PLAIN_NAME = re.compile(r"[\w .,:;/()#@+-]{1,200}")
"""Names that may become part of a query string. Others are asked for in bodies only: names are
foreign text, and Opik takes 16 KB of a request's line and headers."""
_KEPT = 8


class ProjectReader:
    """Reads around one trace for one turn; a list that was read is not read again in it."""

    def __init__(
        self, client: OpikClient, caller: Caller, trace: Trace, *, limits: ListLimits | None = None
    ) -> None:
        self.trace = trace
        self._client = client
        self._caller = caller
        self._limits = limits or ListLimits()
        self._kept: LRUCache[object, TraceList] = LRUCache(_KEPT)
        self._lock = anyio.Lock()

    @property
    def project_id(self) -> str:
        """Raises NotFound for a trace that says nothing of its project."""
        if not is_uuid(self.trace.project_id or ""):
            raise NotFound("Opik does not tell which project this trace belongs to.")
        return str(self.trace.project_id)

    def window(self, days: int) -> BaselineWindow:
        """So many days before the trace, and one after it."""
        start = with_timezone(self.trace.start_time or datetime.now(UTC))
        return BaselineWindow(_shifted(start, -timedelta(days=days)), _shifted(start, _AFTER))

    async def named(
        self,
        name: str,
        window: BaselineWindow,
        *,
        enough: int,
        outcome: Filter | None = None,
        fits: TracePredicate = lambda _: True,
    ) -> TraceList:
        """The newest traces of exactly this name in this window that programs sent and that fit,
        at least `enough` of them where there are; `outcome` is the backend's filter for `fits`."""
        filters = [*_about(name, window), *([outcome] if outcome else [])]
        return await self._listed(
            [*filters, BY_PROGRAMS],
            filters,
            passes=lambda each: _is_of(each, name, window) and fits(each),
            enough=enough,
        )

    async def of_thread(self, *, cursor: str = "", enough: int = 2_000) -> TraceList:
        """The traces of this trace's thread that are older than `cursor` ("" for the newest)."""
        thread_id = self.trace.thread_id
        filters: list[Filter] = [_is("thread_id", thread_id or "")]
        return await self._listed(
            filters, passes=lambda each: each.thread_id == thread_id, enough=enough, cursor=cursor
        )

    async def bodies_of_thread(self, *, limit: int, cursor: str) -> Sequence[Trace]:
        """Up to `limit` traces of the thread with bodies, older than `cursor`, newest first; none
        where the backend cannot choose them."""
        filters = [_is("thread_id", self.trace.thread_id or "")]
        page = await self._client.get_trace_page(
            self._caller, self.project_id, limit=limit, cursor=cursor, filters=filters
        )
        return page.found if page else ()

    async def thread(self) -> Thread:
        """What the backend tells of the thread as a whole; raises its refusal."""
        thread_id = join_surrogates(self.trace.thread_id or "")
        return await self._client.get_thread(self._caller, self.project_id, thread_id)

    async def longest(self, name: str, window: BaselineWindow, size: int) -> Sequence[Trace] | None:
        """The slowest traces of this name in this window that programs sent; None where the
        backend cannot sort, or ignores filters."""
        if not _PLAIN_NAME.fullmatch(name):
            return None
        filters = _about(name, window)
        for attempt in ([*filters, BY_PROGRAMS], filters):
            found = await self._client.list_longest_traces(
                self._caller, self.project_id, size=size, filters=attempt
            )
            if found is not None:
                chosen = all(each.name == name for each in found)
                fitting = [each for each in found if _is_of(each, name, window)]
                return fitting if chosen else None
        return None

    async def usual(self, name: str, window: BaselineWindow) -> tuple[Baseline, bool] | None:
        """What the backend's statistics say of the traces of this name, and whether they leave out
        the runs of experiments and evaluators; None where it has none. Raises its refusal."""
        if not _PLAIN_NAME.fullmatch(name):
            return None
        filters = _about(name, window)
        for attempt in ([*filters, BY_PROGRAMS], filters):
            stats = await self._stats(attempt)
            usual = read_baseline(stats, window) if stats else None
            if usual is not None and usual.count:
                return usual, attempt is not filters
        return None

    async def _stats(self, filters: Sequence[Filter]) -> Stats | None:
        try:
            return await self._client.get_trace_stats(
                self._caller, self.project_id, filters=filters
            )
        except NotFound:
            return None

    async def _listed(
        self, *wishes: Sequence[Filter], passes: TracePredicate, enough: int, cursor: str = ""
    ) -> TraceList:
        key = (str(wishes), enough, cursor)
        async with self._lock:
            if key not in self._kept:
                lister = TraceLister(
                    self._client,
                    self._caller,
                    self.project_id,
                    passes=passes,
                    enough=enough,
                    limits=self._limits,
                )
                self._kept[key] = await lister.run(*wishes, cursor=cursor)
            return self._kept[key]


def with_timezone(moment: datetime) -> datetime:
    """The time in UTC; one without a zone is taken as UTC."""
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:  # at the ends of the calendar
        return moment.replace(tzinfo=UTC)


def _shifted(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:  # a clock that was far off
        return moment


def _about(name: str, window: BaselineWindow) -> list[Filter]:
    since, until = (
        each.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for each in (window.since, window.until)
    )
    return [
        _is("name", name),
        {"field": "start_time", "operator": ">=", "value": since},
        {"field": "start_time", "operator": "<=", "value": until},
    ]


def _is_of(trace: Trace, name: str, window: BaselineWindow) -> bool:
    """What the filters ask for, since a backend may ignore them; not all tell who sent a trace."""
    began = trace.start_time
    return (
        trace.name == name
        and trace.source in (None, "", "sdk")
        and began is not None
        and window.since <= with_timezone(began) <= window.until
        and is_uuid(trace.id)
    )


def _is(field: str, value: str) -> Filter:
    return {"field": field, "operator": "=", "value": join_surrogates(value)}
