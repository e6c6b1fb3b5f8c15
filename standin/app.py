"""The stand-in backend as one ASGI app: routes at `/` and under `/api`, below its request layer."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from standin import timestamps, writes
from standin.attachment_routes import AttachmentRoutes
from standin.chat import Chat
from standin.chat_proxy import ChatProxy
from standin.read_routes import ReadRoutes
from standin.record_store import Records
from standin.request_layer import RequestLayer
from standin.switches import Switches
from standin.workspace_routes import WorkspaceRoutes
from standin.writes import RequestRefused, Write


class Standin(Starlette):
    """The app; its request layer is outside of Starlette to reach the bare connection."""

    def __init__(self, records: Records, chat: Chat, switches: Switches) -> None:
        self.records = records
        self.switches = switches
        routes = [
            *WorkspaceRoutes(switches).routes(),
            *ChatProxy(chat, switches).routes(),
            *AttachmentRoutes(records, switches).routes(),
            *ReadRoutes(records, switches).routes(),
        ]
        super().__init__(
            routes=[*routes, Mount("/api", routes=routes)],
            exception_handlers={RequestRefused: _answer_refusal, HTTPException: _http_error},
        )
        self._request_layer = RequestLayer(self._write_or_read, switches)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        scope["app"] = self
        await self._request_layer(scope, receive, send)

    async def _write_or_read(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").removeprefix("/api")
        if scope["type"] == "http" and writes.find(scope["method"], path):
            response = await self._write_record(Request(scope, receive), path)
            await response(scope, receive, send)
            return
        await super().__call__(scope, receive, send)

    async def _write_record(self, request: Request, path: str) -> Response:
        try:
            body = await request.json() if await request.body() else None
        except ValueError:
            return await _answer_refusal(request, RequestRefused(400, "Unable to process JSON"))
        write = Write(request.method, path, body, timestamps.now(), request.scope["user"])
        try:
            outcome = self.records.apply(write, request.scope["workspace"])
        except RequestRefused as error:
            return await _answer_refusal(request, error)
        headers = {}
        if outcome.new_id:
            headers["Location"] = f"{request.base_url}{path[1:]}/{outcome.new_id}"
        return Response(status_code=outcome.status, headers=headers)


def create_app(records: Records, *, chat: Chat, switches: Switches) -> Standin:
    """The stand-in over these records, answering chats by `chat`, behaving as `switches` say."""
    return Standin(records, chat, switches)


async def _answer_refusal(request: Request, error: Exception) -> Response:
    """Domain errors have a list of texts; what the framework finds has a code and a message."""
    if not isinstance(error, RequestRefused):
        raise error
    coded = error.status == 400 or request.url.path.endswith("/chat/completions")
    if coded:
        return JSONResponse({"code": error.status, "message": error.message}, error.status)
    return JSONResponse({"errors": [error.message]}, error.status)


async def _http_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    message = f"HTTP {error.status_code} {error.detail}"
    return JSONResponse({"code": error.status_code, "message": message}, error.status_code)
