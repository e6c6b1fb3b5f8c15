"""Which models a configured name may mean, and which of them a workspace can use."""

from dataclasses import dataclass

import pytest

from app.chat.capabilities import find_capabilities, guess_provider
from app.chat.model_selection import WorkspaceModels


@dataclass(frozen=True)
class AKey:
    provider: str
    models: tuple[str, ...] = ()
    responses_mode: bool = False


@dataclass(frozen=True)
class AnOffer:
    id: str
    qualified_name: str | None = None
    reasoning: bool | None = None


OFFERS = {
    "openai": [AnOffer("gpt-4.1"), AnOffer("gpt-5", reasoning=True)],
    "anthropic": [AnOffer("claude-sonnet-4-5")],
    "openrouter": [AnOffer("openai/gpt-4.1"), AnOffer("google/gemini-2.5-pro")],
    "vertex-ai": [AnOffer("gemini-2.5-pro", "vertex_ai/gemini-2.5-pro")],
}
ORDER = ("openai/gpt-4.1", "openai/*", "custom-llm/*", "anthropic/*", "vertex-ai/*")


def chosen(knowledge: WorkspaceModels, *names: str, order: tuple[str, ...] = ORDER) -> list[str]:
    return [each.wire for each in knowledge.choose(names, order)]


def test_the_configured_model_comes_first_where_its_provider_has_a_key() -> None:
    knowledge = WorkspaceModels([AKey("anthropic"), AKey("openai")], OFFERS)
    assert chosen(knowledge, "claude-sonnet-4-5") == ["claude-sonnet-4-5", "gpt-4.1", "gpt-5"]


@pytest.mark.parametrize(
    ("key", "first"),
    [
        (AKey("anthropic"), "claude-sonnet-4-5"),
        (AKey("custom-llm", models=("custom-llm/a", "custom-llm/b")), "custom-llm/a"),
        (AKey("vertex_ai"), "vertex_ai/gemini-2.5-pro"),
        (AKey("openrouter"), "openrouter/openai/gpt-4.1"),
    ],
)
def test_a_model_without_a_key_gives_way_to_the_first_usable_of_the_order(
    key: AKey, first: str
) -> None:
    assert chosen(WorkspaceModels([key], OFFERS), "openai/gpt-4.1")[0] == first
    assert chosen(WorkspaceModels([key], OFFERS), "auto")[0] == first


def test_a_model_that_the_backend_does_not_know_is_passed_over() -> None:
    knowledge = WorkspaceModels([AKey("openai")], OFFERS)
    assert chosen(knowledge, "openai/gpt-6", "openai/gpt-5", order=()) == ["gpt-5"]


def test_the_first_stays_where_nothing_is_usable() -> None:
    assert chosen(WorkspaceModels([], OFFERS), "openai/gpt-4.1") == ["gpt-4.1"]
    assert chosen(WorkspaceModels([], OFFERS), "auto") == ["gpt-4.1"]


def test_without_knowledge_all_names_stay_in_order() -> None:
    assert chosen(WorkspaceModels(), "openai/gpt-4.1", "gemini/gemini-2.5-pro", "mine") == [
        "gpt-4.1",
        "openrouter/openai/gpt-4.1",
        "gemini-2.5-pro",
        "openrouter/google/gemini-2.5-pro",
        "mine",
    ]


def test_a_vendors_name_means_openrouters_only_where_openrouter_offers_it() -> None:
    knowledge = WorkspaceModels([AKey("openrouter")], OFFERS)
    wires = [each.wire for each in knowledge.candidates(["anthropic/claude-sonnet-4-5"])]
    assert wires == ["claude-sonnet-4-5"]


def test_a_custom_model_is_usable_only_if_a_key_lists_it() -> None:
    knowledge = WorkspaceModels([AKey("ollama", models=("custom-llm/qwen3",))])
    listed, other = knowledge.candidates(["custom-llm/qwen3", "custom-llm/other"])
    assert (listed.provider, knowledge.usable(listed)) == ("ollama", True)
    assert knowledge.usable(other) is False


def test_the_mode_and_the_reasoning_come_from_the_lists() -> None:
    knowledge = WorkspaceModels([AKey("openai", responses_mode=True)], OFFERS)
    plain, reasoning = knowledge.candidates(["gpt-4.1", "gpt-5"])
    assert not plain.capabilities.streams_calls
    assert plain.capabilities.reasons is None
    assert "temperature" in reasoning.capabilities.refused


@pytest.mark.parametrize(
    ("model", "provider", "native"),
    [
        ("gpt-4.1", "openai", True),
        ("o3-mini", "openai", True),
        ("claude-opus-4-1", "anthropic", False),
        ("gemini-2.5-pro", "gemini", False),
        ("vertex_ai/gemini-2.5-pro", "vertex-ai", False),
        ("openrouter/anthropic/claude-sonnet-4.5", "openrouter", True),
        ("meta-llama/llama-3.3-70b", "openrouter", True),
        ("custom-llm/anything/else", "custom-llm", True),
        ("opik-free-model", "opik-free", True),
        ("house-model", "", True),
    ],
)
def test_the_name_tells_the_provider_and_that_whether_tools_survive(
    model: str, provider: str, native: bool
) -> None:
    assert guess_provider(model) == provider
    assert find_capabilities(provider, model).native_tools is native


@pytest.mark.parametrize(
    ("provider", "model", "reasons", "refused"),
    [
        ("openai", "gpt-4.1", None, set()),
        ("openai", "gpt-4.1", False, {"reasoning_effort"}),
        ("openai", "gpt-5-mini", None, {"temperature"}),
        ("openai", "gpt-5-chat-latest", None, set()),
        ("openrouter", "openrouter/openai/o3", None, {"temperature"}),
        ("anthropic", "claude-sonnet-4-5", None, {"reasoning_effort"}),
        ("opik-free", "opik-free-model", True, {"temperature", "reasoning_effort"}),
    ],
)
def test_parameters_that_a_model_does_not_take_are_left_out(
    provider: str, model: str, reasons: bool | None, refused: set[str]
) -> None:
    assert find_capabilities(provider, model, reasons=reasons).refused == refused
