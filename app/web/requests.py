"""Reads and checks what a request holds: the caller, the trace id, the body."""

import re
from typing import Annotated, Any, TypeVar

import anyio
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import ClientDisconnect, Request

from app.caller import API_KEY_HEADER, WORKSPACE_HEADER, Caller, read_caller
from app.conversation.titles import TITLE_CHARACTERS, clean_title
from app.errors import (
    InvalidRequest,
    NotFound,
    RequestTimedOut,
    RequestTooLarge,
    Unprocessable,
    WrongMediaType,
)
from app.ids import is_uuid

BODY_BYTES = 262_144
"""The longest message takes 192 kB where JSON writes each character as `\\uXXXX`."""
BODY_SECONDS = 10.0
"""A stalled client must not hold a connection; any usable line brings 256 kB sooner."""
MESSAGE_CHARACTERS = 32_000
"""Some 10,000 tokens: a pasted log or stack trace fits, and a tenth of the model's context."""


_SEQUENCE = re.compile(r"[1-9][0-9]{0,8}")


class RequestModel(BaseModel):
    """What a request holds; fields that are not known are ignored."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class QuestionBody(RequestModel):
    """The body of a turn; with `replaces` and no message the same question is asked again."""

    message: Annotated[str, Field(strict=True)] | None = None
    streaming: bool = True
    model: Annotated[str, Field(strict=True, min_length=1, max_length=255)] | None = None
    replaces: Annotated[str, Field(strict=True)] | None = None


class FeedbackBody(RequestModel):
    """The body of feedback: 1 up, 0 down."""

    value: Annotated[int, Field(strict=True, ge=0, le=1)]


class TitleBody(RequestModel):
    """The body of a new title."""

    title: Annotated[str, Field(strict=True, min_length=1, max_length=TITLE_CHARACTERS)]


AnyBody = TypeVar("AnyBody", bound=RequestModel)


def read_request_caller(request: Request[Any]) -> Caller:
    headers = request.headers
    return read_caller(
        headers.getlist("cookie"), headers.get(WORKSPACE_HEADER), headers.get(API_KEY_HEADER)
    )


def read_trace_id(request: Request[Any]) -> str:
    """The trace in the path as a lower-case UUID; only such a text may become part of a URL."""
    trace_id: str = request.path_params["trace_id"]
    if not is_uuid(trace_id):
        raise InvalidRequest("The trace id in the URL is not a UUID.")
    return trace_id.lower()


def read_conversation_id(request: Request[Any]) -> str | None:
    """The conversation that the query names, None for the current one; raises NotFound."""
    named = request.query_params.get("conversation")
    return None if named is None else check_id(named, "conversation")


def read_leaf(request: Request[Any]) -> str | None:
    """The turn that the query names as the end of a branch, None for none; raises NotFound."""
    named = request.query_params.get("leaf")
    return None if named is None else check_id(named, "turn")


def read_page_start(request: Request[Any]) -> int | None:
    """The query's `before`: the `earlier` of the page of a history that follows."""
    before = request.query_params.get("before")
    if before is None:
        return None
    if not _SEQUENCE.fullmatch(before):
        raise Unprocessable("before: must be the `earlier` of another page, a whole number.")
    return int(before)


def check_id(named: str, kind: str) -> str:
    """The id of a conversation or turn in lower case; raises NotFound for what is no UUID."""
    if not is_uuid(named):
        raise NotFound(f"There is no such {kind}: its id is not a UUID.")
    return named.lower()


async def read_body(request: Request[Any], kind: type[AnyBody]) -> AnyBody:
    """The JSON body; raises a RequestRefused whose message says what is wrong."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise WrongMediaType("The body must be sent as application/json.")
    try:
        return kind.model_validate_json(await read_bytes(request))
    except ValidationError as error:
        raise describe_validation_error(error) from None


async def read_bytes(request: Request[Any]) -> bytes:
    """The whole body; raises a RequestRefused where it is too long or does not come in time."""
    data = bytearray()
    try:
        with anyio.fail_after(BODY_SECONDS):
            async for piece in request.stream():
                data += piece
                if len(data) > BODY_BYTES:
                    raise RequestTooLarge(f"The body is larger than {BODY_BYTES:,} bytes.")
    except TimeoutError:
        raise RequestTimedOut(f"The body did not arrive within {BODY_SECONDS:g} seconds.") from None
    except ClientDisconnect:
        raise InvalidRequest("The client disconnected before its request was complete.") from None
    return bytes(data)


def check_message(message: str | None) -> str:
    """The user's message; raises a RequestRefused where it is missing, blank or too long."""
    if message is None:
        raise InvalidRequest("message: Field required")
    if not message.strip():
        raise InvalidRequest("The message is empty.")
    if len(message) > MESSAGE_CHARACTERS:
        raise RequestTooLarge(f"The message is longer than {MESSAGE_CHARACTERS:,} characters.")
    return message


def check_title(body: TitleBody) -> str:
    """The title as one line; raises Unprocessable where nothing of it can be seen."""
    title = clean_title(body.title)
    if not title:
        raise Unprocessable("title: has no visible characters.")
    return title


def describe_validation_error(error: ValidationError) -> InvalidRequest | Unprocessable:
    """The first fault of a body or query as an error whose message names the field."""
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "body"
    text = f"{field}: {first['msg'].removeprefix('Value error, ')}"
    if first["type"] in {"greater_than_equal", "less_than_equal"} or field == "title":
        return Unprocessable(text)
    return InvalidRequest(text)
