"""Tokens under one set of names."""

from typing import Any

from app.analysis.recorded.usage import read_usage
from app.opik.records import Span
from testkit.case_tables import each_case


def usage_of(usage: Any = None, metadata: Any = None, output: Any = None) -> tuple[Any, ...]:
    span = Span(id="s", trace_id="t", usage=usage or {}, metadata=metadata, output=output)
    found = read_usage(span)
    return found.prompt, found.completion, found.cached, found.reasoning


@each_case(
    "usage, found",
    [
        ({"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}, (9, 4, None, None)),
        ({"input_tokens": 9, "output_tokens": 4}, (9, 4, None, None)),
        ({"promptTokens": 9, "completionTokens": 4}, (9, 4, None, None)),
        ({"inputTokens": 9, "outputTokens": 4, "cachedInputTokens": 3}, (9, 4, 3, None)),
        ({"prompt_eval_count": 9, "eval_count": 4}, (9, 4, None, None)),
        (
            {"promptTokenCount": 9, "candidatesTokenCount": 4, "thoughtsTokenCount": 5},
            (9, 9, None, 5),
        ),
        (
            {
                "prompt_tokens": 33,
                "completion_tokens": 12,
                "original_usage.prompt_tokens": 33,
                "original_usage.prompt_tokens_details.cached_tokens": 16,
                "original_usage.completion_tokens_details.reasoning_tokens": 8,
            },
            (33, 12, 16, 8),
        ),
        # Anthropic counts cached tokens beside the others ...
        (
            {"input_tokens": 9, "output_tokens": 4, "cache_read_input_tokens": 500},
            (509, 4, 500, None),
        ),
        (
            {
                "input_tokens": 9,
                "output_tokens": 4,
                "cache_read_input_tokens": 500,
                "cache_creation_input_tokens": 100,
            },
            (609, 4, 500, None),
        ),
        (
            {
                "prompt_tokens": 20,
                "completion_tokens": 4,
                "original_usage.cache_creation_input_tokens": 1800,
            },
            (1820, 4, None, None),
        ),
        # ... which the SDK has added up already.
        (
            {
                "prompt_tokens": 1412,
                "completion_tokens": 44,
                "total_tokens": 1456,
                "original_usage.input_tokens": 900,
                "original_usage.output_tokens": 44,
                "original_usage.cache_read_input_tokens": 512,
            },
            (1412, 44, 512, None),
        ),
        (
            {"prompt_tokens": 9, "completion_tokens": 4, "cache_read_input_tokens": 500},
            (509, 4, 500, None),
        ),
        (
            {"prompt_tokens": 900, "completion_tokens": 4, "cache_read_input_tokens": 500},
            (900, 4, 500, None),
        ),
        ({"prompt_tokens": -5, "completion_tokens": 1e12}, (None, None, None, None)),
        ({}, (None, None, None, None)),
    ],
)
def test_usage_has_one_name_for_each_spelling(usage: Any, found: Any) -> None:
    assert usage_of(usage) == found


@each_case(
    "metadata, output",
    [
        ({"usage": {"input_tokens": 9, "output_tokens": 4}}, None),
        ({"usage_metadata": {"prompt_token_count": 9, "candidates_token_count": 4}}, None),
        ({"ai.usage.promptTokens": 9, "ai.usage.completionTokens": 4}, None),
        ({"gen_ai.usage.input_tokens": 9, "gen_ai.usage.output_tokens": 4}, None),
        (None, {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}}),
        (
            None,
            {"candidates": [], "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 4}},
        ),
    ],
)
def test_usage_is_found_where_the_field_is_empty(metadata: Any, output: Any) -> None:
    assert usage_of({}, metadata, output)[:2] == (9, 4)


def test_usage_of_the_field_counts_before_that_of_the_metadata() -> None:
    assert usage_of({"prompt_tokens": 1}, {"usage": {"prompt_tokens": 9}})[0] == 1


def test_total_of_counts_that_are_split_by_kind_is_read() -> None:
    split = {  # the Vercel AI SDK 6
        "inputTokens": {"total": 9, "noCache": 6, "cacheRead": 3, "cacheWrite": 0},
        "outputTokens": {"total": 4, "text": 2, "reasoning": 2},
    }
    assert usage_of(output={"usage": split}) == (9, 4, 3, 2)
