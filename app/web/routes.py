"""The HTTP endpoints of Opik's panel."""

from collections.abc import Sequence
from functools import cache, partial
from typing import NoReturn

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from app import __version__
from app.conversation.turn import Turn
from app.errors import NO_CONVERSATION, NotFound, OpikAssistError, RequestTooLarge
from app.events import TurnPlace
from app.web.app_state import AppState
from app.web.conversation_routes import ConversationEndpoints
from app.web.error_responses import wants_json
from app.web.history_response import HistoryRenderer
from app.web.markdown.allowed_links import AllowedLinks
from app.web.markdown.filter import make_inert
from app.web.markdown.ui_urls import PAGE_LINKS, TurnLinks, UiLinks
from app.web.openapi import describe_interface
from app.web.panel import Panel
from app.web.requests import (
    FeedbackBody,
    QuestionBody,
    check_id,
    check_message,
    read_body,
    read_conversation_id,
    read_leaf,
    read_page_start,
    read_request_caller,
    read_trace_id,
)
from app.web.sse import StartTurn, TurnStream, run_while_connected


class Endpoints:
    """The endpoints. `ui` holds the addresses of links; `storage` is shown by healthz.

    `with_page`: the page and what it reads are served beside them.
    """

    def __init__(self, *, ui: UiLinks, storage: str, with_page: bool) -> None:
        self._ui = ui
        self._histories = HistoryRenderer()
        self._with_page = with_page
        self._storage = storage

    def routes(self, prefix: str) -> Sequence[Route]:
        session = f"{prefix}/trace-analyzer/session/{{trace_id}}"
        # Made from so many types that it takes longer than the rest of a start: on first request.
        describe = cache(
            partial(describe_interface, prefix, __version__, with_page=self._with_page)
        )

        async def openapi(_: Request[AppState]) -> Response:
            return JSONResponse(await anyio.to_thread.run_sync(describe))

        return [
            Route(f"{prefix}/openapi.json", openapi, methods=["GET"]),
            Route(f"{prefix}/healthz", self.show_health, methods=["GET"]),
            Route(f"{prefix}/readyz", self.show_readiness, methods=["GET"]),
            Route(f"{prefix}/models", self.list_models, methods=["GET"]),
            Route(session, self.read_history, methods=["GET"]),
            Route(session, self.start_turn, methods=["POST"]),
            Route(session, self.delete_conversation, methods=["DELETE"]),
            *ConversationEndpoints(self._ui).routes(session),
            Route(f"{session}/suggestions", self.suggest_questions, methods=["GET"]),
            Route(f"{session}/analysis", self.analyse_trace, methods=["GET"]),
            Route(f"{session}/feedback", self.set_rating, methods=["PUT"]),
            Route(f"{session}/feedback", self.clear_rating, methods=["DELETE"]),
        ]

    async def show_health(self, _: Request[AppState]) -> Response:
        """Reports that the process runs, without asking the database or the backend."""
        return JSONResponse(
            {
                "status": "healthy",
                "session_service": "database",
                "storage": self._storage,
                "version": __version__,
            }
        )

    async def show_readiness(self, request: Request[AppState]) -> Response:
        """Reports whether questions can be answered now; a response of 503 says why not."""
        found = await request.state["health"].readiness()
        parts = {
            "database": _format_reachability(found.database.reachable),
            "schema": found.database.schema,
            "backend": _format_reachability(found.backend_answers),
        }
        if not found.faults:
            return JSONResponse({"status": "ready", **parts})
        message = " ".join(found.faults)
        return JSONResponse({"code": "not_ready", "message": message, **parts}, 503)

    async def list_models(self, request: Request[AppState]) -> Response:
        """The models that a question may name; `usable` is null where only a try would show it."""
        offered = await request.state["conversations"].list_models(read_request_caller(request))
        listed = [{"name": each.name, "usable": each.usable} for each in offered]
        return JSONResponse({"models": listed})

    async def read_history(self, request: Request[AppState]) -> Response:
        conversations = request.state["conversations"]
        caller, trace_id = read_request_caller(request), read_trace_id(request)
        read = partial(
            conversations.read_history,
            conversation_id=read_conversation_id(request),
            leaf=read_leaf(request),
            before=read_page_start(request),
        )
        async with conversations.reserve_reading(caller):
            transcript = await read(caller, trace_id)
            return await self._histories.build_response(transcript, self._choose_links(request))

    async def suggest_questions(self, request: Request[AppState]) -> Response:
        conversations = request.state["conversations"]
        caller, trace_id = read_request_caller(request), read_trace_id(request)
        suggest = partial(conversations.suggest_questions, caller, trace_id)
        questions = await run_while_connected(request.receive, suggest)
        return JSONResponse(
            {"suggestions": [make_inert(each, AllowedLinks(), {}) for each in questions]}
        )

    async def analyse_trace(self, request: Request[AppState]) -> Response:
        conversations = request.state["conversations"]
        caller, trace_id = read_request_caller(request), read_trace_id(request)
        analyse = partial(conversations.analyse_trace, caller, trace_id)
        return JSONResponse(await run_while_connected(request.receive, analyse))

    async def start_turn(self, request: Request[AppState]) -> ASGIApp:
        request_id = request.state["request_id"]
        try:
            start = await self._read_question(request)
        except RequestTooLarge as error:
            if wants_json(request):
                raise
            return TurnStream(partial(_fail_to_start, error), request_id=request_id)
        if not wants_json(request):
            return TurnStream(start, request_id=request_id)
        started = await run_while_connected(request.receive, start)

        async def get_started() -> tuple[Turn, Panel]:
            return started

        return TurnStream(get_started, request_id=request_id)

    async def _read_question(self, request: Request[AppState]) -> StartTurn:
        """What starts the turn that a request asks for; raises what a program got wrong."""
        conversations = request.state["conversations"]
        caller, trace_id = read_request_caller(request), read_trace_id(request)
        question = await read_body(request, QuestionBody)
        conversations.check_model(question.model)
        replaced = question.replaces
        place = TurnPlace(
            read_conversation_id(request),
            replaces=None if replaced is None else check_id(replaced, "turn"),
            after=read_leaf(request),
        )
        if question.message is None and place.replaces is not None:
            message = await conversations.read_question(caller, trace_id, place)
        else:
            message = check_message(question.message)
            await conversations.check_place(caller, trace_id, place)
        ui = self._choose_links(request)

        async def start() -> tuple[Turn, Panel]:
            turn = await conversations.start_turn(
                caller,
                trace_id,
                message,
                request_id=request.state["request_id"],
                model=question.model,
                place=place,
            )
            turn_links = TurnLinks(
                ui, workspace=turn.workspace, trace_id=trace_id, question=message
            )
            return turn, Panel(turn.key.turn_id, turn_links, streaming=question.streaming)

        return start

    async def delete_conversation(self, request: Request[AppState]) -> Response:
        conversations = request.state["conversations"]
        caller, trace_id = read_request_caller(request), read_trace_id(request)
        conversation_id = read_conversation_id(request)
        deleted = await conversations.delete(caller, trace_id, conversation_id)
        if conversation_id is not None and not deleted:
            raise NotFound(NO_CONVERSATION)
        return JSONResponse(None)

    async def set_rating(self, request: Request[AppState]) -> Response:
        conversations = request.state["conversations"]
        thumb = await read_body(request, FeedbackBody)
        caller, trace_id = read_request_caller(request), read_trace_id(request)
        await conversations.set_rating(caller, trace_id, thumb.value, read_conversation_id(request))
        return JSONResponse({"status": "ok"})

    async def clear_rating(self, request: Request[AppState]) -> Response:
        conversations = request.state["conversations"]
        caller, trace_id = read_request_caller(request), read_trace_id(request)
        conversation_id = read_conversation_id(request)
        found = await conversations.clear_rating(caller, trace_id, conversation_id)
        if conversation_id is not None and not found:
            raise NotFound(NO_CONVERSATION)
        return Response(status_code=204)

    def _choose_links(self, request: Request[AppState]) -> UiLinks:
        """Opik's UI, or with `links=page` the service's own page that asks."""
        return PAGE_LINKS if request.query_params.get("links") == "page" else self._ui


async def _fail_to_start(error: OpikAssistError) -> NoReturn:
    raise error


def _format_reachability(answers: bool) -> str:
    return "reachable" if answers else "unreachable"
