"""Errors as answers: a status with `{"code", "message"}`, or, for a turn, a frame.

The panel shows `message` of a JSON error, but of a turn it reads nothing except frames; so what
its user should read comes as status 200 and one error frame, unless the client asks for JSON.
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
from app.web.panel import error_frame
from app.web.sse import FrameStream

log = structlog.get_logger(__name__)

_INTERNAL = OpikAssistError("Something went wrong inside the assistant.")


def error_response(error: OpikAssistError) -> JSONResponse:
    """The error as a status and a JSON body, with `Retry-After` where waiting is known to help."""
    answer = JSONResponse({"code": error.reason, "message": error.message}, error.status)
    if isinstance(error, LimitReached) and error.retry_after is not None:
        answer.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, RequestTimedOut):
        # Whatever still comes of that body is no request.
        answer.headers["Connection"] = "close"
    return answer


def turn_error_response(error: OpikAssistError, request: Request[Any]) -> ASGIApp:
    """The error of a turn that did not start: a frame for a panel, a status for a program."""
    if not isinstance(error, Unavailable) or _wants_json(request):
        return error_response(error)
    told = make_inert(error.user_message(request.state.request_id), AllowedLinks(), {})
    return FrameStream([error_frame(error.reason, told)])


async def on_error(_: Request, error: Exception) -> Response:
    """Every endpoint's answer to our own errors."""
    assert isinstance(error, OpikAssistError)
    return error_response(error)


async def on_http_exception(_: Request, error: Exception) -> Response:
    """Starlette's own refusals (unknown routes and methods) in our words."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        answer = error_response(WrongMethod("This address does not take that method."))
    elif error.status_code == 404:
        answer = error_response(NotFound("There is nothing at this address."))
    else:
        answer = JSONResponse({"code": "refused", "message": str(error.detail)}, error.status_code)
    answer.headers.update(error.headers or {})
    return answer


async def on_crash(_: Request, __: Exception) -> Response:
    """The last resort; the traceback goes to the log, never to the client."""
    return error_response(_INTERNAL)


def _wants_json(request: Request[Any]) -> bool:
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/event-stream" not in accepted
