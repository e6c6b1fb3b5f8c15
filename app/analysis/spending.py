"""Tokens and money that a record reports."""

from collections.abc import Iterable
from typing import NamedTuple

from app.analysis.recorded.usage import Usage, read_usage
from app.analysis.tree import Node
from app.opik.records import Trace

_MOST_COST = 100_000.0  # US dollars of one record; more is a mistake of the price list


class TokensAndCost(NamedTuple):
    """Tokens and US dollars. `prompt` includes `cached`, `completion` mostly `reasoning`."""

    prompt: float = 0.0
    completion: float = 0.0
    tokens: float = 0.0
    cost: float = 0.0
    cached: float = 0.0
    reasoning: float = 0.0

    def beyond(self, other: "TokensAndCost") -> "TokensAndCost":
        """What of this exceeds the other, never below zero."""
        return TokensAndCost(*(max(0.0, a - b) for a, b in zip(self, other, strict=True)))


NO_SPENDING = TokensAndCost()


def sum_spending(spent: Iterable[TokensAndCost]) -> TokensAndCost:
    """The sum; cheap for many spans of which few spend anything."""
    kept = [each for each in spent if each is not NO_SPENDING]
    return TokensAndCost(*map(sum, zip(NO_SPENDING, *kept, strict=True))) if kept else NO_SPENDING


def read_spending(node: Node) -> TokensAndCost:
    """What a span itself reports; spans below it may report the same again."""
    return _build_spending(node.view.usage, node.span.total_estimated_cost)


def read_reported(trace: Trace) -> TokensAndCost:
    """What the record of the trace reports; wrappers may count twice in it."""
    return _build_spending(read_usage(trace), trace.total_estimated_cost)


def _clamp_cost(cost: float | None) -> float:
    """US dollars of one record: zero for what is missing, negative or absurd."""
    return cost if cost is not None and 0 < cost <= _MOST_COST else 0.0


def _build_spending(usage: Usage, cost: float | None) -> TokensAndCost:
    if not any(usage) and not cost:
        return NO_SPENDING
    prompt, completion = usage.prompt or 0.0, usage.completion or 0.0
    total = max(usage.total or 0.0, prompt + completion)
    cached, reasoning = usage.cached or 0.0, usage.reasoning or 0.0
    return TokensAndCost(prompt, completion, total, _clamp_cost(cost), cached, reasoning)
