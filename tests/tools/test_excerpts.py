"""A value in so many characters: whole where it fits, else cut with a way to the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tools.excerpts import Value, cut_window

LIMIT = 300


def value_of(length: int) -> Value:
    text = "".join(chr(ord("a") + number % 26) for number in range(length))
    return Value("output", text, lambda at: f"show(offset={at})")


@pytest.mark.parametrize("length", [0, 1, LIMIT - 1, LIMIT])
def test_a_value_as_long_as_its_window_is_shown_whole(length: int) -> None:
    value = value_of(length)
    assert cut_window(value, LIMIT) == value.text


@pytest.mark.parametrize("length", [LIMIT + 1, LIMIT + 2, 5_000])
def test_a_longer_value_fills_its_window_and_says_where_it_goes_on(length: int) -> None:
    value = value_of(length)
    shown, _, note = cut_window(value, LIMIT).rpartition("\n")
    assert value.text.startswith(shown)
    assert note == (
        f"[cut: {len(shown):,} of {length:,} characters; more: show(offset={len(shown)})]"
    )
    assert LIMIT - 9 < len(shown) + 1 + len(note) <= LIMIT


@given(length=st.integers(0, 2_000), limit=st.integers(200, 600), offset=st.integers(0, 2_100))
def test_no_window_is_wider_than_allowed(length: int, limit: int, offset: int) -> None:
    assert len(cut_window(value_of(length), limit, offset=offset)) <= limit
