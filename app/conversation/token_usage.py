"""What the replies of a turn or a conversation used: tokens, and USD where every price is known."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from app.conversation.prices import PriceTable
from app.events import LoggedEvent, ReplyCompleted, UsageTotals
from app.messages import TokenUsage


@dataclass(slots=True)
class UsageAccount:
    """The tokens and the cost of some replies.

    `cost` is in USD, and None as soon as one reply's model has no price. `price_date` is the date
    of the listed prices, None where all prices are the operator's.
    """

    prices: PriceTable
    usage: TokenUsage = field(default_factory=TokenUsage)
    cost: float | None = 0.0
    price_date: date | None = None

    def add(self, usage: TokenUsage | None, *, model: str, provider: str) -> None:
        """Adds what a reply of this model used; nothing where that is unknown or zero."""
        if usage is None or not usage.total_tokens:
            return
        self.usage += usage
        if self.cost is None:
            return
        cost = self.prices.compute_cost(usage, model=model, provider=provider)
        if cost is None:
            self.cost = self.price_date = None
        else:
            self.cost += cost.usd
            self.price_date = self.price_date or cost.price_date

    def totals(self) -> UsageTotals:
        """The sum so far."""
        return UsageTotals(usage=self.usage, cost=self.cost, price_date=self.price_date)


def sum_by_turn(events: Iterable[LoggedEvent], prices: PriceTable) -> dict[str, UsageTotals]:
    """What was reported for each turn, by its id; without turns that used nothing."""
    accounts: dict[str, UsageAccount] = {}
    for logged in events:
        if isinstance(logged.event, ReplyCompleted) and logged.event.usage:
            reply = logged.event
            account = accounts.setdefault(logged.turn_id, UsageAccount(prices))
            account.add(reply.usage, model=reply.model, provider=reply.provider)
    return {id: each.totals() for id, each in accounts.items() if each.usage.total_tokens}
