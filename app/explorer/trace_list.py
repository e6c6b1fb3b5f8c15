"""Lists the traces of one project or of all, filtered and sorted by the backend itself."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.analysis.recorded.error import effective_error
from app.caller import Caller
from app.errors import NotFound, Unprocessable
from app.explorer.error_text import format_error
from app.ids import Id
from app.opik.client import Filter, OpikClient
from app.opik.lists import ListClient
from app.opik.records import FeedbackScore, Trace, TraceListPage
from app.task_groups import open_task_group

SortKey = Literal["time", "duration", "cost"]

PROJECTS_LISTED = 500
"""Projects read for the choice; more do not fit into a menu, and one request may bring them all."""
PROJECTS_MERGED = 10
"""Projects whose traces are merged where none was chosen: as many requests for one list."""
MERGED_TRACES = 200
"""Traces read of each merged project: further pages of all projects would read all before."""
_TEXT_SHOWN = 500
"""Characters of a name or a tag in a list."""
_TAGS_SHOWN = 20
_SCORES_SHOWN = 8
"""More do not fit into a row; a trace's own view shows all."""
_FIELDS = {"time": "start_time", "duration": "duration", "cost": "total_estimated_cost"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TraceQuery(BaseModel):
    """Which traces to list: filters, order and page, as a request names them.

    Without a `project_id` all projects are meant. `since` and `until` bound the start of a trace,
    durations are milliseconds, costs USD; None and "" do not filter.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    project_id: Id | None = None
    search: str = Field("", max_length=300)
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    failed: bool = False
    min_duration_ms: float | None = Field(None, ge=0, allow_inf_nan=False)
    min_cost: float | None = Field(None, ge=0, allow_inf_nan=False)
    tag: str = Field("", max_length=300)
    thread_id: str = Field("", max_length=300)
    sort: SortKey = "time"
    page: int = Field(1, ge=1, le=10_000)
    size: int = Field(50, ge=1, le=100)

    def filters(self) -> list[Filter]:
        """The conditions in the backend's form."""
        wanted = [
            ("start_time", ">=", _format_utc(self.since)) if self.since else None,
            ("start_time", "<=", _format_utc(self.until)) if self.until else None,
            ("error_info", "is_not_empty", "") if self.failed else None,
            _at_least("duration", self.min_duration_ms),
            _at_least("total_estimated_cost", self.min_cost),
            ("tags", "contains", self.tag) if self.tag else None,
            ("thread_id", "=", self.thread_id) if self.thread_id else None,
        ]
        return [
            Filter(field=field, operator=operator, value=value)
            for field, operator, value in filter(None, wanted)
        ]


def _format_utc(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _at_least(field: str, value: float | None) -> tuple[str, str, str] | None:
    return None if value is None else (field, ">=", f"{value:.12g}")


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project for the choice."""

    id: str
    name: str
    last_trace_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProjectList:
    """The projects of a workspace."""

    projects: Sequence[ProjectRow]


@dataclass(frozen=True, slots=True)
class RowScore:
    """A feedback score in a list: a number, which may have a name of its own, the category."""

    name: str
    value: float | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceRow:
    """A trace as a list shows it; `duration_ms` is None while it runs, `cost` is USD."""

    id: str
    project_id: str | None = None
    project_name: str
    name: str
    start_time: datetime | None = None
    duration_ms: float | None = None
    error: str | None = None
    tags: tuple[str, ...]
    scores: tuple[RowScore, ...]
    thread_id: str | None = None
    span_count: int | None = None
    tokens: float | None = None
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class TracePage:
    """A page of traces. `sorted` is False where the backend did not sort: the newest come first.

    `total` counts the traces that pass the filters. Not all of them are on a page up to `last_page`
    where those of several projects were merged.
    """

    traces: Sequence[TraceRow]
    total: int
    page: int
    size: int
    last_page: int
    sorted: bool


class TraceListReader:
    """Reads projects and pages of traces with a caller's rights."""

    def __init__(self, client: OpikClient, lists: ListClient) -> None:
        self._client = client
        self._lists = lists

    async def list_projects(self, caller: Caller) -> list[ProjectRow]:
        """The projects of the workspace, the one with the newest trace first."""
        found = await self._lists.list_projects(caller, size=PROJECTS_LISTED)
        ordered = sorted(found, key=lambda each: each.name.lower())
        ordered.sort(key=lambda each: each.last_updated_trace_at or _EPOCH, reverse=True)
        return [
            ProjectRow(each.id, each.name[:_TEXT_SHOWN], each.last_updated_trace_at)
            for each in ordered
        ]

    async def list_traces(self, caller: Caller, query: TraceQuery) -> TracePage:
        """One page of traces. Raises Unprocessable where this backend cannot filter like that."""
        projects = {each.id: each for each in await self.list_projects(caller)}
        if query.project_id:
            known = projects.get(query.project_id)
            name = known.name if known else ""
            page = await self._read_page(caller, query.project_id, query, query.page, query.size)
            rows = [build_trace_row(each, name) for each in page.content]
            return _build_page(query, rows, page.total, page.total, [page])
        return await self._list_merged(caller, query, list(projects.values())[:PROJECTS_MERGED])

    async def _list_merged(
        self, caller: Caller, query: TraceQuery, projects: Sequence[ProjectRow]
    ) -> TracePage:
        """The traces of several projects in one order."""
        most = min(query.page * query.size, MERGED_TRACES)
        pages: list[tuple[ProjectRow, TraceListPage]] = []

        async def read(project: ProjectRow) -> None:
            try:
                page = await self._read_page(caller, project.id, query, 1, most)
            except NotFound:
                return  # deleted since the projects were listed
            pages.append((project, page))

        async with open_task_group() as group:
            for project in projects:
                group.start_soon(read, project)
        rows = [build_trace_row(each, of.name) for of, page in pages for each in page.content]
        first, total = (query.page - 1) * query.size, sum(page.total for _, page in pages)
        shown = _sort_rows(rows, query.sort)[first:most]
        return _build_page(
            query, shown, total, min(total, MERGED_TRACES), [page for _, page in pages]
        )

    async def _read_page(
        self, caller: Caller, project_id: str, query: TraceQuery, page: int, size: int
    ) -> TraceListPage:
        read = partial(
            self._client.list_traces,
            caller,
            project_id,
            page=page,
            size=size,
            filters=query.filters(),
            search=query.search,
        )
        found = await read(sort_by=_FIELDS[query.sort])
        if found is None:
            found = await read()
        if found is None:
            raise Unprocessable(
                "This version of Opik cannot filter traces like this. Remove a filter."
            )
        return found


def _build_page(
    query: TraceQuery,
    rows: Sequence[TraceRow],
    total: int,
    reachable: int,
    read: Iterable[TraceListPage],
) -> TracePage:
    return TracePage(
        rows,
        total,
        query.page,
        query.size,
        max(1, math.ceil(reachable / query.size)),
        all(_is_sorted(page, query) for page in read),
    )


def _is_sorted(page: TraceListPage, query: TraceQuery) -> bool:
    """The newest come first also where nothing is sorted."""
    return query.sort == "time" or _FIELDS[query.sort] in page.sortable


def _sort_rows(rows: Iterable[TraceRow], key: SortKey) -> list[TraceRow]:
    """The largest first, those without a value last."""

    def sort_value(row: TraceRow) -> float:
        if key == "time":
            return row.start_time.timestamp() if row.start_time else 0
        value = row.duration_ms if key == "duration" else row.cost
        return -1 if value is None else value

    return sorted(rows, key=sort_value, reverse=True)


def build_trace_row(trace: Trace, project_name: str) -> TraceRow:
    """The row of a trace."""
    return TraceRow(
        id=trace.id,
        project_id=trace.project_id,
        project_name=project_name,
        name=(trace.name or "")[:_TEXT_SHOWN],
        start_time=trace.start_time,
        duration_ms=trace.duration,
        error=format_error(effective_error(trace)),
        tags=tuple(tag[:_TEXT_SHOWN] for tag in trace.tags[:_TAGS_SHOWN]),
        scores=tuple(map(_build_score, trace.feedback_scores[:_SCORES_SHOWN])),
        thread_id=trace.thread_id,
        span_count=trace.span_count,
        tokens=trace.usage.get("total_tokens"),
        cost=trace.total_estimated_cost,
    )


def _build_score(score: FeedbackScore) -> RowScore:
    category = score.category_name
    return RowScore(score.name[:_TEXT_SHOWN], score.value, category and category[:_TEXT_SHOWN])
