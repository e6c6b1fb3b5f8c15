"""The routes of attachments: the list of a trace's or span's files, and the files themselves."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from standin.record_store import Records
from standin.switches import Switches
from standin.workspace import AttachedFile, Subject
from standin.writes import RequestRefused

_KINDS = ("trace", "span")
_PAGE_SIZE = 100


class AttachmentRoutes:
    """The handlers. Generation A has no attachments."""

    def __init__(self, records: Records, switches: Switches) -> None:
        self._records = records
        self._switches = switches

    def routes(self) -> list[Route]:
        private = "/v1/private/attachment"
        return [
            Route(f"{private}/list", self.list_files),
            Route(f"{private}/download", self.download),
        ]

    async def list_files(self, request: Request) -> Response:
        """GET /attachment/list: names, sizes (bytes) and types; `path` is required."""
        if not request.query_params.get("path"):
            raise RequestRefused(400, "query param path must not be null")
        files = self._find_files(request)
        content = [
            {"file_name": file.name, "file_size": len(file.content), "mime_type": file.mime_type}
            for file in files.values()
        ]
        size = int(request.query_params.get("size", _PAGE_SIZE))
        page = {"page": 1, "size": len(content[:size]), "total": len(content)}
        return JSONResponse({**page, "content": content[:size], "sortableBy": []})

    async def download(self, request: Request) -> Response:
        """GET /attachment/download: the file itself."""
        file = self._find_files(request).get(request.query_params.get("file_name", ""))
        if file is None:
            raise RequestRefused(404, "Attachment not found")
        return Response(file.content, media_type=file.mime_type)

    def _find_files(self, request: Request) -> dict[str, AttachedFile]:
        query: Any = request.query_params
        if self._switches.generation == "A":
            raise RequestRefused(404, "HTTP 404 Not Found")
        if query.get("entity_type") not in _KINDS:
            raise RequestRefused(400, "query param entity_type must be trace or span")
        workspace = self._records.workspace(request.scope["workspace"])
        subject = Subject(query["entity_type"], query.get("entity_id", ""))
        return workspace.attachments.get(subject, {})
