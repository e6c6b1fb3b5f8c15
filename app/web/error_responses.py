"""Errors -> responses: a status with `{"code", "message"}`, or for a turn one error frame.

The panel shows the `message` of a JSON error, but of a turn it reads frames only: so an error for
its user is sent as status 200 and one error frame, unless the client asks for JSON.
"""

from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from app.errors import (
    LimitReached,
    NotFound,
    OpikAssistError,
    RequestTimedOut,
    Unavailable,
    WrongMethod,
)
from app.web.markdown.allowed_links import AllowedLinks
from app.web.markdown.filter import make_inert
from app.web.panel import build_error_frame
from app.web.sse import FrameStream

log = structlog.get_logger(__name__)

_INTERNAL = OpikAssistError("Something went wrong inside the assistant.")


def build_error_response(error: OpikAssistError) -> JSONResponse:
    """The error as a status and a JSON body, with `Retry-After` where waiting is known to help."""
    answer = JSONResponse({"code": error.reason, "message": error.message}, error.status)
    if isinstance(error, LimitReached) and error.retry_after is not None:
        answer.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, RequestTimedOut):
        # What still arrives of that body must not be read as a request.
        answer.headers["Connection"] = "close"
    return answer


def build_turn_error_response(error: OpikAssistError, request: Request[Any]) -> ASGIApp:
    """The error of a turn that did not start: a frame for a panel, a status for a program."""
    if not isinstance(error, Unavailable) or _wants_json(request):
        return build_error_response(error)
    message = make_inert(error.user_message(request.state.request_id), AllowedLinks(), {})
    return FrameStream([build_error_frame(error.reason, message)])


async def handle_service_error(_: Request, error: Exception) -> Response:
    """Responds to an error of the service's own, from any endpoint."""
    assert isinstance(error, OpikAssistError)
    return build_error_response(error)


async def handle_http_exception(_: Request, error: Exception) -> Response:
    """Responds to Starlette's errors (unknown routes and methods) in the service's own form."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        answer = build_error_response(WrongMethod("This URL does not support that method."))
    elif error.status_code == 404:
        answer = build_error_response(NotFound("There is nothing at this URL."))
    else:
        answer = JSONResponse({"code": "refused", "message": str(error.detail)}, error.status_code)
    answer.headers.update(error.headers or {})
    return answer


async def handle_crash(_: Request, __: Exception) -> Response:
    """Responds to an unexpected error; the traceback goes to the log, never to the client."""
    return build_error_response(_INTERNAL)


def _wants_json(request: Request[Any]) -> bool:
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/event-stream" not in accepted
