"""What the programs use for a language model: canned replies that take time and count tokens."""

import time
from typing import Any

import opik
from opik import opik_context

PRICES = {"gpt-4.1": (2.0, 8.0), "gpt-4.1-mini": (0.4, 1.6), "claude-sonnet-4-5": (3.0, 15.0)}
"""USD per million tokens in and out; what these models' providers ask, near enough."""


@opik.track(type="llm")
def complete(prompt: str, reply: str, *, model: str = "gpt-4.1", seconds: float = 0.05) -> str:
    """Answers `prompt` with `reply` after `seconds`; records model, usage and cost."""
    time.sleep(seconds)
    tokens = {"prompt_tokens": len(prompt) // 4 + 20, "completion_tokens": len(reply) // 4 + 1}
    price_in, price_out = PRICES[model]
    cost = (tokens["prompt_tokens"] * price_in + tokens["completion_tokens"] * price_out) / 1e6
    provider = "anthropic" if model.startswith("claude") else "openai"
    opik_context.update_current_span(
        name=model,
        model=model,
        provider=provider,
        usage={**tokens, "total_tokens": sum(tokens.values())},
        total_cost=cost,
    )
    return reply


def label(**facts: Any) -> None:
    """Adds tags, metadata or a thread to the trace that is running."""
    opik_context.update_current_trace(**facts)
