"""The language model: which one, what it costs, and how it is asked."""

import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

from app.settings.lists import Names

# Providers whose tools reach the model come first.
# fmt: off
_ORDER = (
    "openai/gpt-4.1", "openai/gpt-5-mini", "openai/*", "openrouter/openai/gpt-4.1",
    "openrouter/anthropic/claude-sonnet-4.5", "openrouter/*", "requesty/*", "custom-llm/*",
    "bedrock/*", "ollama/*", "anthropic/claude-sonnet-4-5", "anthropic/*",
    "gemini/gemini-2.5-pro", "gemini/*", "vertex-ai/*", "opik-free/*",
)
# fmt: on


class ModelPrice(BaseModel):
    """USD per million tokens; cached ones cost what others do unless it is said."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    prompt: float = Field(alias="in", ge=0, allow_inf_nan=False)
    completion: float = Field(alias="out", ge=0, allow_inf_nan=False)
    cached: float | None = Field(None, ge=0, allow_inf_nan=False)


class ModelSettings(BaseSettings):
    agent_model: Names = Field(
        ("openai/gpt-4.1",),
        min_length=1,
        description="The model, as the workspace's provider names it; several are tried in order."
        " `auto`, or a model whose provider has no key: the first of AGENT_MODEL_ORDER that works.",
    )
    agent_model_order: Names = Field(
        _ORDER,
        description="Models to fall back to; `provider/*` is whatever the provider offers.",
    )
    agent_models_allowed: Names = Field(
        (), description="Models that a question may name in `model`; listed at `/models`."
    )
    agent_reasoning_effort: str | None = Field(
        None, description="Sent as `reasoning_effort` to models that reason, where accepted."
    )
    agent_temperature: float | None = Field(
        None, ge=0, le=2, description="Sent as `temperature` where set; never to reasoning models."
    )
    agent_max_completion_tokens: int = Field(
        8192, ge=16, description="Most tokens of one reply of the model."
    )
    agent_context_tokens: int = Field(
        100_000,
        ge=1_000,
        description="Tokens of one request, roughly; longer ones shrink, oldest results first.",
    )
    model_prices: Annotated[dict[str, ModelPrice], NoDecode] = Field(
        {},
        description='USD per million tokens: `{"gpt-4.1": {"in": 2, "out": 8, "cached": 0.5}}`.',
    )
    model_silence_seconds: float = Field(
        120, gt=0, description="Silence of the chat proxy after which a reply is given up."
    )

    @field_validator("model_prices", mode="before")
    @classmethod
    def _json(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value
