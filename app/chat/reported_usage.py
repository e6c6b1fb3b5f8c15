"""The counts of tokens that a provider reports, in snake_case or camelCase, believed or not."""

import math
from collections.abc import Mapping
from typing import Any

from app.messages import TokenUsage

_MOST_REPORTED = 20_000_000
"""Of one reply's tokens: twice the longest context that is offered. More is no count."""


def read_usage(counts: Mapping[str, Any]) -> TokenUsage | None:
    """The tokens of one reply; None where no model can have read or written so many.

    Then they count as not reported, and are estimated.
    """
    prompt = _first_given(counts, "prompt_tokens_details", "promptTokensDetails")
    completion = _first_given(counts, "completion_tokens_details", "completionTokensDetails")
    usage = TokenUsage(
        prompt_tokens=_read_count(_first_given(counts, "prompt_tokens", "promptTokens")),
        completion_tokens=_read_count(
            _first_given(counts, "completion_tokens", "completionTokens")
        ),
        cached_tokens=min(
            _read_count(_first_given(prompt, "cached_tokens", "cachedTokens")), _MOST_REPORTED
        ),
        reasoning_tokens=min(
            _read_count(_first_given(completion, "reasoning_tokens", "reasoningTokens")),
            _MOST_REPORTED,
        ),
    )
    believable = max(usage.prompt_tokens, usage.completion_tokens) <= _MOST_REPORTED
    return usage if believable else None


def _first_given(data: object, snake: str, camel: str) -> object:
    """The member of an object under the first of these names that has a value."""
    if not isinstance(data, dict):
        return None
    value = data.get(snake)
    return data.get(camel) if value is None else value


def _read_count(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return max(0, value)
    return max(0, int(value)) if isinstance(value, float) and math.isfinite(value) else 0
