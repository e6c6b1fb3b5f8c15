"""What replies cost in USD: the operator's own prices first, else those of genai-prices.

genai-prices ships its table with each release and asks nobody over the network. Providers that it
does not know, as servers of one's own, and unknown models have no cost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache

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


@dataclass(frozen=True, slots=True)
class Cost:
    """`price_date` is None where the operator gave the price."""

    usd: float
    price_date: date | None = None


class PriceTable:
    """Prices by model: `overrides` of the operator, then the table of genai-prices."""

    def __init__(self, overrides: Mapping[str, TokenPrice]) -> None:
        """`overrides` by the name of a model, with its provider before it or without."""
        self._overrides = overrides

    def compute_cost(self, usage: TokenUsage, *, model: str, provider: str) -> Cost | None:
        """The cost of a reply of this model, None where its price is unknown.

        `provider` is Opik's name of the provider, "" where it is unknown.
        """
        price = self._find_override(model, provider)
        if price is not None:
            return Cost(price.compute_cost(usage))
        return _compute_listed_cost(usage, model, provider) if provider else None

    def _find_override(self, model: str, provider: str) -> TokenPrice | None:
        exact = self._overrides.get(f"{provider}/{model}", self._overrides.get(model))
        if exact is not None or provider:
            return exact
        named = (price for name, price in self._overrides.items() if name.endswith(f"/{model}"))
        return next(named, None)


def _compute_listed_cost(usage: TokenUsage, model: str, provider: str) -> Cost | None:
    # Importing takes 0.2 s of CPU: `find_price_date` does it in a thread before the first reply.
    try:
        from genai_prices import Usage, calc_price

        counts = Usage(
            input_tokens=usage.prompt_tokens,
            cache_read_tokens=min(usage.cached_tokens, usage.prompt_tokens),
            output_tokens=usage.completion_tokens,
        )
        price = calc_price(counts, model, provider_id=provider).total_price
        return Cost(float(price), find_price_date())
    except (LookupError, ValueError, OSError):
        # OSError: no file descriptor was left to read the list with.
        return None


@cache
def find_price_date() -> date:
    """The day of the last change of a price, up to today, in the table of genai-prices.

    Its releases carry no date; changes of prices do. Imports the library and reads its whole table.
    """
    from genai_prices.data_snapshot import get_snapshot
    from genai_prices.types import StartDateConstraint

    today = datetime.now(UTC).date()
    constraints = (
        each.constraint
        for provider in get_snapshot().providers
        for model in provider.models
        if isinstance(model.prices, list)
        for each in model.prices
    )
    starts = (each.start_date for each in constraints if isinstance(each, StartDateConstraint))
    return max(start for start in starts if start <= today)
