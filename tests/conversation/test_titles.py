"""Titles of conversations."""

from app.conversation.titles import AUTOMATIC_TITLE_CHARACTERS, clean_title, make_title


def test_a_title_is_one_line_without_what_hides_or_controls() -> None:
    cases = {
        "  Why\tdid\r\n it\u2028fail? ": "Why did it fail?",
        "a\u202eb\u2066c\x00d\ud800": "abc d",
        "👩\u200d👧 می\u200cخواهم": "👩\u200d👧 می\u200cخواهم",
        "\u200b\u200d \u200c\n": "",
    }
    assert {text: clean_title(text) for text in cases} == cases


def test_a_long_question_is_cut_between_words_where_it_has_any() -> None:
    assert make_title("Short?") == "Short?"
    assert make_title("\u200b") is None
    long = make_title("word " * 1000)
    assert long is not None
    assert long.endswith(" word…")
    assert make_title("字" * 1000) == "字" * (AUTOMATIC_TITLE_CHARACTERS - 1) + "…"
    assert make_title(" " * 5000 + "Late?") == "Late?"
