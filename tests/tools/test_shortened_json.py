"""JSON in few characters: what is left out, and that whatever comes in stays within the limit."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.tools.shortened_json import shorten_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=200),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=40,
)


@given(JSON, st.integers(-10, 3_000))
def test_what_is_shortened_is_json_within_the_limit(value: Any, limit: int) -> None:
    text = shorten_json(value, limit)
    if text is not None:
        assert len(text) <= limit
        json.loads(text)


def test_the_newest_messages_stay_and_say_how_many_are_left_out() -> None:
    messages = [{"role": "user", "content": f"message {n}"} for n in range(500)]
    shown = json.loads(shorten_json({"messages": messages}, 2_000) or "")
    assert shown["messages"][0] == messages[0]
    assert shown["messages"][1].endswith(" more items …")
    assert shown["messages"][-1] == messages[-1]


def test_arguments_of_calls_are_kept_longer_than_texts_in_every_spelling() -> None:
    arguments = json.dumps({"query": "q" * 300})
    for call in (
        {"type": "tool_use", "name": "search", "input": {"query": "q" * 300}},
        {"functionCall": {"name": "search", "args": {"query": "q" * 300}}},
        {"tool_calls": [{"function": {"name": "search", "arguments": arguments}}]},
        {"toolUse": {"name": "search", "input": {"query": "q" * 300}}},
    ):
        parts = [{"text": "t" * 9_000}, {"text": "u" * 9_000}, call]
        assert "q" * 300 in (shorten_json({"content": parts}, 1_000) or "")


def test_what_cannot_be_shortened_enough_is_left_to_its_beginning() -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    assert shorten_json({f"k{n}": n for n in range(9_000)}, 2_000) is None
    assert "a list of 1" in (shorten_json(deep, 2_000) or "")
    while isinstance(deep, list):
        deep = deep[0]


def test_of_a_text_that_is_json_the_members_behind_a_long_list_stay() -> None:
    page = {"rows": [{"id": n, "name": "pier"} for n in range(900)], "pages": 6, "next": "/p2"}
    shortened = shorten_json({"content": json.dumps(page)}, 1_500)
    assert shortened is not None
    assert shortened.endswith('"pages": 6, "next": "/p2"}}')


def test_a_long_text_fills_the_room_and_keeps_its_end() -> None:
    text = "The tide is high. " * 400 + "Never open the gate."
    for limit in (700, 1_500, 3_000, 6_000):
        shortened = shorten_json({"note": text, "by": "harbour"}, limit)
        assert shortened is not None
        assert 0.8 * limit < len(shortened) <= limit
        assert '"The tide is high.' in shortened
        assert 'Never open the gate.", "by"' in shortened
