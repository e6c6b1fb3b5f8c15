"""The project around one trace, read with the caller's rights and within bounds."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import anyio
from cachetools import LRUCache

from app.analysis.baseline import Usual, Window, usual_of_stats
from app.caller import Caller
from app.errors import NotFound
from app.ids import is_uuid
from app.opik.client import Filter, OpikClient
from app.opik.records import Stats, Thread, Trace
from app.surrogates import repaired
from app.tools.trace_list import Lister, ListLimits, Passes, TraceList

BY_PROGRAMS: Filter = {"field": "source", "operator": "=", "value": "sdk"}
"""Without it lists and statistics mix in the runs of experiments, playgrounds and evaluators."""

_AFTER = timedelta(days=1)
_PLAIN_NAME = re.compile(r"[\w .,:;/()#@+-]{1,200}")
"""Names that may become part of a query string. Others are asked for in bodies only: names are
foreign text, and Opik takes 16 KB of a request's line and headers."""
_KEPT = 8


class Surroundings:
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

    def window(self, days: int) -> Window:
        """So many days before the trace, and one after it."""
        start = aware(self.trace.start_time or datetime.now(UTC))
        return Window(_shifted(start, -timedelta(days=days)), _shifted(start, _AFTER))

    async def named(
        self,
        name: str,
        window: Window,
        *,
        enough: int,
        outcome: Filter | None = None,
        fits: Passes = lambda _: True,
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
        page = await self._client.trace_page(
            self._caller, self.project_id, limit=limit, cursor=cursor, filters=filters
        )
        return page.found if page else ()

    async def thread(self) -> Thread:
        """What the backend tells of the thread as a whole; raises its refusal."""
        thread_id = repaired(self.trace.thread_id or "")
        return await self._client.thread(self._caller, self.project_id, thread_id)

    async def longest(self, name: str, window: Window, size: int) -> Sequence[Trace] | None:
        """The slowest traces of this name in this window that programs sent; None where the
        backend cannot sort, or ignores filters."""
        if not _PLAIN_NAME.fullmatch(name):
            return None
        filters = _about(name, window)
        for attempt in ([*filters, BY_PROGRAMS], filters):
            found = await self._client.longest_traces(
                self._caller, self.project_id, size=size, filters=attempt
            )
            if found is not None:
                chosen = all(each.name == name for each in found)
                fitting = [each for each in found if _is_of(each, name, window)]
                return fitting if chosen else None
        return None

    async def usual(self, name: str, window: Window) -> tuple[Usual, bool] | None:
        """What the backend's statistics say of the traces of this name, and whether they leave out
        the runs of experiments and evaluators; None where it has none. Raises its refusal."""
        if not _PLAIN_NAME.fullmatch(name):
            return None
        filters = _about(name, window)
        for attempt in ([*filters, BY_PROGRAMS], filters):
            stats = await self._stats(attempt)
            usual = usual_of_stats(stats, window) if stats else None
            if usual is not None and usual.count:
                return usual, attempt is not filters
        return None

    async def _stats(self, filters: Sequence[Filter]) -> Stats | None:
        try:
            return await self._client.trace_stats(self._caller, self.project_id, filters=filters)
        except NotFound:
            return None

    async def _listed(
        self, *wishes: Sequence[Filter], passes: Passes, enough: int, cursor: str = ""
    ) -> TraceList:
        key = (str(wishes), enough, cursor)
        async with self._lock:
            if key not in self._kept:
                lister = Lister(
                    self._client,
                    self._caller,
                    self.project_id,
                    passes=passes,
                    enough=enough,
                    limits=self._limits,
                )
                self._kept[key] = await lister.run(*wishes, cursor=cursor)
            return self._kept[key]


def aware(moment: datetime) -> datetime:
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


def _about(name: str, window: Window) -> list[Filter]:
    since, until = (
        each.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for each in (window.since, window.until)
    )
    return [
        _is("name", name),
        {"field": "start_time", "operator": ">=", "value": since},
        {"field": "start_time", "operator": "<=", "value": until},
    ]


def _is_of(trace: Trace, name: str, window: Window) -> bool:
    """What the filters ask for, since a backend may ignore them; not all tell who sent a trace."""
    began = trace.start_time
    return (
        trace.name == name
        and trace.source in (None, "", "sdk")
        and began is not None
        and window.since <= aware(began) <= window.until
        and is_uuid(trace.id)
    )


def _is(field: str, value: str) -> Filter:
    return {"field": field, "operator": "=", "value": repaired(value)}
