"""Lists of projects, and of the files that are attached to traces and spans.

Errors are those of `app.opik.client`.
"""

import base64
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from app.backend_http import BackendResponse
from app.caller import Caller
from app.opik.client import REFUSED_STATUSES, sort_descending
from app.opik.records import Number
from app.opik.responses import build_error, read_record
from app.opik.rest_client import RestClient

ATTACHMENTS_LISTED = 100
"""Attachments shown of one trace or span; more than any recorded call has."""
_NO_SUCH_ROUTE = frozenset({404, 405})


class _ListRecord(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Project(_ListRecord):
    """A project; `last_updated_trace_at` is None where it has no traces, or on old backends."""

    id: str
    name: str
    last_updated_trace_at: datetime | None = None


class _ProjectPage(_ListRecord):
    content: tuple[Project, ...]


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
        sorted_page = page | {"sorting": sort_descending("last_updated_trace_at")}
        response = await self._rest.exchange(caller, "GET", "/projects", params=sorted_page)
        if response.status in REFUSED_STATUSES:
            response = await self._rest.exchange(caller, "GET", "/projects", params=page)
        return (await read_record(_ProjectPage, response, "workspace")).content

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
