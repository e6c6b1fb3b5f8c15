"""A value in so many characters: whole where it fits, else cut with a way to the rest."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tools.excerpts import Value, as_text, cut_window, render_excerpt, share_characters

LIMIT = 300
TEXTS = st.text(st.characters(exclude_categories=[]), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def value_of(length: int) -> Value:
    text = "".join(chr(ord("a") + number % 26) for number in range(length))
    return Value("output", text, lambda at: f"show(offset={at})")


@pytest.mark.parametrize("length", [0, 1, LIMIT - 1, LIMIT])
def test_a_value_as_long_as_its_window_is_shown_whole(length: int) -> None:
    value = value_of(length)
    assert cut_window(value, LIMIT) == value.text


@pytest.mark.parametrize("length", [LIMIT + 1, LIMIT + 2, 5_000])
def test_a_longer_value_fills_its_window_and_names_where_it_goes_on(length: int) -> None:
    value = value_of(length)
    shown, _, note = cut_window(value, LIMIT).rpartition("\n")
    assert value.text.startswith(shown)
    assert note == (
        f"[cut: shows {len(shown):,} of {length:,} characters; more: show(offset={len(shown)})]"
    )
    assert LIMIT - 9 < len(shown) + 1 + len(note) <= LIMIT


@given(length=st.integers(0, 2_000), limit=st.integers(200, 600), offset=st.integers(0, 2_100))
def test_no_window_is_wider_than_allowed(length: int, limit: int, offset: int) -> None:
    assert len(cut_window(value_of(length), limit, offset=offset)) <= limit


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
def test_characters_are_shared_so_that_nothing_is_wasted(lengths: list[int], limit: int) -> None:
    shares = share_characters(lengths, limit)
    assert all(got <= wanted for got, wanted in zip(shares, lengths, strict=True))
    assert sum(shares) <= limit
    assert sum(shares) >= min(limit, sum(lengths)) - len(lengths)


@given(
    st.lists(st.integers(0, 20_000), min_size=1, max_size=20),
    st.integers(0, 9_000),
    st.integers(7_000, 9_000),
)
def test_values_stay_within_their_limit_and_name_where_they_go_on(
    lengths: list[int], offset: int, limit: int
) -> None:
    values = [
        Value(f"v{n}", "x" * length, lambda at, n=n: f"more(v{n}, {at})", "an object " * 200)
        for n, length in enumerate(lengths)
    ]
    parts = render_excerpt(values, limit, offset=offset)
    assert sum(len(part) for part in parts) + 2 * (len(parts) - 1) <= limit
    for value, part in zip(values, parts, strict=True):
        visible = part.count("x")
        at = offset + visible
        assert visible == max(0, len(value.text) - offset) or f"more({value.title}, {at})" in part


def test_json_is_shown_as_json() -> None:
    assert json.loads(as_text({"é": [1, None]})) == {"é": [1, None]}
