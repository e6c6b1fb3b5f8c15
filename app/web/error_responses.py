"""Errors -> responses: a status with `{"code", "message"}`, or for a turn an error frame.

The panel shows the `message` of a JSON error, but of a turn it reads frames only: so what a user
should read is sent as status 200 and an error frame, unless the client asks for JSON. What only a
program can get wrong (a malformed body, another content type, a foreign origin) is always a status.
"""

import re
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.errors import (
    LimitReached,
    NotFound,
    OpikAssistError,
    WrongMethod,
)
from app.web.markdown.allowed_links import AllowedLinks
from app.web.markdown.filter import make_inert
from app.web.panel import PanelFrame, build_error_frame

log = structlog.get_logger(__name__)

INTERNAL_ERROR = OpikAssistError("Something went wrong inside the assistant.")


def build_error_response(error: OpikAssistError) -> JSONResponse:
    """The error as a status and a JSON body, with `Retry-After` where waiting is known to help."""
    answer = JSONResponse({"code": error.reason, "message": error.message}, error.status)
    if isinstance(error, LimitReached) and error.retry_after is not None:
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def build_turn_error_frame(error: OpikAssistError, request_id: str) -> PanelFrame:
    """The only frame of a turn that did not start."""
    message = make_inert(error.user_message(request_id), AllowedLinks(), {})
    return build_error_frame(error.reason, message)


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


async def handle_crash(request: Request, error: Exception) -> Response:
    """Responds to an unexpected error; the traceback goes to the log, never to the client.

    Starlette calls it outside the middleware that gives responses and log lines their request id.
    """
    request_id = request.state["request_id"]
    log.error("request_crashed", request=request_id, exc_info=error)
    answer = build_error_response(INTERNAL_ERROR)
    answer.headers["X-Request-ID"] = request_id
    return answer


def wants_json(request: Request[Any]) -> bool:
    """Whether a client asks for JSON by name and not for a stream of events as well."""
    accepted = set()
    for each in request.headers.get("accept", "").lower().split(","):
        media_type, *parameters = (part.strip() for part in each.split(";"))
        if not any(_ZERO_QUALITY.fullmatch(parameter) for parameter in parameters):
            accepted.add(media_type)
    return "application/json" in accepted and "text/event-stream" not in accepted


_ZERO_QUALITY = re.compile(r"q=0(?:\.0*)?")
