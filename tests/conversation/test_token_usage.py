"""What replies cost."""

from datetime import UTC, datetime

import pytest

from app.conversation.prices import PriceTable, TokenPrice, find_price_date
from app.conversation.token_usage import UsageAccount
from app.messages import TokenUsage

PRICES = PriceTable({"openai/gpt-4.1": TokenPrice(2, 8, 0.5), "openai/gpt-4o": TokenPrice(4, 4, 4)})


def add_reply(
    account: UsageAccount, model: str, provider: str = "openai", *, cached: int = 0
) -> None:
    usage = TokenUsage(prompt_tokens=1_000, completion_tokens=100, cached_tokens=cached)
    account.add(usage, model=model, provider=provider)


def test_tokens_and_costs_add_up_and_cached_tokens_are_cheaper() -> None:
    account = UsageAccount(PRICES)
    add_reply(account, "gpt-4.1", cached=600)
    add_reply(account, "gpt-4o")
    totals = account.totals()
    assert totals.usage.prompt_tokens == 2_000
    assert totals.cost == pytest.approx((400 * 2 + 600 * 0.5 + 100 * 8 + 1_100 * 4) / 1e6)


def test_one_model_without_a_price_leaves_the_whole_cost_unknown() -> None:
    account = UsageAccount(PRICES)
    for model in ("gpt-4.1", "a-model-of-ours", "gpt-4.1"):
        add_reply(account, model)
    assert account.totals().cost is None
    assert account.usage.prompt_tokens == 3_000


@pytest.mark.parametrize(
    ("model", "provider", "known"),
    [
        ("gpt-4.1", "openai", True),
        ("openai/gpt-4.1", "openrouter", True),
        ("gpt-4.1", "", True),
        ("gpt-4.1", "custom-llm", False),
        ("4.1", "", False),
    ],
)
def test_a_price_is_found_by_the_models_name_and_its_provider(
    model: str, provider: str, known: bool
) -> None:
    account = UsageAccount(PRICES)
    add_reply(account, model, provider)
    assert (account.cost is not None) is known


@pytest.mark.parametrize(
    ("provider", "model", "usd"),
    [
        ("openai", "gpt-4.1", (400 * 2 + 600 * 0.5 + 100 * 8) / 1e6),
        ("openrouter", "openai/gpt-4.1", (400 * 2 + 600 * 0.5 + 100 * 8) / 1e6),
        ("anthropic", "claude-sonnet-4-5-20250929", (400 * 3 + 600 * 0.3 + 100 * 15) / 1e6),
        ("gemini", "gemini-2.5-flash", (400 * 0.3 + 600 * 0.03 + 100 * 2.5) / 1e6),
        ("custom-llm", "gpt-4.1", None),
        ("ollama", "llama3", None),
        ("openai", "ft:a-model-of-ours", None),
        ("", "gpt-4.1", None),
    ],
)
def test_without_own_prices_known_models_have_their_list_price(
    provider: str, model: str, usd: float | None
) -> None:
    account = UsageAccount(PriceTable({}))
    add_reply(account, model, provider, cached=600)
    totals = account.totals()
    assert totals.cost == (None if usd is None else pytest.approx(usd))
    assert totals.price_date == (None if usd is None else find_price_date())


def test_own_prices_have_no_date() -> None:
    account = UsageAccount(PRICES)
    add_reply(account, "gpt-4.1")
    assert account.totals().price_date is None


def test_a_price_that_is_not_yet_valid_does_not_date_the_list() -> None:
    assert find_price_date() <= datetime.now(UTC).date()


def test_a_reply_without_reported_usage_adds_nothing() -> None:
    account = UsageAccount(PRICES)
    account.add(None, model="o3", provider="")
    assert account.totals().cost == 0
