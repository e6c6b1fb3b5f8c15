"""The names of events are stored and public."""

from typing import get_args

import pytest
from pydantic import BaseModel, ValidationError

from app.events import (
    ContextShrunk,
    Event,
    ReplyCompleted,
    StoredEvent,
    dump_event,
    load_event,
)

LIVE = {"text_withdrawn", "usage_counted"}


def names(union: object) -> set[str]:
    """Of the models; what is no model has no name to be stored by."""
    kinds = [each for each in get_args(union) if issubclass(each, BaseModel)]
    return {each.model_fields["type"].default for each in kinds}


def test_the_names_of_stored_events_never_change() -> None:
    assert names(StoredEvent) >= {
        "turn_started",
        "trace_read",
        "spans_named",
        "reply_completed",
        "tool_completed",
        "context_shrunk",
        "questions_suggested",
        "turn_finished",
        "turn_failed",
        "turn_cancelled",
        "turn_interrupted",
    }


def test_live_events_cannot_be_stored() -> None:
    assert names(Event) - names(StoredEvent) == LIVE
    for name in {"text_delta", *LIVE}:
        with pytest.raises(ValidationError):
            load_event(f'{{"type": "{name}"}}')


def test_an_event_is_read_as_it_was_written() -> None:
    event = ContextShrunk(reason="refused", answers=2, turns=1, characters=99)
    assert load_event(dump_event(event)) == event


def test_a_reply_that_was_stored_before_providers_were_is_still_read() -> None:
    old = '{"type": "reply_completed", "bubble": "b", "text": "x", "model": "gpt-4.1"}'
    assert load_event(old) == ReplyCompleted(bubble="b", text="x", model="gpt-4.1")
