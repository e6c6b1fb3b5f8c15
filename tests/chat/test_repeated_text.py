"""Deltas that repeat the whole text so far, and pieces that only look like that."""

from itertools import accumulate
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.chat.reply_builder import ReplyBuilder
from testkit.case_tables import each_case


def read(*texts: str) -> list[str]:
    """What is shown of these deltas, one after the other, and at the end."""
    builder = ReplyBuilder(lambda: "own", limit=10_000)
    frames: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"content": each}}]} for each in texts
    ]
    shown = [builder.add_frame(frame) for frame in frames]
    shown.append(builder.end_text())
    assert builder.build(complete=True, model="m").text == "".join(shown)
    return shown


@each_case(
    "pieces",
    [
        ("Span", " two", " failed", "."),
        ("S", "p", "a", "n", " ", "t", "w", "o"),
        ("Spa", "n two failed", " because", " the key", " is old."),
        ("", "跨度", "二失败", "因为", "密钥过期"),
        ("<think>", "Which?", "</think>", "Span two."),
    ],
)
def test_a_text_that_each_delta_repeats_is_shown_once(pieces: tuple[str, ...]) -> None:
    repeated = list(accumulate(pieces))
    assert "".join(read(*repeated)) == "".join(pieces)
    assert "".join(read(*repeated, repeated[-1], "")) == "".join(pieces)


def test_the_new_part_is_shown_at_once_when_repetition_is_certain() -> None:
    deltas = ("Span", "Span two", "Span two is", "Span two is old", "Span two is old")
    assert read(*deltas) == ["Span", "", " two is", " old", "", ""]


def test_a_delta_with_only_the_new_part_adds_it() -> None:
    assert "".join(read("Span", "Span two", "Span two is", " old", "Span two is old.")) == (
        "Span two is old."
    )


@each_case(
    "pieces",
    [
        ("5", "50", " retries"),
        ("5", "50"),
        ("1", "10", "100", "1000"),
        ("=", "==", "====", "========", " Log"),
        ("ha", "haha", "hahaha", "!"),
        ("The", "There", " is"),
        ("Again. ", "Again. ", "Again. ", "Again. "),
        ("Again. ", "Again. Again. ", "And again."),
        ("Again. ", "Again. " * 2, "Again. " * 3, "Again. " * 4),
        ("Span two", "Span two failed."),
        ("|", "|-", "|-|", "|-|-", "|-|-|", " x"),
        ("I", " see", "I see", "I see it"),
        ("", ""),
    ],
)
def test_pieces_that_begin_alike_are_pieces(pieces: tuple[str, ...]) -> None:
    assert "".join(read(*pieces)) == "".join(pieces)


def test_pieces_that_begin_alike_are_not_held_for_long() -> None:
    assert read("5", "50", " retries", ".") == ["5", "", "50 retries", ".", ""]
    long = ["a" * length for length in range(1, 30)]
    assert read(*long)[-2:] == [long[-1], ""]


@given(st.lists(st.text("ab <.", max_size=4)))
def test_no_text_of_few_characters_is_taken_as_repeated(pieces: list[str]) -> None:
    assert "".join(read(*pieces)) == "".join(pieces)
