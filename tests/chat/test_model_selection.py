"""Which models a configured name may stand for, and which of them a workspace can use."""

import anyio
import httpx
import pytest
import respx

from app.caller import Caller
from app.chat.capabilities import find_capabilities, guess_provider
from app.chat.model_selection import ModelPreferences, ModelSelector, WorkspaceModels
from app.errors import ModelFailed
from app.opik.models import CatalogModel, ProviderKey
from testkit.backend import backend_at
from tests.chat.proxy import BASE, CALLER, OPTIONS, QUESTION, TOKEN


def a_key(provider: str, *models: str, mode: str | None = None) -> ProviderKey:
    configuration = {"models": ",".join(models), "openai_pipeline_mode": mode}
    return ProviderKey.model_validate({"provider": provider, "configuration": configuration})


def a_model(
    name: str, qualified_name: str | None = None, *, reasoning: bool | None = None
) -> CatalogModel:
    return CatalogModel(id=name, qualifiedName=qualified_name, reasoning=reasoning)


MODELS = {
    "openai": [a_model("gpt-4.1"), a_model("gpt-5", reasoning=True)],
    "anthropic": [a_model("claude-sonnet-4-5")],
    "openrouter": [a_model("openai/gpt-4.1"), a_model("google/gemini-2.5-pro")],
    "vertex-ai": [a_model("gemini-2.5-pro", "vertex_ai/gemini-2.5-pro")],
}
ORDER = ("openai/gpt-4.1", "openai/*", "custom-llm/*", "anthropic/*", "vertex-ai/*")


def chosen(workspace: WorkspaceModels, *names: str, order: tuple[str, ...] = ORDER) -> list[str]:
    return [each.wire for each in workspace.select(names, order)]


def test_the_configured_model_comes_first_where_its_provider_has_a_key() -> None:
    workspace = WorkspaceModels([a_key("anthropic"), a_key("openai")], MODELS)
    assert chosen(workspace, "claude-sonnet-4-5") == ["claude-sonnet-4-5", "gpt-4.1", "gpt-5"]


@pytest.mark.parametrize(
    ("key", "first"),
    [
        (a_key("anthropic"), "claude-sonnet-4-5"),
        (a_key("custom-llm", "custom-llm/a", "custom-llm/b"), "custom-llm/a"),
        (a_key("vertex_ai"), "vertex_ai/gemini-2.5-pro"),
        (a_key("openrouter"), "openrouter/openai/gpt-4.1"),
    ],
)
def test_a_model_without_a_key_gives_way_to_the_first_usable_of_the_order(
    key: ProviderKey, first: str
) -> None:
    assert chosen(WorkspaceModels([key], MODELS), "openai/gpt-4.1")[0] == first
    assert chosen(WorkspaceModels([key], MODELS), "auto")[0] == first


def test_a_model_that_the_backend_does_not_know_is_passed_over() -> None:
    workspace = WorkspaceModels([a_key("openai")], MODELS)
    assert chosen(workspace, "openai/gpt-6", "openai/gpt-5", order=()) == ["gpt-5"]


def test_the_first_stays_where_nothing_is_usable() -> None:
    assert chosen(WorkspaceModels([], MODELS), "openai/gpt-4.1") == ["gpt-4.1"]
    assert chosen(WorkspaceModels([], MODELS), "auto") == ["gpt-4.1"]


def test_without_any_lists_all_names_stay_in_order() -> None:
    assert chosen(WorkspaceModels(), "openai/gpt-4.1", "gemini/gemini-2.5-pro", "mine") == [
        "gpt-4.1",
        "openrouter/openai/gpt-4.1",
        "gemini-2.5-pro",
        "openrouter/google/gemini-2.5-pro",
        "mine",
    ]


def test_a_vendors_name_stands_for_openrouters_only_where_openrouter_lists_it() -> None:
    workspace = WorkspaceModels([a_key("openrouter")], MODELS)
    wires = [each.wire for each in workspace.find_candidates(["anthropic/claude-sonnet-4-5"])]
    assert wires == ["claude-sonnet-4-5"]


def test_a_custom_model_is_usable_only_if_a_key_lists_it() -> None:
    workspace = WorkspaceModels([a_key("ollama", "custom-llm/qwen3")])
    listed, other = workspace.find_candidates(["custom-llm/qwen3", "custom-llm/other"])
    assert (listed.provider, workspace.is_usable(listed)) == ("ollama", True)
    assert workspace.is_usable(other) is False


def test_mode_and_reasoning_come_from_the_lists() -> None:
    workspace = WorkspaceModels([a_key("openai", mode="responses")], MODELS)
    plain, reasoning = workspace.find_candidates(["gpt-4.1", "gpt-5"])
    assert not plain.capabilities.streams_calls
    assert "temperature" not in plain.capabilities.refused
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
def test_the_name_gives_the_provider_and_whether_tools_are_native(
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


@pytest.mark.parametrize(
    ("provider", "model", "begins"),
    [
        ("custom-llm", "custom-llm/vllm/DeepSeek-R1-Distill-Qwen-32B", True),
        ("ollama", "qwq:32b", True),
        ("openrouter", "deepseek/deepseek-r1", False),
        ("custom-llm", "custom-llm/vllm/llama-3.3-70b", False),
        ("openai", "gpt-4.1", False),
    ],
)
def test_replies_of_models_whose_prompt_opens_the_reasoning_are_held_back_at_first(
    provider: str, model: str, begins: bool
) -> None:
    assert find_capabilities(provider, model).opens_in_reasoning is begins


class NoCatalog:
    """A backend that lists neither keys nor models."""

    async def list_keys(self, caller: Caller) -> None:
        return None

    async def list_models(self, caller: Caller) -> None:
        return None


async def test_a_failure_carries_the_setting_that_its_message_does_not_name(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=httpx.Response(302))
    async with anyio.create_task_group() as tasks:
        selector = ModelSelector(
            backend_at(BASE, http),
            NoCatalog(),
            preferences=ModelPreferences(["openai/gpt-4.1"], order=(), allowed=()),
            options=OPTIONS,
            start_soon=tasks.start_soon,
        )
        with pytest.raises(ModelFailed, match="ask your administrator") as failure:
            await selector(CALLER, token=TOKEN, requested=None).reply(
                QUESTION, tools=(), on_text=str, on_withdrawn=list
            )
    assert failure.value.setting == "AGENT_OPIK_URL"
