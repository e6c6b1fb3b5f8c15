"""Small cases about which the analysis is wrong today; the list only shrinks."""

KNOWN_FAILURES: dict[str, list[str]] = {
    "long_body": [
        "error_at_the_start_of_a_long_text",
    ],
    "recovery": [
        "many_retries_worked_healthy",
    ],
    "speakers": [
        "repeat_each_other_word_for_word",
    ],
}
