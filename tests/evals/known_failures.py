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
    "error_elsewhere": [
        "exception_attributes",
        "grpc_status",
        "langfuse_level",
        "status_object",
    ],
    "error_text": [
        "dotnet_stack",
        "java_caused_by",
        "java_stack",
        "javascript_stack",
    ],
    "failing_code": [
        "printed_nothing",
        "syntax_error",
    ],
    "failure_as_output": [
        "agent_iteration_limit",
        "exit_code",
        "go_panic",
        "langgraph_tool_node",
        "mcp_protocol_error",
        "node_stack",
        "nothing_found_and_a_crash",
        "nothing_found_and_no_answer",
        "ok_as_text",
        "problem_details",
        "pydantic_ai_unknown_tool",
        "quota_sentence",
        "result_error",
        "shell_command_missing",
        "soap_fault",
        "state_errored",
        "success_as_text",
        "vercel_error_text",
    ],
    "finish_reason": [
        "haystack_filtered",
        "haystack_length",
        "insufficient_system_resource",
        "stopped_at_limit",
    ],
    "guardrail": [
        "agents_sdk_triggered",
        "tripwire_triggered",
        "typed_general_failed",
    ],
    "json_in_text": [
        "failed_in_fence",
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
    "reply_spelling": [
        "haystack_blank",
    ],
    "score": [
        "counts_and_times_healthy",
    ],
    "span_kind": [
        "model_call_typed_general_cut",
        "retriever_by_openinference_kind",
    ],
    "speakers": [
        "repeat_each_other_word_for_word",
        "route_to_a_worker_that_does_not_exist",
    ],
}
