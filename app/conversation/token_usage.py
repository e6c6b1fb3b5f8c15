"""What replies cost: tokens as reported, USD only where a price was given for every model."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.events import ReplyCompleted, UsageTotals
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

    def add(self, reply: ReplyCompleted) -> None:
        """Adds what the provider reported of a reply; nothing where it reported nothing."""
        if reply.usage is None:
            return
        self.usage += reply.usage
        price = self._price(reply)
        if price is None or self.cost is None:
            self.cost = None
        else:
            self.cost += price.of(reply.usage)

    def spending(self) -> UsageTotals:
        """The sum as it is told."""
        return UsageTotals(usage=self.usage, cost=self.cost if self.prices else None)

    def _price(self, reply: ReplyCompleted) -> TokenPrice | None:
        """By the model's name, with its provider before it or without."""
        exact = self.prices.get(f"{reply.provider}/{reply.model}", self.prices.get(reply.model))
        if exact is not None or reply.provider:
            return exact
        named = (price for name, price in self.prices.items() if name.endswith(f"/{reply.model}"))
        return next(named, None)
