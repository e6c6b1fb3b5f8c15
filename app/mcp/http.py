"""`{prefix}/mcp`: streamable HTTP for coding agents, by the official SDK."""

from typing import Any, cast

import anyio
import anyio.abc
from mcp.server import Server, ServerRequestContext
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from app.agent.toolbox import Tool
from app.caller import API_KEY_HEADER, WORKSPACE_HEADER, read_caller
from app.mcp.tool_server import build_server
from app.mcp.trace_tools import SESSION_SECONDS, McpCall
from app.web.markdown.ui_urls import UiLinks
from app.web.requests import BODY_BYTES, read_bytes

MOST_SESSIONS = 1_000
"""Open sessions of one process; each has a task and a queue, some 100 kB."""
_SESSION_HEADER = "mcp-session-id"


class McpEndpoint:
    """The endpoint and its sessions, which live while `run` runs."""

    def __init__(self, tools: tuple[Tool, ...], ui: UiLinks) -> None:
        self._server: Server[Any] = build_server(tools, _read_call, ui)
        self._sessions: StreamableHTTPSessionManager | None = None

    def build_route(self, prefix: str) -> Route:
        """The route for all methods; the endpoint answers those that it does not know."""
        return Route(f"{prefix}/mcp", self)

    async def run(self, stopping: anyio.Event, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        """Serves until `stopping`, then ends all sessions with their running calls."""
        self._sessions = StreamableHTTPSessionManager(
            self._server,
            session_idle_timeout=SESSION_SECONDS,
            max_request_body_size=BODY_BYTES,
            max_sessions=MOST_SESSIONS,
        )
        async with self._sessions.run():
            task_status.started()
            await stopping.wait()
            self._sessions = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Read here: the SDK takes a client that leaves in mid-body for an error, and waits for ever
        # for one that does not send the rest.
        body = [await read_bytes(Request(scope, receive))]
        began = False

        async def replay() -> Message:
            if body:
                return {"type": "http.request", "body": body.pop(), "more_body": False}
            return await receive()

        async def note_and_send(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        if self._sessions is not None:
            try:
                await self._sessions.asgi_app(scope, replay, note_and_send)
                return
            except Exception:
                # The sessions may end before this request has joined one.
                if self._sessions is not None or began:
                    raise
        message = "The service is restarting. Try again in a moment."
        refused = JSONResponse({"code": "shutting_down", "message": message}, 503)
        await refused(scope, receive, send)


def _read_call(context: ServerRequestContext[Any, Any]) -> McpCall:
    """The caller by the headers of this request alone: no cookie counts here."""
    request = cast(Request[Any], context.request)
    headers = request.headers
    caller = read_caller([], headers.get(WORKSPACE_HEADER), headers.get(API_KEY_HEADER))
    return McpCall(request.state["conversations"], caller, headers.get(_SESSION_HEADER, ""))
