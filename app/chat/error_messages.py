"""What the user reads when no answer of the model came: one sentence per case, with a way out."""

from collections.abc import Mapping

_PROVIDERS: Mapping[str, str] = {
    "openai": "OpenAI",
    "anthropic": "Anthropic",
    "gemini": "Gemini",
    "openrouter": "OpenRouter",
    "requesty": "Requesty",
    "orcarouter": "OrcaRouter",
    "vertex-ai": "Vertex AI",
    "bedrock": "Bedrock",
    "ollama": "Ollama",
    "custom-llm": "the custom provider",
    "opik-free": "Opik's free model",
}

ERROR_MESSAGES: Mapping[str, tuple[str, str]] = {
    "no_key": (
        "no_key",
        "This workspace has no API key for {provider}: add one under Configuration, AI Providers.",
    ),
    "bad_key": (
        "bad_key",
        "{provider} refused this workspace's API key: check it under Configuration, AI Providers.",
    ),
    "model_unknown": (
        "model_unknown",
        "The model {model} is not known here: ask whoever runs this assistant to choose another"
        " one in AGENT_MODEL.",
    ),
    "no_model": (
        "no_key",
        "This workspace has no model that this assistant may use: add an API key under"
        " Configuration, AI Providers, or ask whoever runs it to name a model in AGENT_MODEL.",
    ),
    "no_tools": (
        "model_unknown",
        "The model {model} cannot call tools, which this assistant needs: ask whoever runs it to"
        " choose another one in AGENT_MODEL.",
    ),
    "quota": (
        "rate_limited",
        "The quota or credit of this workspace's key for {provider} is used up: raise it there, or"
        " try again later.",
    ),
    "rate_limited": (
        "rate_limited",
        "{provider} takes no more requests for the moment: wait a minute and ask again.",
    ),
    "context_too_long": (
        "context_too_long",
        "This conversation no longer fits into what the model {model} can read at once: clear it"
        " and start anew, or ask about a smaller part of the trace.",
    ),
    "content_filter": (
        "content_filter",
        "The content filter of {provider} stopped this answer: try other words.",
    ),
    "overloaded": (
        "provider_error",
        "{provider} is overloaded: try again in a moment.",
    ),
    "timeout": (
        "timeout",
        "The model took too long to answer: ask again, or something smaller. (Whoever runs Opik can"
        " raise the backend's own limits of 60 seconds, LLM_PROVIDER_CLIENT_*_TIMEOUT and"
        " SERVER_IDLE_TIMEOUT.)",
    ),
    "silence": (
        "timeout",
        "The model said nothing for {seconds} seconds: ask again, or something smaller. (Whoever"
        " runs Opik can raise the backend's own limits of 60 seconds,"
        " LLM_PROVIDER_CLIENT_*_TIMEOUT and SERVER_IDLE_TIMEOUT.)",
    ),
    "unexplained": (
        "provider_error",
        "{provider} gave no answer and the Opik backend does not say why: try again, and if it"
        " stays so, check the provider under Configuration, AI Providers.",
    ),
    "refused": (
        "provider_error",
        "{provider} refused the request.",
    ),
    "provider_failed": (
        "provider_error",
        "{provider} failed to answer: try again in a moment.",
    ),
    "out_of_tokens": (
        "provider_error",
        "The model used up the tokens of one reply before it wrote a word: ask whoever runs this"
        " assistant to raise AGENT_MAX_COMPLETION_TOKENS or lower AGENT_REASONING_EFFORT.",
    ),
    "malformed_request": (
        "provider_error",
        "The model {model} asked for a tool in a form that cannot be read, and did so again when"
        " told: ask again, or ask whoever runs this assistant for another model in AGENT_MODEL.",
    ),
    "empty": (
        "provider_error",
        "The model answered with nothing at all: ask again.",
    ),
    "not_signed_in": (
        "not_signed_in",
        "Your Opik session has expired: sign in to Opik again, then ask once more.",
    ),
    "not_allowed": (
        "not_allowed",
        "Opik does not let you use the models of this workspace: ask its administrator.",
    ),
    "no_proxy": (
        "unreachable",
        "The Opik backend has no model proxy at its address: whoever runs this assistant should"
        " check AGENT_OPIK_URL (through Opik's nginx it ends in /api).",
    ),
    "redirected": (
        "unreachable",
        "The Opik backend's address leads elsewhere: whoever runs this assistant should check"
        " AGENT_OPIK_URL.",
    ),
    "gateway": (
        "unreachable",
        "The Opik backend is not answering right now: try again in a moment.",
    ),
    "unreachable": (
        "unreachable",
        "The Opik backend cannot be reached: try again in a moment.",
    ),
    "page": (
        "not_understood",
        "The Opik backend's address answered with a web page in place of a model's reply: whoever"
        " runs this assistant should check AGENT_OPIK_URL (through Opik's nginx it ends in /api).",
    ),
    "not_understood": (
        "not_understood",
        "The Opik backend answered with something that is not a model's reply: try again, and if it"
        " stays so, tell whoever runs Opik.",
    ),
    "too_large": (
        "not_understood",
        "The model's reply came in a piece too large to be read: ask for something smaller.",
    ),
}
"""By case: the `reason` of ModelFailed, and the sentence with its gaps."""


def format_provider(provider: str) -> str:
    """The provider's name as people write it; the proxy's own name for an unknown one."""
    key = provider.strip().lower().replace("_", "-")
    return _PROVIDERS.get(key, provider.strip()) or "the model's provider"
