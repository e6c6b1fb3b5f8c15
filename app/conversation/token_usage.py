"""What replies cost: tokens, and USD only where a price was given for every model."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.events import UsageTotals
from app.messages import TokenUsage

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """USD per million tokens; `cached` is for prompt tokens read from the provider's cache."""

    prompt: float
    completion: float
    cached: float

    def compute_cost(self, usage: TokenUsage) -> float:
        """USD for these tokens; cached tokens are a part of the prompt tokens."""
        cached = min(usage.cached_tokens, usage.prompt_tokens)
        return (
            (usage.prompt_tokens - cached) * self.prompt
            + cached * self.cached
            + usage.completion_tokens * self.completion
        ) / _MILLION


@dataclass(slots=True)
class UsageAccount:
    """The tokens and the cost of some replies; `prices` by model name.

    `cost` is in USD, and None as soon as one reply's model has no price.
    """

    prices: Mapping[str, TokenPrice]
    usage: TokenUsage = field(default_factory=TokenUsage)
    cost: float | None = 0.0

    def add(self, usage: TokenUsage | None, *, model: str, provider: str) -> None:
        """Adds what a reply of this model used; nothing where that is unknown or zero."""
        if usage is None or not usage.total_tokens:
            return
        self.usage += usage
        price = self._find_price(model, provider)
        if price is None or self.cost is None:
            self.cost = None
        else:
            self.cost += price.compute_cost(usage)

    def totals(self) -> UsageTotals:
        """The sum so far; without a cost where no prices are set."""
        return UsageTotals(usage=self.usage, cost=self.cost if self.prices else None)

    def _find_price(self, model: str, provider: str) -> TokenPrice | None:
        """By the model's name, with its provider before it or without."""
        exact = self.prices.get(f"{provider}/{model}", self.prices.get(model))
        if exact is not None or provider:
            return exact
        named = (price for name, price in self.prices.items() if name.endswith(f"/{model}"))
        return next(named, None)
