"""What replies cost: tokens, and USD only where a price was given for every model."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.events import UsageTotals
from app.messages import TokenUsage

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """USD per million tokens; `cached` are the prompt's tokens that the provider had in store."""

    prompt: float
    completion: float
    cached: float

    def of(self, usage: TokenUsage) -> float:
        """USD for these tokens; cached tokens are part of the prompt's."""
        cached = min(usage.cached_tokens, usage.prompt_tokens)
        return (
            (usage.prompt_tokens - cached) * self.prompt
            + cached * self.cached
            + usage.completion_tokens * self.completion
        ) / _MILLION


@dataclass(slots=True)
class UsageAccount:
    """The running sum of replies; `prices` by the names of models."""

    prices: Mapping[str, TokenPrice]
    usage: TokenUsage = field(default_factory=TokenUsage)
    cost: float | None = 0.0

    def add(self, usage: TokenUsage | None, *, model: str, provider: str) -> None:
        """Adds what a reply of this model used; None, where that is not known, adds nothing."""
        if usage is None:
            return
        self.usage += usage
        price = self._find_price(model, provider)
        if price is None or self.cost is None:
            self.cost = None
        else:
            self.cost += price.of(usage)

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
