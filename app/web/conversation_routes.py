"""The endpoints for several conversations about a trace: list, create, rename, delete, export."""

from collections.abc import Sequence
from typing import Any

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.conversation.summary import ConversationSummary
from app.errors import Unprocessable
from app.events import Transcript
from app.web.app_state import AppState
from app.web.conversation_json import describe_conversation
from app.web.export import build_disposition, export_json, export_markdown
from app.web.markdown.ui_urls import UiLinks
from app.web.requests import (
    TitleBody,
    check_id,
    check_title,
    read_body,
    read_conversation_id,
    read_leaf,
    read_request_caller,
    read_trace_id,
)


class ConversationEndpoints:
    """The endpoints. `ui` holds the addresses of links."""

    def __init__(self, ui: UiLinks) -> None:
        self._ui = ui
        self._threads = anyio.CapacityLimiter(1)

    def routes(self, session: str) -> Sequence[Route]:
        """The routes below the path of a trace's session."""
        each = f"{session}/conversations/{{conversation_id}}"
        return [
            Route(f"{session}/conversations", self.list_conversations, methods=["GET"]),
            Route(f"{session}/conversations", self.create_conversation, methods=["POST"]),
            Route(each, self.rename_conversation, methods=["PATCH"]),
            Route(each, self.delete_conversation, methods=["DELETE"]),
            Route(f"{session}/export", self.export_conversation, methods=["GET"]),
        ]

    async def list_conversations(self, request: Request[AppState]) -> Response:
        listed = await request.state["conversations"].list_conversations(
            read_request_caller(request), read_trace_id(request)
        )
        return JSONResponse({"content": [describe_conversation(each) for each in listed]})

    async def create_conversation(self, request: Request[AppState]) -> Response:
        created = await request.state["conversations"].create_conversation(
            read_request_caller(request), read_trace_id(request)
        )
        return JSONResponse(describe_conversation(created), 201)

    async def rename_conversation(self, request: Request[AppState]) -> Response:
        caller, trace_id = read_request_caller(request), read_trace_id(request)
        conversation_id = _read_path_id(request)
        title = check_title(await read_body(request, TitleBody))
        renamed = await request.state["conversations"].rename_conversation(
            caller, trace_id, conversation_id, title=title
        )
        return JSONResponse(describe_conversation(renamed))

    async def delete_conversation(self, request: Request[AppState]) -> Response:
        """Deletes one conversation; that there is none is no error."""
        caller, trace_id = read_request_caller(request), read_trace_id(request)
        await request.state["conversations"].delete(caller, trace_id, _read_path_id(request))
        return Response(status_code=204)

    async def export_conversation(self, request: Request[AppState]) -> Response:
        """A branch of a conversation as a file to download."""
        kind = request.query_params.get("format", "markdown")
        if kind not in {"markdown", "json"}:
            raise Unprocessable("format: allowed are markdown and json.")
        conversations = request.state["conversations"]
        caller, trace_id = read_request_caller(request), read_trace_id(request)
        place = {"conversation_id": read_conversation_id(request), "leaf": read_leaf(request)}
        build = self._build_json if kind == "json" else self._build_markdown
        async with conversations.reserve_reading(caller):
            exported = await conversations.read_with_summary(caller, trace_id, **place)
            # In a thread, since a long one takes seconds of CPU.
            answer = await anyio.to_thread.run_sync(build, *exported, limiter=self._threads)
        extension = "json" if kind == "json" else "md"
        answer.headers["Content-Disposition"] = build_disposition(exported[0], extension)
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer

    def _build_json(self, summary: ConversationSummary, transcript: Transcript) -> Response:
        return JSONResponse(export_json(summary, transcript, self._ui))

    def _build_markdown(self, summary: ConversationSummary, transcript: Transcript) -> Response:
        text = export_markdown(summary, transcript, self._ui)
        return Response(text, media_type="text/markdown; charset=utf-8")


def _read_path_id(request: Request[Any]) -> str:
    return check_id(request.path_params["conversation_id"], "conversation")
