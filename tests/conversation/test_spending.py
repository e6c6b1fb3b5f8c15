"""What replies cost."""

import pytest

from app.conversation.token_usage import TokenPrice, UsageAccount
from app.events import ReplyCompleted
from app.messages import TokenUsage

PRICES = {"openai/gpt-4.1": TokenPrice(2, 8, 0.5), "openai/gpt-4o": TokenPrice(4, 4, 4)}


def reply(model: str, provider: str = "openai", *, cached: int = 0) -> ReplyCompleted:
    usage = TokenUsage(prompt_tokens=1_000, completion_tokens=100, cached_tokens=cached)
    return ReplyCompleted(bubble="b", text="", model=model, provider=provider, usage=usage)


def test_tokens_and_costs_add_up_and_cached_tokens_are_cheaper() -> None:
    account = UsageAccount(PRICES)
    account.add(reply("gpt-4.1", cached=600))
    account.add(reply("gpt-4o"))
    told = account.spending()
    assert told.usage.prompt_tokens == 2_000
    assert told.cost == pytest.approx((400 * 2 + 600 * 0.5 + 100 * 8 + 1_100 * 4) / 1e6)


def test_one_model_without_a_price_leaves_the_whole_cost_unknown() -> None:
    account = UsageAccount(PRICES)
    for each in (reply("gpt-4.1"), reply("o3"), reply("gpt-4.1")):
        account.add(each)
    assert account.spending().cost is None
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
    account.add(reply(model, provider))
    assert (account.cost is not None) is known


def test_without_prices_nothing_is_said_of_costs() -> None:
    account = UsageAccount({})
    assert account.spending().cost is None


def test_a_reply_without_reported_usage_adds_nothing() -> None:
    account = UsageAccount(PRICES)
    account.add(ReplyCompleted(bubble="b", text="x", model="o3"))
    assert account.spending().cost == 0
