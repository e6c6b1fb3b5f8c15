"""Pages of projects and traces, filtered and sorted by the backend, and lists of attachments.

For people who look for a trace: no bodies are read. Errors are those of `app.opik.client`.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from app.backend_http import BackendResponse
from app.caller import Caller
from app.opik.client import BODIES, Filter
from app.opik.records import Number, Trace
from app.opik.responses import build_error, read_record
from app.opik.rest_client import RestClient

ATTACHMENTS_LISTED = 100
"""Attachments shown of one trace or span; more than any recorded call has."""
_REFUSED = frozenset({400, 422})
_NO_SUCH_ROUTE = frozenset({404, 405})


def _list_or_empty(value: Any) -> Any:
    return value if isinstance(value, list) else []


class _ListRecord(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Project(_ListRecord):
    """A project; `last_updated_trace_at` is None where it has no traces, or on old backends."""

    id: str
    name: str
    last_updated_trace_at: datetime | None = None


class _ProjectPage(_ListRecord):
    content: tuple[Project, ...]


class TraceListPage(_ListRecord):
    """A page of traces (camelCase on the wire); `sortable` is empty where nothing was sorted."""

    content: tuple[Trace, ...]
    total: int = 0
    sortable: Annotated[list[str], BeforeValidator(_list_or_empty)] = Field(
        [], validation_alias=AliasChoices("sortableBy", "sortable_by")
    )


class Attachment(_ListRecord):
    """A file beside a trace or span; `file_size` is in bytes."""

    file_name: str
    mime_type: str = "application/octet-stream"
    file_size: Number = None


class _AttachmentPage(_ListRecord):
    content: tuple[Attachment, ...]


@dataclass(frozen=True, slots=True)
class AttachmentOwner:
    """What files are attached to: `kind` is trace or span."""

    kind: str
    id: str
    project_id: str

    def query(self) -> dict[str, str]:
        return {"entity_type": self.kind, "entity_id": self.id}


class ListClient:
    def __init__(self, rest: RestClient) -> None:
        self._rest = rest

    async def list_projects(self, caller: Caller, *, size: int) -> tuple[Project, ...]:
        """Up to `size` projects: those with the newest traces, or any where the backend is too old
        to sort by that and refuses to."""
        page = {"page": "1", "size": str(size)}
        sorted_page = page | {"sorting": _sort_descending("last_updated_trace_at")}
        response = await self._rest.exchange(caller, "GET", "/projects", params=sorted_page)
        if response.status in _REFUSED:
            response = await self._rest.exchange(caller, "GET", "/projects", params=page)
        return (await read_record(_ProjectPage, response, "workspace")).content

    async def list_traces(
        self,
        caller: Caller,
        project_id: str,
        *,
        page: int,
        size: int,
        filters: Sequence[Filter] = (),
        search: str = "",
        sort_by: str = "",
    ) -> TraceListPage | None:
        """One page of a project's traces without their bodies, `sort_by` a field, largest first.

        None where the backend refuses the filters or the sorting.
        """
        params = _build_list_query(project_id, page=page, size=size, filters=filters)
        if search:
            params["search"] = search
        if sort_by:
            params["sorting"] = _sort_descending(sort_by)
        response = await self._rest.exchange(caller, "GET", "/traces", params=params)
        if response.status in _REFUSED:
            return None
        return await read_record(TraceListPage, response, "project")

    async def list_attachments(
        self, caller: Caller, owner: AttachmentOwner
    ) -> tuple[Attachment, ...]:
        """The files of a trace or span; none where the backend has no attachments."""
        params = {
            **owner.query(),
            "project_id": owner.project_id,
            # The base address of links, which are not used: files are read through the backend.
            "path": base64.b64encode(b"/api").decode(),
            "page": "1",
            "size": str(ATTACHMENTS_LISTED),
        }
        response = await self._rest.exchange(caller, "GET", "/attachment/list", params=params)
        if response.status in _NO_SUCH_ROUTE:
            return ()
        return (await read_record(_AttachmentPage, response, owner.kind)).content

    async def read_attachment(
        self, caller: Caller, owner: AttachmentOwner, file: Attachment, *, limit: int
    ) -> BackendResponse:
        """The bytes of a file, cut after `limit` bytes."""
        params = {
            **owner.query(),
            "container_id": owner.project_id,
            "file_name": file.file_name,
            "mime_type": file.mime_type,
        }
        response = await self._rest.exchange(
            caller, "GET", "/attachment/download", params=params, accept="*/*", limit=limit
        )
        if response.status != 200:
            raise build_error(response, "attachment")
        return response


def _sort_descending(field: str) -> str:
    return json.dumps([{"field": field, "direction": "DESC"}])


def _build_list_query(
    project_id: str, *, page: int, size: int, filters: Sequence[Filter]
) -> dict[str, str]:
    return {
        "project_id": project_id,
        "page": str(page),
        "size": str(size),
        "filters": json.dumps(list(filters)),
        "exclude": json.dumps(BODIES),
        "truncate": "true",
        "strip_attachments": "true",
    }
