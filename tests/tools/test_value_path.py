"""Paths into values and the windows on them: whatever the content, they read back."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.analysis.json_values import iterate_leaves
from app.errors import ToolFailed
from app.tools.excerpts import Value, as_text, render_excerpt, share_characters
from app.tools.json_path import describe_value, format_path, parse_path, select_value

TEXTS = st.text(st.characters(exclude_categories=[]), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["input", "output"]), JSON, min_size=1))
@example({"input": {"": {"a.b": [{"it's": 1, 'say "x"': 2, "\n": 3, "0": 4, " ": 5}]}}})
@example({"input": {"\ud83d": {"[0]": 1, "$": 2, "\\u0022": 3}}})
def test_every_leaf_is_reached_by_its_written_path(value: dict[str, Any]) -> None:
    for path, leaf in iterate_leaves(value):
        if any("']" in str(step) or "\\" in str(step) for step in path):
            continue
        found = select_value(value, parse_path(format_path(path)))
        assert repr(found) == repr(leaf)


@given(TEXTS)
def test_any_text_is_a_path_or_refused_in_words(text: str) -> None:
    try:
        said = ""
        assert parse_path(text)
    except ToolFailed as error:
        said = error.message
    assert not said or "input.messages[2].content" in said


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$.a[0].b", 1),
        ("a.0.b", 1),
        ('["a"][-1]["b"]', 1),
        ("a[0]['b']", 1),
        ("text.inner[1]", "y"),
        ("numbered.7", "seven"),
        ("my key", 2),
    ],
)
def test_lenient_spellings_mean_the_same(path: str, found: Any) -> None:
    value = {
        "a": [{"b": 1}],
        "text": '{"inner": ["x", "y"]}',
        "numbered": {"7": "seven"},
        "my key": 2,
    }
    assert select_value(value, parse_path(path)) == found


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("a.x", "There is no a.x: a is a list of 2."),
        ("b.c", "There is no b.c: b is an object with d, e[3]."),
        ("b.d.z", "There is no b.d.z: b.d is a text of 5 characters."),
        ("q", "There is no q: it is an object with a[2], b."),
        ("a[0].x", "There is no a[0].x: a[0] is null."),
    ],
)
def test_a_path_that_leads_nowhere_tells_what_is_there(path: str, said: str) -> None:
    value = {"a": [None, 2], "b": {"d": "hello", "e": [1, 2, 3]}}
    with pytest.raises(ToolFailed) as refused:
        select_value(value, parse_path(path))
    assert refused.value.message == said


@given(JSON)
def test_any_value_is_described_on_one_bounded_line(value: Any) -> None:
    assert len(describe_value(value)) < 700
    assert "\n" not in describe_value(value)


@given(JSON)
def test_any_value_becomes_text_that_utf8_can_write(value: Any) -> None:
    as_text(value).encode()


def test_a_value_too_deep_for_the_writer_is_described() -> None:
    value: Any = {"leaf": 1}
    for _ in range(200_000):
        value = [value]
    assert as_text(value).startswith("[too deeply nested to be shown whole: a list of 1")
    while isinstance(value, list):
        value = value[0]


@given(st.lists(st.integers(0, 5_000), max_size=12), st.integers(0, 20_000))
def test_room_is_shared_so_that_nothing_is_wasted(lengths: list[int], room: int) -> None:
    given_room = share_characters(lengths, room)
    assert all(got <= wanted for got, wanted in zip(given_room, lengths, strict=True))
    assert sum(given_room) <= room
    assert sum(given_room) >= min(room, sum(lengths)) - len(lengths)


@given(
    st.lists(st.integers(0, 20_000), min_size=1, max_size=20),
    st.integers(0, 9_000),
    st.integers(7_000, 9_000),
)
def test_values_stay_within_their_room_and_say_where_they_go_on(
    lengths: list[int], offset: int, room: int
) -> None:
    values = [
        Value(f"v{n}", "x" * length, lambda at, n=n: f"more(v{n}, {at})", "an object " * 200)
        for n, length in enumerate(lengths)
    ]
    parts = render_excerpt(values, room, offset=offset)
    assert sum(len(part) for part in parts) + 2 * (len(parts) - 1) <= room
    for value, part in zip(values, parts, strict=True):
        visible = part.count("x")
        at = offset + visible
        assert visible == max(0, len(value.text) - offset) or f"more({value.title}, {at})" in part


def test_json_is_shown_as_json() -> None:
    assert json.loads(as_text({"é": [1, None]})) == {"é": [1, None]}
