"""Arguments against the schema of an offered tool: the tool failed, or took them all the same."""

import json
from typing import Any

from evals.small_cases.builder import CaseList, Json, calls, failed, model, says, tool

SCHEMA = CaseList("argument_schema")

_SCHEMA: Json = {
    "type": "object",
    "properties": {
        "ship": {"type": "string", "enum": ["TERN", "GULL"]},
        "seats": {"type": "integer"},
        "day": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    "required": ["ship"],
    "additionalProperties": False,
}
_UPPER = json.loads(json.dumps(_SCHEMA).replace('"integer"', '"INTEGER"'))

_OFFERS: dict[str, Json] = {
    "openai": {
        "tools": [{"type": "function", "function": {"name": "book", "parameters": _SCHEMA}}]
    },
    "responses": {"tools": [{"type": "function", "name": "book", "parameters": _SCHEMA}]},
    "anthropic": {"tools": [{"name": "book", "input_schema": _SCHEMA}]},
    "gemini": {
        "config": {"tools": [{"function_declarations": [{"name": "book", "parameters": _UPPER}]}]}
    },
    "bedrock": {
        "toolConfig": {"tools": [{"toolSpec": {"name": "book", "inputSchema": {"json": _SCHEMA}}}]}
    },
    "vercel": {"tools": [json.dumps({"name": "book", "inputSchema": _SCHEMA})]},
}


def _book(
    name: str, given: Json, result: Any, states: str = "", *, sdk: str = "openai", **more: Any
) -> None:
    """A model that calls `book`, what came of it, and an answer."""
    asked = {"messages": [{"role": "user", "content": "Two seats on the Tern."}], **_OFFERS[sdk]}
    SCHEMA.add(
        name,
        model(calls("book", given), asked=asked, right=bool(states)),
        tool("book", given, result, **more),
        model(says("I could not book that.")),
        question="Two seats on the Tern.",
        answer="I could not book that.",
        says=states,
    )


_REFUSED = failed("BadRequest", "400 Bad Request")
for _sdk in _OFFERS:
    _book(
        f"wrong_type_{_sdk}", {"ship": "TERN", "seats": "two"}, None, "seats", sdk=_sdk, **_REFUSED
    )
SCHEMA.add(
    "error_that_ended_the_trace",
    model(
        calls("book", {"ship": "TERN", "seats": "two"}),
        asked={"messages": [{"role": "user", "content": "Two seats."}], **_OFFERS["openai"]},
        right=True,
    ),
    tool("book", {"ship": "TERN", "seats": "two"}, None, **_REFUSED),
    answer=None,
    says="seats “two” (wants integer)",
)
_book("value_not_allowed", {"ship": "Tern"}, {"bookings": []}, "wants one of TERN, GULL")
_book("required_missing", {"seats": 2}, None, "no ship (required)", **_REFUSED)
_book("name_not_allowed", {"ship": "TERN", "places": 2}, None, "places (not allowed)", **_REFUSED)
_book("taken_all_the_same_healthy", {"ship": "TERN", "seats": "2"}, {"booking": "FB-2291"})
_book("in_order_healthy", {"ship": "GULL", "seats": 2, "day": "2026-05-14"}, {"booking": "FB-2292"})
_book("null_for_an_optional_one_healthy", {"ship": "GULL", "seats": None}, {"bookings": []})
