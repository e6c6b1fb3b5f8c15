"""Small cases about which the analysis is wrong today; the list only shrinks."""

KNOWN_FAILURES: dict[str, list[str]] = {
    "absent_body": [
        "empty_texts_healthy",
    ],
    "asked_format": [
        "json_asked_refusal_came",
    ],
    "empty_lookup": [
        "chroma",
        "data_frame",
        "sql_rows",
    ],
    "equal_work": [
        "three_workers_same_topics",
        "two_workers_same_topics",
    ],
    "failing_code": [
        "printed_nothing",
    ],
    "failure_as_output": [
        "nothing_found_and_a_crash",
        "nothing_found_and_no_answer",
    ],
    "long_body": [
        "error_at_the_start_of_a_long_text",
    ],
    "loop": [
        "desks_hand_a_case_to_each_other",
    ],
    "lost_value": [
        "argument_differs_from_the_question",
        "becomes_another_one",
        "becomes_empty",
        "becomes_null",
        "becomes_unknown",
    ],
    "missing_key": [
        "elastic_no_hits",
        "empty_map",
        "javascript_undefined",
        "key_error",
        "null_result",
    ],
    "recovery": [
        "many_retries_worked_healthy",
        "reranker_skipped_healthy",
    ],
    "refusal": [
        "dutch",
        "refusal_field",
        "responses_refusal_part",
    ],
    "score": [
        "counts_and_times_healthy",
    ],
    "span_kind": [
        "retriever_by_openinference_kind",
    ],
    "speakers": [
        "repeat_each_other_word_for_word",
        "route_to_a_worker_that_does_not_exist",
    ],
}
