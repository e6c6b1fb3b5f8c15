"""Events that are larger than what a database takes: what is kept of them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.db.event_size import CUT_MARK, measure_event, shrink_event
from app.events import (
    ReplyCompleted,
    StoredEvent,
    ToolCallRecord,
    ToolCompleted,
    TraceRead,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)

_LONG = st.text(st.characters(exclude_categories=["Cs"]), min_size=500, max_size=5_000)


@given(text=_LONG, limit=st.integers(600, 20_000))
def test_a_text_is_cut_to_fit_and_marked_however_its_characters_are_spelled_in_json(
    text: str, limit: int
) -> None:
    event = ToolCompleted(call_id="c", name="look", outcome="ok", text=text)
    kept = shrink_event(event, limit)
    assert isinstance(kept, ToolCompleted)
    if measure_event(event) <= limit:
        assert kept == event
        return
    assert measure_event(kept) <= limit
    assert measure_event(kept) > limit * 0.6
    assert kept.text.endswith(CUT_MARK)
    assert text.startswith(kept.text.removesuffix(CUT_MARK))
    assert kept.model_copy(update={"text": text}) == event


@pytest.mark.parametrize(
    "event",
    [
        TurnStarted(question="why? " * 1_000),
        ReplyCompleted(bubble="b", text="so " * 1_000, cited={"id": "name"}),
        TurnFailed(code="c", message="no " * 1_000),
    ],
)
def test_every_event_that_holds_a_text_can_be_cut(event: StoredEvent) -> None:
    kept = shrink_event(event, 1_000)
    assert 600 < measure_event(kept) <= 1_000
    assert type(kept) is type(event)


def test_a_replys_calls_keep_their_names_and_valid_arguments_where_they_are_too_large() -> None:
    calls = tuple(
        ToolCallRecord(id=f"c{number}", name="look", arguments=json.dumps({"for": "x" * 3_000}))
        for number in range(3)
    )
    event = ReplyCompleted(bubble="b", text="Let me look. " * 100, calls=calls)
    kept = shrink_event(event, 2_000)
    assert isinstance(kept, ReplyCompleted)
    assert measure_event(kept) <= 2_000
    assert [each.id for each in kept.calls] == ["c0", "c1", "c2"]
    assert all(json.loads(each.arguments) == {} for each in kept.calls)
    assert kept.text.startswith("Let me look.")
    assert shrink_event(event, 50_000) == event


@pytest.mark.parametrize("event", [TurnFinished(), TraceRead(project_id="p", spans=3)])
def test_an_event_without_a_text_is_left_as_it_is(event: StoredEvent) -> None:
    assert shrink_event(event, 1) == event
