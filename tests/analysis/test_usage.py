"""Tokens under one set of names."""

from typing import Any

from app.analysis.recorded.usage import Usage, read_usage
from testkit.case_tables import each_case
from tests.analysis.timeline import span


@each_case(
    "usage, expected",
    [
        ({"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}, Usage(7, 3, 10)),
        ({"promptTokens": 7, "completionTokens": 3}, Usage(7, 3)),
        ({"inputTokens": 7, "outputTokens": 3, "totalTokens": 10}, Usage(7, 3, 10)),
        ({"promptTokenCount": 7, "candidatesTokenCount": 3}, Usage(7, 3)),
        ({"prompt_token_count": 7, "thoughts_token_count": 2}, Usage(7, reasoning=2)),
        ({"prompt_eval_count": 7, "eval_count": 3}, Usage(7, 3)),
        (
            {"prompt_tokens": 9, "original_usage.prompt_tokens_details.cached_tokens": 4},
            Usage(9, cached=4),
        ),
        # Anthropic's own map counts what was not cached, Opik's sum counts all.
        (
            {"input_tokens": 5, "cache_read_input_tokens": 90, "cache_creation_input_tokens": 10},
            Usage(105, cached=90, created=10),
        ),
        ({"inputTokens": 50, "cacheReadInputTokens": 40}, Usage(90, cached=40)),
        (
            {
                "prompt_tokens": 105,
                "original_usage.input_tokens": 5,
                "original_usage.cache_read_input_tokens": 90,
            },
            Usage(105, cached=90),
        ),
        ({"prompt_tokens": 5, "cached_tokens": 90}, Usage(95, cached=90)),
        ({"prompt_tokens": -1, "completion_tokens": 1e12}, Usage()),
        ({}, Usage()),
    ],
)
def test_the_names_of_any_provider_are_understood(usage: dict[str, float], expected: Usage) -> None:
    assert read_usage(span("a", usage=usage)) == expected


@each_case(
    "metadata, expected",
    [
        ({"usage": {"prompt_tokens": 7, "completion_tokens": 3}}, Usage(7, 3)),
        (
            {"usage": {"input_tokens": 7, "input_token_details": {"cache_read": 4}}},
            Usage(7, cached=4),
        ),
        ({"gen_ai.usage.input_tokens": 7, "gen_ai.usage.output_tokens": 3}, Usage(7, 3)),
        (
            {"gen_ai.usage.input_tokens": 7, "gen_ai.usage.cache_read.input_tokens": 4},
            Usage(7, cached=4),
        ),
        ({"llm.token_count.prompt": 7, "llm.token_count.completion": 3}, Usage(7, 3)),
        ({"ai.usage.promptTokens": 7, "ai.usage.cachedInputTokens": 4}, Usage(7, cached=4)),
        ({"max_tokens": 400, "prompt": 3, "completion_tokens": "7"}, Usage()),
    ],
)
def test_usage_in_the_metadata_counts_where_the_field_has_none(
    metadata: dict[str, Any], expected: Usage
) -> None:
    assert read_usage(span("a", metadata=metadata)) == expected
    usage = {"prompt_tokens": 1, "completion_tokens": 1}
    assert read_usage(span("a", metadata=metadata, usage=usage)) == Usage(1, 1)
