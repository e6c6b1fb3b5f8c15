"""What schemas of offered tools refuse of the arguments of a call."""

from typing import Any

from app.analysis.recorded.request import RecordedRequest
from app.analysis.recorded.tool_schema import find_violation

_SCHEMA = {
    "properties": {
        "ship": {"type": "string"},
        "seats": {"type": "integer"},
        "fare": {"type": "number"},
        "berths": {"type": "array"},
        "class": {"enum": ["first", "second"]},
        "day": {"type": ["string", "null"]},
        "at": {"$ref": "#/$defs/time"},
    },
    "required": ["ship"],
}

_REFUSED: tuple[tuple[Any, str], ...] = (
    ({"ship": "Tern"}, ""),
    ({}, "no ship (required)"),
    ({"ship": 4}, "ship “4” (wants string)"),
    ({"ship": "Tern", "seats": "2"}, "seats “2” (wants integer)"),
    ({"ship": "Tern", "seats": 2.0}, ""),
    ({"ship": "Tern", "seats": 2.5}, "seats “2.5” (wants integer)"),
    ({"ship": "Tern", "seats": True}, "seats “True” (wants integer)"),
    ({"ship": "Tern", "fare": 3}, ""),
    ({"ship": "Tern", "berths": "B4"}, "berths “B4” (wants array)"),
    ({"ship": "Tern", "class": "third"}, "class “third” (wants one of first, second)"),
    ({"ship": "Tern", "class": None}, ""),
    ({"ship": "Tern", "day": 7, "at": 9, "more": 1}, ""),
    ("not an object", ""),
)


def test_a_schema_refuses_only_what_every_validator_refuses() -> None:
    found = {str(given): find_violation(given, _SCHEMA) for given, _ in _REFUSED}
    assert found == {str(given): refused for given, refused in _REFUSED}


def test_schemas_are_read_by_name_and_those_without_properties_left_out() -> None:
    offered = [
        {"type": "function", "function": {"name": "book", "parameters": _SCHEMA}},
        {"name": "list", "input_schema": {"type": "object"}},
        {"type": "web_search"},
    ]
    request = RecordedRequest({"messages": [], "tools": offered}, None)
    assert request.schemas == {"book": _SCHEMA}
