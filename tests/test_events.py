"""The stored events: their names are public and their old forms stay readable."""

import json
from typing import get_args

import pytest

from app.events import StoredEvent, dump_event, load_event

NAMES = {
    "turn_started",
    "trace_read",
    "spans_named",
    "reply_completed",
    "tool_completed",
    "turn_finished",
    "turn_failed",
    "turn_cancelled",
    "turn_interrupted",
}

STORED = [
    {"type": "turn_started", "question": "Why? \U0001f600"},
    {"type": "trace_read", "project_id": "p", "spans": 4},
    {"type": "spans_named", "ids": ["a", "b"]},
    {"type": "reply_completed", "bubble": "b", "text": "x", "calls": [], "complete": True},
    {
        "type": "reply_completed",
        "bubble": "b",
        "text": "",
        "calls": [{"id": "c", "name": "n", "arguments": "{}"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4},
    },
    {"type": "tool_completed", "call_id": "c", "name": "n", "outcome": "ok", "text": "t"},
    {"type": "turn_finished"},
    {"type": "turn_failed", "code": "no_key", "message": "m"},
    {"type": "turn_cancelled"},
    {"type": "turn_interrupted"},
]


def test_the_names_of_stored_events_are_only_ever_added_to() -> None:
    names = {each.model_fields["type"].default for each in get_args(StoredEvent)}
    assert names >= NAMES


@pytest.mark.parametrize("stored", STORED, ids=lambda stored: str(stored["type"]))
def test_an_event_of_the_first_version_is_read_and_written_again(stored: dict[str, object]) -> None:
    event = load_event(json.dumps(stored))
    written = json.loads(dump_event(event))
    assert stored.items() <= written.items() or stored["type"] == "reply_completed"
    assert load_event(json.dumps(written)) == event


def test_a_field_of_a_later_version_is_ignored() -> None:
    assert load_event('{"type": "turn_finished", "mood": "good"}').type == "turn_finished"
