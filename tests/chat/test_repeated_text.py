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


@each_case(
    "last",
    ["Span two failed, the key is old.", "\nSpan two failed, the key is old. ",
     " Span two failed, the key is old."],
)  # fmt: skip
def test_a_last_delta_that_is_the_whole_answer_again_is_dropped(last: str) -> None:
    pieces = (" Span", " two", " failed,", " the key is old.")
    for deltas in (pieces, (pieces[0], "".join(pieces[1:]))):
        assert read(*deltas, last)[-2:] == ["", ""]
        assert "".join(read(*deltas, last)) == "".join(pieces)


def test_text_behind_the_whole_answer_again_shows_that_it_was_meant() -> None:
    pieces = ("Say", " it twice: ", "span two.")
    whole = "".join(pieces)
    assert read(*pieces, whole, " ", "So.")[-4:] == ["", f"{whole} ", "So.", ""]


@each_case(
    "pieces",
    [
        ("Span two failed, the key is old.", "Span two failed, the key is old."),
        ("ha", " ha", "ha ha"),
        ("-" * 20, "-" * 20, "-" * 40),
        ("Span two ", "failed, the key is old.", "failed, the key is old."),
        ("Span two ", "failed, the key is old.", "Span two failed, the key is old too."),
    ],
)
def test_a_last_piece_that_is_not_all_before_it_stays(pieces: tuple[str, ...]) -> None:
    assert "".join(read(*pieces)) == "".join(pieces)


@given(st.lists(st.text("ab <.", max_size=4)))
def test_no_text_of_few_characters_is_taken_as_repeated(pieces: list[str]) -> None:
    assert "".join(read(*pieces)) == "".join(pieces)
