"""Finds the trace that a person or a program names: by its id, or by a URL of Opik's UI."""

import re
from urllib.parse import parse_qs, urlsplit

from app.errors import InvalidRequest
from app.ids import UUID_PATTERN, is_uuid

_LONGEST = 4_000
"""Characters; URLs of the UI have some hundred."""
_PARAMETERS = ("trace", "trace_id", "traceId")
_IN_PATH = re.compile(rf"traces?/({UUID_PATTERN})", re.IGNORECASE)


def find_trace_id(named: str) -> str:
    """The trace's id in lower case; raises InvalidRequest where there is none.

    A UUID stands for itself. In a URL it is the parameter `trace`, `trace_id` or `traceId`, or what
    follows `traces/` in the path.
    """
    named = named.strip()[:_LONGEST]
    if is_uuid(named):
        return named.lower()
    try:
        url = urlsplit(named)
        parameters = parse_qs(url.query)
    except ValueError:
        url, parameters = urlsplit(""), {}
    for name in _PARAMETERS:
        for value in parameters.get(name, ()):
            if is_uuid(value):
                return value.lower()
    if (found := _IN_PATH.search(url.path)) is not None:
        return found[1].lower()
    raise InvalidRequest("trace_id must be a trace's UUID or the URL of a trace in Opik.")
