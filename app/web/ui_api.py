"""What the page reads beside conversations: projects, traces, spans and attachments.

Typed and bounded reads with the caller's own rights, not a way through to the backend.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

import anyio.to_thread
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.errors import InvalidRequest
from app.explorer.explorer import AttachmentList, SpanDetails, TraceDetails
from app.explorer.span_rows import Waterfall
from app.explorer.trace_list import ProjectList, TracePage, TraceQuery
from app.ids import Id, is_uuid
from app.web.app_state import AppState
from app.web.requests import (
    RequestModel,
    describe_validation_error,
    read_request_caller,
    read_trace_id,
)
from app.web.sse import run_while_connected

_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Types that a browser shows without running anything; other files are only downloaded."""
_ANY_FILE = "application/octet-stream"


class SpanParameters(RequestModel):
    """Where a span is."""

    project_id: Id | None = None


class AttachmentParameters(RequestModel):
    """Whose attachments: the trace's, or a span's."""

    project_id: Id
    span_id: Id | None = None


class FileParameters(AttachmentParameters):
    """One of the attachments."""

    file_name: Annotated[str, Field(min_length=1, max_length=1_000)]


RESPONSES: Mapping[type[Any], TypeAdapter[Any]] = {
    kind: TypeAdapter(kind)
    for kind in (ProjectList, TracePage, TraceDetails, Waterfall, SpanDetails, AttachmentList)
}
"""What the endpoints answer with."""

Parameters = TypeVar("Parameters", bound=BaseModel)


def build_routes(path: str) -> list[Route]:
    """The routes of what the page reads, below the page's path."""
    trace = f"{path}/api/traces/{{trace_id}}"
    return [
        Route(f"{path}/api/projects", _list_projects, methods=["GET"]),
        Route(f"{path}/api/traces", _list_traces, methods=["GET"]),
        Route(trace, _read_trace, methods=["GET"]),
        Route(f"{trace}/spans", _read_waterfall, methods=["GET"]),
        Route(f"{trace}/spans/{{span_id}}", _read_span, methods=["GET"]),
        Route(f"{trace}/attachments", _list_attachments, methods=["GET"]),
        Route(f"{trace}/attachments/file", _read_attachment, methods=["GET"]),
    ]


async def _list_projects(request: Request[AppState]) -> Response:
    """The projects of the workspace."""
    explorer = request.state["explorer"]
    return await _answer(request, partial(explorer.list_projects, read_request_caller(request)))


async def _list_traces(request: Request[AppState]) -> Response:
    """A page of traces."""
    explorer = request.state["explorer"]
    query = _read_parameters(request, TraceQuery)
    caller = read_request_caller(request)
    return await _answer(request, partial(explorer.list_traces, caller, query))


async def _read_trace(request: Request[AppState]) -> Response:
    """A trace with its bodies."""
    explorer = request.state["explorer"]
    caller = read_request_caller(request)
    return await _answer(request, partial(explorer.read_trace, caller, read_trace_id(request)))


async def _read_waterfall(request: Request[AppState]) -> Response:
    """The spans of a trace."""
    explorer = request.state["explorer"]
    caller = read_request_caller(request)
    return await _answer(request, partial(explorer.read_waterfall, caller, read_trace_id(request)))


async def _read_span(request: Request[AppState]) -> Response:
    """A span with its bodies."""
    explorer = request.state["explorer"]
    span_id = request.path_params["span_id"].lower()
    if not is_uuid(span_id):
        raise InvalidRequest("The span id in the URL is not a UUID.")
    asked = _read_parameters(request, SpanParameters)
    read = partial(
        explorer.read_span,
        read_request_caller(request),
        read_trace_id(request),
        span_id,
        project_id=asked.project_id,
    )
    return await _answer(request, read)


async def _list_attachments(request: Request[AppState]) -> Response:
    """The files of a trace or span."""
    explorer = request.state["explorer"]
    asked = _read_parameters(request, AttachmentParameters)
    caller, trace_id = read_request_caller(request), read_trace_id(request)
    read = partial(explorer.list_attachments, caller, trace_id, **asked.model_dump())
    return await _answer(request, read)


async def _read_attachment(request: Request[AppState]) -> Response:
    """A file, as a download that no browser runs."""
    explorer = request.state["explorer"]
    asked = _read_parameters(request, FileParameters)
    read = partial(
        explorer.read_attachment,
        read_request_caller(request),
        read_trace_id(request),
        asked.file_name,
        span_id=asked.span_id,
        project_id=asked.project_id,
    )
    file, content = await run_while_connected(request.receive, read)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.file_name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=3600",
    }
    media_type = file.mime_type if file.mime_type in _IMAGES else _ANY_FILE
    return Response(content, media_type=media_type, headers=headers)


def _read_parameters(request: Request[Any], kind: type[Parameters]) -> Parameters:
    try:
        return kind.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise describe_validation_error(error) from None


async def _answer(request: Request[Any], read: Callable[[], Awaitable[Any]]) -> Response:
    """What is read, as JSON without fields that are None; NaN, which JSON lacks, is null.

    The reading ends when the client leaves.
    """
    value = await run_while_connected(request.receive, read)
    encode = partial(RESPONSES[type(value)].dump_json, value, exclude_none=True)
    # In a thread: a long waterfall has 5 MB and takes up to 0.1 s, in which no stream would move.
    content = await anyio.to_thread.run_sync(encode)
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type="application/json", headers=headers)
