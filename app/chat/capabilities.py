"""What a model behind the chat proxy can do, by its provider and by what earlier replies showed.

The proxy drops tools for Anthropic, refuses tool messages for Gemini (Vertex AI shares its code),
and in OpenAI's Responses mode streams text only.
"""

import re
from dataclasses import dataclass
from time import monotonic

from cachetools import TTLCache

LEARNED_SECONDS = 3_600
"""A server may be replaced behind the same name; to learn anew costs about one request."""
_LEARNED_MODELS = 10_000
_TEXT_ONLY = frozenset({"anthropic", "gemini", "vertex-ai"})
_WITHOUT_REASONING_EFFORT = _TEXT_ONLY | {"opik-free"}
_HOSTED = frozenset(
    [
        "openai",
        "anthropic",
        "gemini",
        "vertex-ai",
        "bedrock",
        "openrouter",
        "requesty",
        "orcarouter",
    ]
)
"""Providers that give reasoning apart from the text."""

_OPENS_IN_REASONING = re.compile(r"deepseek-r1|\bqwq|\bqwen3.*-thinking", re.IGNORECASE)
"""Their chat templates write the opening tag into the prompt, so that no reply holds it."""

_REASONING_MODEL = re.compile(r"(?:^|/)(?:gpt-5|o\d)(?!.*\bchat\b)")
_PROVIDER_PATTERNS = (
    ("openai", re.compile(r"gpt-|chatgpt-|o\d")),
    ("anthropic", re.compile(r"claude-")),
    ("gemini", re.compile(r"gemini-")),
    ("custom-llm", re.compile(r"custom-llm/")),
    ("vertex-ai", re.compile(r"vertex_ai/")),
    ("opik-free", re.compile(r"opik-free")),
    ("requesty", re.compile(r"requesty/")),
    ("orcarouter", re.compile(r"orcarouter/")),
    ("openrouter", re.compile(r"openrouter/|[\w.-]+/")),
)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Which form of request a model takes.

    `native_tools` False means that tools are described and called in text. `streams_calls` False
    means that tool calls come in whole replies only. `opens_in_reasoning` means that replies begin
    with reasoning of which only the end is marked. `refused` are optional parameters to leave out.
    """

    native_tools: bool = True
    streams_calls: bool = True
    opens_in_reasoning: bool = False
    refused: frozenset[str] = frozenset()


class LearnedCapabilities:
    """Capabilities that replies have shown, by workspace and model, for an hour."""

    def __init__(self) -> None:
        self._known: TTLCache[tuple[str | None, str], Capabilities] = TTLCache(
            _LEARNED_MODELS, LEARNED_SECONDS, timer=monotonic
        )

    def get(self, workspace: str | None, model: str) -> Capabilities | None:
        return self._known.get((workspace, model))

    def put(self, workspace: str | None, model: str, capabilities: Capabilities) -> None:
        self._known[workspace, model] = capabilities


def find_capabilities(
    provider: str, model: str, *, responses_mode: bool = False, reasons: bool | None = None
) -> Capabilities:
    """What is known before the first reply.

    `model` is the name on the wire; `reasons`: whether it is a reasoning model, None if unknown.
    """
    provider = normalize_provider(provider)
    refused = set()
    if reasons is None and _REASONING_MODEL.search(model):
        reasons = True
    if reasons:
        refused.add("temperature")
    if reasons is False or provider in _WITHOUT_REASONING_EFFORT:
        refused.add("reasoning_effort")
    return Capabilities(
        native_tools=provider not in _TEXT_ONLY,
        streams_calls=not responses_mode,
        opens_in_reasoning=provider not in _HOSTED and bool(_OPENS_IN_REASONING.search(model)),
        refused=frozenset(refused),
    )


def drops_tools(provider: str) -> bool:
    """Whether native tools never reach a model of this provider (the proxy's name of it)."""
    return normalize_provider(provider) in _TEXT_ONLY


def normalize_provider(provider: str) -> str:
    """The provider's name in one spelling; backends write `vertex-ai` and `vertex_ai`."""
    return provider.strip().lower().replace("_", "-")


def guess_provider(model: str) -> str:
    """The provider that the proxy chooses by a name on the wire; "" for an unknown one."""
    return next((name for name, pattern in _PROVIDER_PATTERNS if pattern.match(model)), "")
