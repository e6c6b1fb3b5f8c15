"""Small cases about which the analysis is wrong today, with reasons; the list only shrinks."""

KNOWN_FAILURES: dict[str, list[str]] = {
    # The backend sends the first 10,001 characters of a longer body as a text. What is cut is no
    # JSON any more, so its first members are not read as an outcome.
    "long_body": [
        "error_at_the_start_of_a_long_text",
    ],
    # Members of a team that repeat each other's words: no rule compares replies of different names,
    # since wrappers and formatters of a healthy program repeat a reply, too.
    "speakers": [
        "repeat_each_other_word_for_word",
    ],
}
