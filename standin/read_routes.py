"""The routes that read: single records, searches, pages, statistics, threads and projects."""

import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from standin import record_views, selection, stats
from standin.record_store import Records
from standin.switches import Switches
from standin.workspace import Json, StoredRecord, Workspace
from standin.writes import RequestRefused, project_of

PAGE_SIZE = 10
SEARCH_LIMIT = 500
SEARCH_LIMIT_MAXIMUM = 2_000
PIECE_BYTES = 32_768
_NARROWING = ("type", "filters", "search", "from_time", "to_time")


class ReadRoutes:
    """The handlers of all reading routes."""

    def __init__(self, records: Records, switches: Switches) -> None:
        self._records = records
        self._switches = switches

    def routes(self) -> list[Route]:
        """The routes, most specific first."""
        private = "/v1/private"
        return [
            Route(f"{private}/traces/threads/retrieve", self.retrieve_thread, methods=["POST"]),
            Route(f"{private}/projects/retrieve", self.retrieve_project, methods=["POST"]),
            Route(f"{private}/projects/{{id}}", self.project),
            Route(f"{private}/projects", self.projects),
            *[
                route
                for kind in ("traces/threads", "traces", "spans")
                for route in self._routes_of(f"{private}/{kind}")
            ],
            Route(f"{private}/traces/{{id:uuid}}", self.trace),
            Route(f"{private}/spans/{{id:uuid}}", self.span),
        ]

    def _routes_of(self, path: str) -> list[Route]:
        return [
            Route(f"{path}/search", self.search, methods=["POST"]),
            Route(f"{path}/stats", self.statistics),
            Route(f"{path}/exists", self.exists),
            Route(path, self.page),
        ]

    def _find_workspace(self, request: Request) -> Workspace:
        return self._records.workspace(request.scope["workspace"])

    async def trace(self, request: Request) -> Response:
        """GET /traces/{id}: the whole record, never cut."""
        workspace = self._find_workspace(request)
        entry = self._find_entry(workspace.traces, request, "Trace")
        extra = self._switches.extra_span_count
        return JSONResponse(record_views.trace(workspace, entry, extra_spans=extra))

    async def span(self, request: Request) -> Response:
        """GET /spans/{id}: the whole record, never cut; any span of the workspace."""
        workspace = self._find_workspace(request)
        return JSONResponse(
            record_views.span(workspace, self._find_entry(workspace.spans, request, "Span"))
        )

    def _find_entry(
        self, entries: dict[str, StoredRecord], request: Request, what: str
    ) -> StoredRecord:
        entry = entries.get(str(request.path_params["id"]))
        if entry is None or not entry.complete:
            if self._switches.generation == "A":
                raise HTTPException(404)
            raise RequestRefused(404, f"{what} not found")
        return entry

    async def search(self, request: Request) -> Response:
        """POST …/search: one JSON record a line, newest id first, from after the cursor on."""
        body = await _read_json(request)
        limit = body.get("limit") or SEARCH_LIMIT
        if not isinstance(limit, int) or not 1 <= limit <= SEARCH_LIMIT_MAXIMUM:
            raise RequestRefused(422, f"limit must be between 1 and {SEARCH_LIMIT_MAXIMUM}")
        key = "thread_model_id" if "/threads/" in request.url.path else "id"
        cursor = body.get(f"last_retrieved_{key}")
        found = self._select_records(request, body, before=cursor, most=limit)
        if cursor:
            found = [record for record in found if record[key] < cursor]
        exclude = [] if self._switches.ignore_exclude else body.get("exclude") or []
        page = [self._trim_record(r, exclude, body.get("truncate") is True) for r in found[:limit]]
        return StreamingResponse(_format_lines(page), media_type="application/octet-stream")

    def _trim_record(self, record: Json, exclude: list[str], truncate: bool) -> Json:
        truncate = truncate and not self._switches.ignore_truncate
        return selection.trimmed(record, exclude=exclude, truncate=truncate)

    def _select_records(
        self,
        request: Request,
        query: Json,
        *,
        before: str | None = None,
        most: int | None = None,
    ) -> list[Json]:
        """The records of the project that the query asks for, newest first.

        Of spans `before` an id, `most` are enough; there may be more.
        """
        workspace, path = self._find_workspace(request), request.url.path
        project_id = project_of(workspace, query)["id"]
        if "/threads" in path:
            records = record_views.threads(workspace, project_id)
        elif "/traces" in path:
            extra = self._switches.extra_span_count
            records = record_views.traces(workspace, project_id, extra_spans=extra)
        else:
            enough = None if any(query.get(name) for name in _NARROWING) else most
            records = record_views.spans(
                workspace, project_id, query.get("trace_id"), before=before or None, most=enough
            )
            if query.get("type"):
                records = [record for record in records if record["type"] == query["type"]]
        records = self._filter_records(records, query.get("filters"))
        records = selection.searched(records, query.get("search"))
        return selection.within(records, query.get("from_time"), query.get("to_time"))

    def _filter_records(self, records: list[Json], filters: Any) -> list[Json]:
        """Who sent a record (`source`) can be asked of generation C only."""
        asked = {one.get("field") for one in filters or () if isinstance(one, dict)}
        unknown = "source" in asked and self._switches.generation != "C"
        if filters and (unknown or self._switches.filters == "refused"):
            raise RequestRefused(400, "Invalid filters")
        if self._switches.filters == "ignored":
            return records
        same_case = self._switches.filters == "same_case"
        return selection.filtered(records, filters, same_case=same_case)

    async def page(self, request: Request) -> Response:
        """GET lists: one page, filtered and sorted by JSON texts in the query."""
        query = _parse_query(request)
        number, size = int(query.get("page", 1)), int(query.get("size", PAGE_SIZE))
        if number < 1 or size < 1:
            raise RequestRefused(422, "page and size must be greater than or equal to 1")
        found = self._select_records(request, query)
        sortable: list[str] = []
        if not self._switches.ignore_sorting:
            found = selection.ordered(found, query.get("sorting"))
            sortable = selection.SORTABLE
        exclude = query.get("exclude") or []
        truncate = query.get("truncate") == "true"
        content = [
            self._trim_record(record, exclude, truncate)
            for record in found[(number - 1) * size : number * size]
        ]
        return JSONResponse(
            {
                "page": number,
                "size": len(content),
                "total": len(found),
                "content": content,
                "sortableBy": sortable,
            }
        )

    async def statistics(self, request: Request) -> Response:
        """GET …/stats: percentiles, averages and counts over the records of the query.

        Generation A has no such routes.
        """
        if self._switches.generation == "A":
            raise HTTPException(404)
        kind = request.url.path.rsplit("/", 2)[1].removesuffix("s")
        return JSONResponse(
            stats.build_stats(self._select_records(request, _parse_query(request)), f"{kind}_count")
        )

    async def exists(self, request: Request) -> Response:
        """GET …/exists: whether the project has any record."""
        return JSONResponse({"exists": bool(self._select_records(request, _parse_query(request)))})

    async def retrieve_thread(self, request: Request) -> Response:
        """POST /traces/threads/retrieve: one thread by its id."""
        workspace, body = self._find_workspace(request), await _read_json(request)
        project_id = project_of(workspace, body)["id"]
        thread = record_views.thread(workspace, project_id, str(body.get("thread_id")))
        if thread is None:
            raise RequestRefused(404, "Thread not found")
        return JSONResponse(self._trim_record(thread, [], body.get("truncate") is True))

    async def project(self, request: Request) -> Response:
        """GET /projects/{id}."""
        workspace = self._find_workspace(request)
        record = workspace.project_by_id(request.path_params["id"])
        return self._project_response(workspace, record)

    async def retrieve_project(self, request: Request) -> Response:
        """POST /projects/retrieve: one project by its name."""
        workspace, body = self._find_workspace(request), await _read_json(request)
        return self._project_response(workspace, workspace.projects.get(str(body.get("name"))))

    def _project_response(self, workspace: Workspace, record: Json | None) -> Response:
        if record is None:
            raise RequestRefused(404, "Project not found")
        return JSONResponse(record_views.project(workspace, record))

    async def projects(self, request: Request) -> Response:
        """GET /projects: a page of the workspace's projects, by name if asked.

        Generation C only sorts them by the time of their newest trace.
        """
        workspace, query = self._find_workspace(request), _parse_query(request)
        number, size = int(query.get("page", 1)), int(query.get("size", PAGE_SIZE))
        wanted = str(query.get("name", "")).lower()
        sortable = ["id", "name", "created_at"]
        if self._switches.generation == "C":
            sortable.append("last_updated_trace_at")
        found = [
            record_views.project(workspace, p)
            for name, p in sorted(workspace.projects.items())
            if wanted in name.lower()
        ]
        found = selection.ordered(found, query.get("sorting"), sortable)
        content = found[(number - 1) * size : number * size]
        page = {"page": number, "size": len(content), "total": len(found), "content": content}
        return JSONResponse(page | {"sortableBy": sortable})


async def _format_lines(records: list[Json]) -> AsyncIterator[bytes]:
    """One record a line, in pieces such as a server's buffer gathers."""
    piece = bytearray()
    for record in records:
        piece += json.dumps(record, ensure_ascii=False).encode() + b"\r\n"
        if len(piece) > PIECE_BYTES:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


async def _read_json(request: Request) -> Json:
    try:
        body = await request.json()
    except ValueError as error:
        raise RequestRefused(400, "Unable to process JSON") from error
    if not isinstance(body, dict):
        raise RequestRefused(400, "Unable to process JSON")
    return body


def _parse_query(request: Request) -> Json:
    """The query with its JSON texts parsed: filters, sorting and exclude."""
    query: dict[str, Any] = dict(request.query_params)
    for name in ("filters", "sorting", "exclude"):
        if query.get(name):
            try:
                query[name] = json.loads(query[name])
            except ValueError as error:
                message = f"Invalid {name} query parameter '{query[name]}'"
                raise RequestRefused(400, message) from error
    return query
