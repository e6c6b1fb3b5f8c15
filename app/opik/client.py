"""One method per REST endpoint of the Opik backend that we use.

Every call forwards the caller's own credentials. Ids are UUIDs by the time they get here. A record
over the byte limit is read again in the backend's truncated form. Methods raise RequestRefused for
what the caller may not do or what does not exist, BackendUnavailable for failures of the backend.
"""

import json
import math
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypedDict

import anyio
import httpx

from app.backend_http import BackendResponse, ByteAllowance
from app.caller import Caller
from app.errors import NotFound
from app.opik.records import Permissions, Span, Stats, Thread, Trace, TraceListPage
from app.opik.responses import (
    Page,
    Record,
    RecordTooLarge,
    SpanPage,
    build_error,
    find_last_id,
    find_project_id,
    parse_page,
    read_record,
)
from app.opik.rest_client import BODY_BYTES, RestClient
from app.task_groups import open_task_group
from app.worker_threads import PARSED_INLINE_BYTES, run_by_size

PAGE_SPANS = 2_000
"""The most that the backend sends of one search."""
SMALLEST_PAGE = 50
"""Pages that break off are halved down to this: smaller ones would take too many requests."""
BODIES = ("input", "output", "metadata")
_STREAM = "application/octet-stream"
_STRIPPED = {"strip_attachments": "true"}
REFUSED_STATUSES = frozenset({400, 422})
"""Of a request whose filters or order this backend does not know."""
_SMALL_BYTES = 1024 * 1024
"""For answers of some kB: who the caller is, and statistics."""


class Filter(TypedDict):
    """One condition of a search; the value is a text for every field, and data, never a pattern."""

    field: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class SpanList:
    """The spans of a trace in the order of the backend.

    `unreadable` counts records in a form that cannot be parsed; `cut` is True where the backend
    stopped early or our own limit was reached. `bytes` is their size on the wire.
    """

    spans: tuple[Span, ...]
    unreadable: int = 0
    cut: bool = False
    bytes: int = 0


class OpikClient:
    def __init__(self, rest: RestClient) -> None:
        self._rest = rest

    async def get_permissions(self, caller: Caller) -> Permissions | None:
        """Who the caller is; None where this backend has no such endpoint (404, 405)."""
        response = await self._rest.exchange(
            caller, "GET", "/workspace-permissions", limit=_SMALL_BYTES
        )
        if response.status in {404, 405}:
            return None
        return await read_record(Permissions, response, "workspace")

    async def check_trace(self, caller: Caller, trace_id: str) -> None:
        """Checks by the status that the caller may read the trace; the body is dropped."""
        response = await self._rest.exchange(
            caller, "GET", f"/traces/{trace_id}", params=_STRIPPED, limit=8_192, keep_partial=True
        )
        if response.status != 200:
            raise build_error(response, "trace")

    async def get_trace(self, caller: Caller, trace_id: str) -> Trace:
        """The whole trace, or its truncated form where the whole is too large."""
        response = await self._get(caller, f"/traces/{trace_id}")
        try:
            return await read_record(Trace, response, "trace")
        except RecordTooLarge:
            project_id = find_project_id(response)
            if project_id is None:
                raise
            scope = {"project_id": project_id, "strip_attachments": True}
            return await self._truncated(Trace, caller, "/traces/search", trace_id, scope)

    async def get_span(self, caller: Caller, span_id: str, *, trace: Trace) -> Span:
        """One span of this trace with its bodies; NotFound for a span of another trace."""
        response = await self._get(caller, f"/spans/{span_id}")
        try:
            span = await read_record(Span, response, "span")
        except RecordTooLarge:
            scope = {"trace_id": trace.id, "project_id": trace.project_id}
            span = await self._truncated(Span, caller, "/spans/search", span_id, scope)
        if span.trace_id.lower() != trace.id.lower():
            raise NotFound("This span is not part of the trace.")
        return span

    async def list_spans(
        self,
        caller: Caller,
        trace: Trace,
        *,
        most: int,
        exclude: Sequence[str] = BODIES,
        seconds: float = math.inf,
    ) -> SpanList:
        """All spans of a trace, page by page; a page that breaks off is asked for again, smaller.
        Each is parsed while the next one is read.

        At most `most` spans, and those that came within `seconds`. Old backends ignore `exclude`;
        fields that they send nevertheless are dropped here.
        """
        found: list[Span] = []
        read, wire, size, cursor = 0, 0, min(PAGE_SPANS, most), ""
        deadline = anyio.current_time() + seconds

        async def search(limit: int, cursor: str) -> BackendResponse | None:
            with anyio.CancelScope(deadline=deadline):
                scope = _build_scope(limit, cursor, exclude)
                return await self._search(caller, trace, scope, BODY_BYTES)
            return None

        response = await search(size, cursor)
        while response is not None:
            left = min(size, most - read - size)
            ahead = find_last_id(response, size) if left > 0 else None
            page, response = await _run_both(
                partial(_parse_spans, trace, response, exclude),
                None if ahead is None else partial(search, left, ahead),
            )
            found += page.found
            read, wire = read + page.records, wire + page.bytes
            cursor = page.cursor or cursor
            if page.records < size and not page.broken:
                return SpanList(tuple(found), read - len(found), False, wire)
            if read >= most or (page.broken and size <= SMALLEST_PAGE):
                break
            shorter = max(SMALLEST_PAGE, size // 2) if page.broken else size
            size = min(shorter, most - read)
            if ahead is None or page.broken:
                response = await search(size, cursor)
        return SpanList(tuple(found), read - len(found), True, wire)

    async def get_span_page(
        self,
        caller: Caller,
        trace: Trace,
        *,
        limit: int,
        cursor: str,
        exclude: Sequence[str] = (),
        filters: Sequence[Filter] = (),
        allowance: ByteAllowance | None = None,
        only: Collection[str] | None = None,
    ) -> SpanPage:
        """Up to `limit` spans that are older than `cursor` ("" for the newest), newest first, and
        pass all filters; broken off where the `allowance` of bytes is used up. With `only` others
        than those with these ids may be left out of what is found."""
        scope = _build_scope(limit, cursor, exclude)
        if filters:
            scope["filters"] = list(filters)
        response = await self._search(caller, trace, scope, allowance or BODY_BYTES)
        return await _parse_spans(trace, response, exclude, only)

    async def get_trace_page(
        self,
        caller: Caller,
        project_id: str,
        *,
        limit: int,
        cursor: str,
        filters: Sequence[Filter] = (),
        exclude: Sequence[str] = (),
    ) -> Page[Trace] | None:
        """Up to `limit` traces of a project that are older than `cursor` ("" for the newest),
        newest first; None where the backend refuses these filters.

        A backend that ignores filters sends other traces, too.
        """
        body: dict[str, Any] = {
            "project_id": project_id,
            "filters": list(filters),
            "limit": limit,
            "truncate": True,
            "strip_attachments": True,
            "exclude": list(exclude),
        }
        if cursor:
            body["last_retrieved_id"] = cursor
        response = await self._rest.exchange(
            caller, "POST", "/traces/search", body=body, accept=_STREAM, keep_partial=True
        )
        if response.status in REFUSED_STATUSES:
            return None
        if response.status != 200:
            raise build_error(response, "project")
        page = await run_by_size(
            len(response.body), PARSED_INLINE_BYTES, parse_page, Trace, response, frozenset(exclude)
        )
        page.found = [each for each in page.found if each.project_id in (None, project_id)]
        return page

    async def list_traces(
        self,
        caller: Caller,
        project_id: str,
        *,
        page: int = 1,
        size: int,
        filters: Sequence[Filter] = (),
        search: str = "",
        sort_by: str = "",
    ) -> TraceListPage | None:
        """One page of a project's traces without their bodies, `sort_by` a field, largest first.

        None where the backend refuses the filters or the sorting.
        """
        params = {
            "project_id": project_id,
            "page": str(page),
            "size": str(size),
            "filters": json.dumps(list(filters)),
            "exclude": json.dumps(BODIES),
            "truncate": "true",
            **_STRIPPED,
        }
        if search:
            params["search"] = search
        if sort_by:
            params["sorting"] = sort_descending(sort_by)
        response = await self._rest.exchange(caller, "GET", "/traces", params=params)
        if response.status in REFUSED_STATUSES:
            return None
        return await read_record(TraceListPage, response, "project")

    async def get_trace_stats(
        self, caller: Caller, project_id: str, *, filters: Sequence[Filter]
    ) -> Stats | None:
        """Statistics over the traces of a project; None where the backend refuses these filters,
        NotFound where it has no statistics."""
        params = {"project_id": project_id, "filters": json.dumps(filters)}
        response = await self._rest.exchange(
            caller, "GET", "/traces/stats", params=params, limit=_SMALL_BYTES
        )
        if response.status in REFUSED_STATUSES:
            return None
        return await read_record(Stats, response, "project")

    async def get_thread(self, caller: Caller, project_id: str, thread_id: str) -> Thread:
        """A thread of a project as a whole."""
        body = {"project_id": project_id, "thread_id": thread_id, "truncate": True}
        response = await self._rest.exchange(caller, "POST", "/traces/threads/retrieve", body=body)
        return await read_record(Thread, response, "thread")

    async def _search(
        self, caller: Caller, trace: Trace, scope: dict[str, Any], limit: int | ByteAllowance
    ) -> BackendResponse:
        body = {"trace_id": trace.id, "project_id": trace.project_id, "truncate": True, **scope}
        response = await self._rest.exchange(
            caller,
            "POST",
            "/spans/search",
            body=body,
            accept=_STREAM,
            limit=limit,
            keep_partial=True,
        )
        if response.status != 200:
            raise build_error(response, "trace")
        return response

    async def _get(self, caller: Caller, path: str) -> BackendResponse:
        return await self._rest.exchange(caller, "GET", path, params=_STRIPPED)

    async def _truncated(
        self, kind: type[Record], caller: Caller, path: str, record_id: str, scope: dict[str, Any]
    ) -> Record:
        body = {
            **scope,
            "filters": [{"field": "id", "operator": "=", "value": record_id}],
            "limit": 1,
            "truncate": True,
        }
        response = await self._rest.exchange(caller, "POST", path, body=body, accept=_STREAM)
        what = kind.__name__.lower()
        if response.status == 200 and not response.body.strip():
            raise RecordTooLarge(f"This {what} is too large to read.")
        return await read_record(kind, response, what)


def sort_descending(field: str) -> str:
    """The parameter `sorting` for the largest value of a field first."""
    return json.dumps([{"field": field, "direction": "DESC"}])


def _build_scope(limit: int, cursor: str, exclude: Sequence[str]) -> dict[str, Any]:
    older = {"last_retrieved_id": cursor} if cursor else {}
    return {"limit": limit, "exclude": list(exclude), **older}


async def _parse_spans(
    trace: Trace,
    response: BackendResponse,
    exclude: Sequence[str],
    only: Collection[str] | None = None,
) -> SpanPage:
    """The spans of this trace in a response; parsed in a thread if it is long."""
    dropped = frozenset(exclude)
    page = await run_by_size(
        len(response.body), PARSED_INLINE_BYTES, parse_page, Span, response, dropped, only
    )
    page.found = [span for span in page.found if span.trace_id.lower() == trace.id.lower()]
    return page


async def _run_both(
    parse: Callable[[], Awaitable[SpanPage]],
    search: Callable[[], Awaitable[BackendResponse | None]] | None,
) -> tuple[SpanPage, BackendResponse | None]:
    """Parses a page while the next one is read, if there is one; raises what the search raises."""
    if search is None:
        return await parse(), None
    pages: list[SpanPage] = []

    async def parse_beside() -> None:
        pages.append(await parse())

    async with open_task_group() as group:
        group.start_soon(parse_beside)
        response = await search()
    return pages[0], response


# Needs no credentials, unlike the routes under /v1/private.
_PING_PATH = "/is-alive/ping"


async def is_reachable(http: httpx.AsyncClient, *, base_url: str, seconds: float) -> bool:
    """Whether a backend answers within that time.

    A proxy's 5xx does not count as an answer, nor does the page that Opik's nginx sends for every
    path but those below /api.
    """
    try:
        with anyio.fail_after(seconds):
            async with http.stream("GET", base_url + _PING_PATH, timeout=seconds) as response:
                kind = response.headers.get("content-type", "")
                is_page = response.is_success and kind.startswith("text/html")
                return response.status_code < 500 and not is_page
    except (httpx.TransportError, TimeoutError):
        return False
