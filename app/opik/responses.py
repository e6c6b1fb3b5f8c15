"""Parses the backend's responses: records, NDJSON pages, and every shape of error."""

import json
import math
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from app.backend_http import BackendResponse, parse_retry_after
from app.errors import (
    BackendUnavailable,
    NotAllowed,
    NotFound,
    NotSignedIn,
    OpikAssistError,
    Unprocessable,
)
from app.ids import UUID_PATTERN
from app.opik import deep_json
from app.opik.records import Span, Trace
from app.worker_threads import PARSED_INLINE_BYTES, run_by_size

log = structlog.get_logger(__name__)

_MOST_ERRORS = 20
"""Of an error only a sentence is kept."""

_FIRST_ID = re.compile(rb'\{"id": ?"([0-9a-zA-Z-]+)"')
"""Of a record that begins with it, as all do that a backend writes."""
_PROJECT_ID = re.compile(rb'"project_id": ?"(%b)"' % UUID_PATTERN.encode())

Record = TypeVar("Record", bound=BaseModel)
Listed = TypeVar("Listed", Span, Trace)


class RecordTooLarge(Unprocessable):
    """A record with more values than are read."""


def parse_record(kind: type[Record], response: BackendResponse, what: str) -> Record:
    """The record in a 200 response; raises the error of any other, and RecordTooLarge."""
    if response.status != 200:
        raise build_error(response, what)
    found = _parse_plain(kind, response.body)
    if found is not None:
        return found
    try:
        return kind.model_validate(deep_json.loads(response.body))
    except deep_json.TooManyValues:
        raise RecordTooLarge(f"This {what} is too large to read.") from None
    except ValueError:
        log.warning("backend_response_unreadable", record=what, check_setting="AGENT_OPIK_URL")
        raise BackendUnavailable(
            f"The Opik backend's answer about the {what} cannot be read. Ask your administrator "
            "whether this assistant has the right address of Opik."
        ) from None


def _parse_plain(kind: type[Record], data: bytes) -> Record | None:
    """The record of a text that needs none of the care of `deep_json`, in a third of the time;
    None where it does: pydantic's parser takes no single surrogates and no very long numbers."""
    try:
        return None if deep_json.is_deep(data) else kind.model_validate_json(data)
    except ValueError:
        return None


async def read_record(kind: type[Record], response: BackendResponse, what: str) -> Record:
    """The same, parsed in a thread if it is long; a body that was cut is a RecordTooLarge."""
    if response.status == 200 and response.end == "too_large":
        raise RecordTooLarge(f"This {what} is too large to read.")
    return await run_by_size(
        len(response.body), PARSED_INLINE_BYTES, parse_record, kind, response, what
    )


def find_project_id(response: BackendResponse) -> str | None:
    """The project of a record that may be cut: a backend writes ids before what was recorded."""
    found = _PROJECT_ID.search(response.body)
    return None if found is None else found[1].decode()


def build_error(response: BackendResponse, what: str) -> OpikAssistError:
    """The error that a status other than 200 means for the caller."""
    detail = parse_error_text(response.body)
    if response.status == 401:
        return NotSignedIn("Your Opik session has expired. Sign in again.", detail=detail)
    if response.status == 403:
        return NotAllowed("You may not read this in Opik's workspace.", detail=detail)
    if response.status == 404:
        return NotFound(f"Opik has no such {what} in this workspace.", detail=detail)
    if response.status == 429:
        wait = _format_minutes(parse_retry_after(response.headers))
        message = f"Opik accepts no more requests for the moment. Wait {wait} and ask again."
        return BackendUnavailable(message, detail=detail)
    if response.status < 500:
        message = f"Opik refused to show the {what} (status {response.status})."
        return BackendUnavailable(message, detail=detail)
    message = f"The Opik backend failed (status {response.status}). Try again in a moment."
    return BackendUnavailable(message, detail=detail)


def _format_minutes(seconds: float | None) -> str:
    """At least a minute, since the backend's rate limits are per minute."""
    minutes = math.ceil((seconds or 0) / 60)
    return "a minute" if minutes <= 1 else f"{minutes:,} minutes"


def parse_error_text(body: bytes) -> str:
    """The text of an error body in any of the backend's shapes; empty for HTML or nothing."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(value, dict):
        return ""
    errors = value.get("errors")
    if isinstance(errors, list):
        return "; ".join(str(each) for each in errors[:_MOST_ERRORS])[:1000]
    for key in ("message", "error", "detail"):
        if isinstance(value.get(key), str):
            return str(value[key])[:1000]
    return ""


@dataclass(slots=True)
class Page(Generic[Listed]):
    """One page of a search: NDJSON, newest id first.

    `records` counts lines that were records, readable or not, and `cursor` is the last of their
    ids, since the backend pages by the last record that it sent.
    """

    found: list[Listed] = field(default_factory=list)
    records: int = 0
    cursor: str | None = None
    broken: bool = False
    bytes: int = 0


SpanPage = Page[Span]


def parse_page(
    kind: type[Listed],
    response: BackendResponse,
    drop: frozenset[str],
    only: Collection[str] | None = None,
) -> Page[Listed]:
    """The page in a 200 response, without the fields in `drop`; unreadable records are counted.
    With `only` those with these ids are found, and the others at least counted."""
    page = Page[Listed](broken=response.end != "whole", bytes=len(response.body))
    lines = response.body.split(b"\n")
    if page.broken and lines:
        lines.pop()
    for line in lines:
        if only is not None and (first := _FIRST_ID.match(line)) is not None:
            record_id = first[1].decode()
            if record_id not in only:
                page.records += 1
                page.cursor = record_id
                continue
        if line.strip():
            _parse_line(kind, page, line, drop)
    return page


def find_last_id(response: BackendResponse, size: int) -> str | None:
    """The id of the last record of a page that seems to be whole and to have `size` records, by its
    last line; None where the page has to be parsed to know."""
    body = response.body.rstrip()
    if response.end != "whole" or body.count(b"\n") + 1 != size:
        return None
    last = _FIRST_ID.match(body, body.rfind(b"\n") + 1)
    return None if last is None else last[1].decode()


def _parse_line(kind: type[Listed], page: Page[Listed], line: bytes, drop: frozenset[str]) -> None:
    found = _parse_plain(kind, line)
    if found is not None and drop.isdisjoint(found.model_fields_set):
        page.records += 1
        page.cursor = found.id
        page.found.append(found)
        return
    value = _parse_json(line)
    if not isinstance(value, dict) or not isinstance(value.get("id"), str):
        # The backend reports a time-out inside the stream, by an error object in place of a record.
        page.broken = True
        return
    page.records += 1
    page.cursor = value["id"]
    kept: dict[str, Any] = {key: each for key, each in value.items() if key not in drop}
    try:
        page.found.append(kind.model_validate(kept))
    except ValidationError:
        return


def _parse_json(line: bytes) -> Any:
    try:
        return deep_json.loads(line)
    except ValueError:
        return None
