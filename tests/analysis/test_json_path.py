"""Paths into values: whatever the keys, they read back."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.analysis.recorded.leaves import walk_values
from app.analysis.text.json_path import describe_value, format_path, parse_path, select_value
from app.errors import ToolFailed

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
    for path, leaf in walk_values(value, most=4_000):
        if any("']" in str(step) or "\\" in str(step) for step in path):
            continue
        found = select_value(value, parse_path(format_path(path)))
        assert repr(found) == repr(leaf)


@given(TEXTS)
def test_any_text_is_a_path_or_refused_with_an_example(text: str) -> None:
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
def test_a_path_that_leads_nowhere_is_refused_with_what_is_there(path: str, said: str) -> None:
    value = {"a": [None, 2], "b": {"d": "hello", "e": [1, 2, 3]}}
    with pytest.raises(ToolFailed) as refused:
        select_value(value, parse_path(path))
    assert refused.value.message == said


@given(JSON)
def test_any_value_is_described_on_one_bounded_line(value: Any) -> None:
    assert len(describe_value(value)) < 700
    assert "\n" not in describe_value(value)


def test_keys_of_any_script_are_readable_and_what_no_line_shows_is_escaped() -> None:
    assert format_path(("output", "区間", 0, "größe")) == "output.区間[0].größe"
    assert format_path(("output", "prix (€)")) == "output['prix (€)']"
    assert format_path(("output", "a\u202eb")) == "output['a\\u202eb']"
