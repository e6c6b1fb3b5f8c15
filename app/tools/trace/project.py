"""Reads other traces, threads and statistics of a trace's project, with the caller's rights."""

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
from app.opik.responses import Page, RecordTooLarge
from app.surrogates import join_surrogates

_FIRST, _LARGEST = 100, 1_000  # records of the first page, and of the largest
_PAGE_BYTES = 2 * 1024 * 1024  # aimed at: parsing a page must not hold a thread for long


class PageSize:
    """The number of records to ask for next, by the size of the last page."""

    def __init__(self) -> None:
        self.limit = _FIRST

    def adapt(self, page: Page[Any]) -> None:
        """Sets `limit` by the page it gave: a quarter of it where that broke off, else by bytes."""
        if page.broken:
            self.limit = max(1, self.limit // 4)
        else:
            fitting = _PAGE_BYTES * page.records // max(1, page.bytes)
            self.limit = max(1, min(fitting, 2 * self.limit, _LARGEST))


TracePredicate = Callable[[Trace], bool]


@dataclass(frozen=True, slots=True)
class ListLimits:
    """What one list may read: records, bytes on the wire, seconds. A tool call has 30 s."""

    records: int = 2_000
    bytes: int = 16 * 1024 * 1024
    seconds: float = 10


@dataclass(slots=True)
class TraceList:
    """Traces without bodies, newest first, each one once.

    `records` counts the records that came: more than the traces where the backend ignored filters.
    `complete` means that there are no more of them.
    """

    traces: list[Trace] = field(default_factory=list)
    records: int = 0
    complete: bool = False


@dataclass(slots=True)
class TraceLister:
    """Makes one list page by page; checks each trace itself, since a backend may ignore filters."""

    client: OpikClient
    caller: Caller
    project_id: str
    passes: TracePredicate
    enough: int
    limits: ListLimits
    _found: TraceList = field(default_factory=TraceList, init=False)
    _bytes: int = field(default=0, init=False)

    async def run(self, *filter_sets: Sequence[Filter], cursor: str = "") -> TraceList:
        """The list of the first of these sets of filters that finds anything; where the backend
        accepts none of them, the traces that pass among the newest of the project."""
        accepted = False
        with anyio.move_on_after(self.limits.seconds):
            for filters in filter_sets:
                accepted = await self._read(filters, cursor) or accepted
                if self._found.traces:
                    return self._found
            if not accepted:
                await self._read((), cursor)
        return self._found

    async def _read(self, filters: Sequence[Filter], cursor: str) -> bool:
        """Reads pages until there is enough; False where the backend refuses the filters."""
        self._found.complete = False
        size, known = PageSize(), {each.id for each in self._found.traces}
        while not self._is_enough():
            limit = min(size.limit, self.limits.records - self._found.records)
            try:
                page = await self.client.get_trace_page(
                    self.caller,
                    self.project_id,
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
            self._found.records += page.records
            self._bytes += page.bytes
            new = [each for each in page.found if each.id not in known and is_uuid(each.id)]
            known |= {each.id for each in new}
            self._found.traces += [each for each in new if self.passes(each)]
            if page.broken and limit == 1:
                return True
            if not page.broken and page.records < limit:
                self._found.complete = True
                return True
            cursor = page.cursor or cursor
            size.adapt(page)
        return True

    def _is_enough(self) -> bool:
        return (
            len(self._found.traces) >= self.enough
            or self._found.records >= self.limits.records
            or self._bytes >= self.limits.bytes
        )


BY_PROGRAMS: Filter = {"field": "source", "operator": "=", "value": "sdk"}
"""Without it lists and statistics mix in the runs of experiments, playgrounds and evaluators."""

_AFTER = timedelta(days=1)
_PLAIN_NAME = re.compile(r"[\w .,:;/()#@+-]{1,200}")
"""Names that may become part of a query string; others are sent in bodies only. Names are foreign
text, and Opik accepts 16 KB of request line and headers."""
_KEPT = 8  # lists kept for a turn, of up to 2,000 traces each: more than one turn reads


class ProjectReader:
    """Reads other records of a trace's project for one turn; keeps lists for that turn."""

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
        """Raises NotFound for a trace without a project id."""
        if not is_uuid(self.trace.project_id or ""):
            raise NotFound("Opik does not report which project this trace belongs to.")
        return str(self.trace.project_id)

    def make_window(self, days: int) -> BaselineWindow:
        """From `days` days before the start of the trace to one day after it."""
        start = with_timezone(self.trace.start_time or datetime.now(UTC))
        return BaselineWindow(_shift_time(start, -timedelta(days=days)), _shift_time(start, _AFTER))

    async def list_named(
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
        filters = [*_name_filters(name, window), *([outcome] if outcome else [])]
        return await self._list_traces(
            [*filters, BY_PROGRAMS],
            filters,
            passes=lambda each: _matches(each, name, window) and fits(each),
            enough=enough,
        )

    async def list_thread(self, *, cursor: str = "", enough: int = 2_000) -> TraceList:
        """The traces of this trace's thread that are older than `cursor` ("" for the newest)."""
        thread_id = self.trace.thread_id
        filters: list[Filter] = [_equals("thread_id", thread_id or "")]
        return await self._list_traces(
            filters, passes=lambda each: each.thread_id == thread_id, enough=enough, cursor=cursor
        )

    async def read_thread_bodies(self, *, limit: int, cursor: str) -> Sequence[Trace]:
        """Up to `limit` traces of the thread with bodies, older than `cursor`, newest first; none
        where the backend cannot choose them."""
        filters = [_equals("thread_id", self.trace.thread_id or "")]
        page = await self._client.get_trace_page(
            self._caller, self.project_id, limit=limit, cursor=cursor, filters=filters
        )
        return page.found if page else ()

    async def read_thread(self) -> Thread:
        """The backend's record of the thread as a whole; raises its refusal."""
        thread_id = join_surrogates(self.trace.thread_id or "")
        return await self._client.get_thread(self._caller, self.project_id, thread_id)

    async def list_longest(
        self, name: str, window: BaselineWindow, size: int
    ) -> Sequence[Trace] | None:
        """The slowest traces of this name in this window that programs sent; None where the
        backend cannot sort, or ignores filters."""
        if not _PLAIN_NAME.fullmatch(name):
            return None
        project_id, filters = self.project_id, _name_filters(name, window)
        for attempt in ([*filters, BY_PROGRAMS], filters):
            page = await self._client.list_traces(
                self._caller, project_id, size=size, filters=attempt, sort_by="duration"
            )
            if page is not None and "duration" in page.sortable:
                found = [each for each in page.content if each.project_id in (None, project_id)]
                chosen = all(each.name == name for each in found)
                fitting = [each for each in found if _matches(each, name, window)]
                return fitting if chosen else None
        return None

    async def read_baseline(
        self, name: str, window: BaselineWindow
    ) -> tuple[Baseline, bool] | None:
        """The backend's statistics of the traces of this name, and whether they leave out runs of
        experiments and evaluators; None where it has none. Raises its refusal."""
        if not _PLAIN_NAME.fullmatch(name):
            return None
        filters = _name_filters(name, window)
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
        except (NotFound, RecordTooLarge):
            return None

    async def _list_traces(
        self, *filter_sets: Sequence[Filter], passes: TracePredicate, enough: int, cursor: str = ""
    ) -> TraceList:
        key = (str(filter_sets), enough, cursor)
        async with self._lock:
            if key not in self._kept:
                lister = TraceLister(
                    self._client, self._caller, self.project_id, passes, enough, self._limits
                )
                self._kept[key] = await lister.run(*filter_sets, cursor=cursor)
            return self._kept[key]


def with_timezone(moment: datetime) -> datetime:
    """The time in UTC; one without a zone is accepted as UTC."""
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:  # at the ends of the calendar
        return moment.replace(tzinfo=UTC)


def _shift_time(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:  # a clock that was far off
        return moment


def _name_filters(name: str, window: BaselineWindow) -> list[Filter]:
    since, until = (
        each.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for each in (window.since, window.until)
    )
    return [
        _equals("name", name),
        {"field": "start_time", "operator": ">=", "value": since},
        {"field": "start_time", "operator": "<=", "value": until},
    ]


def _matches(trace: Trace, name: str, window: BaselineWindow) -> bool:
    """Whether a trace is what the filters ask for; old backends do not record the source."""
    began = trace.start_time
    return (
        trace.name == name
        and trace.source in (None, "", "sdk")
        and began is not None
        and window.since <= with_timezone(began) <= window.until
        and is_uuid(trace.id)
    )


def _equals(field: str, value: str) -> Filter:
    return {"field": field, "operator": "=", "value": join_surrogates(value)}
