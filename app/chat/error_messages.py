"""What the user reads when the model gives no reply: one message per case, with what to do.

Users never read the name of a setting, since they cannot set one. Where a setting is the way out,
`setting` names it for the log line of the failure.
"""

from collections.abc import Mapping
from typing import NamedTuple

from app.chat.capabilities import normalize_provider

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
# Settings of the Opik backend; both are 60 seconds unless they are raised.
_BACKEND_TIMEOUTS = "LLM_PROVIDER_CLIENT_*_TIMEOUT, SERVER_IDLE_TIMEOUT"


class ErrorMessage(NamedTuple):
    """`reason` is that of ModelFailed; `text` has gaps for `{model}`, `{provider}`, `{seconds}`;
    `setting` is what an operator can change, "" for nothing."""

    reason: str
    text: str
    setting: str = ""


ERROR_MESSAGES: Mapping[str, ErrorMessage] = {
    "no_key": ErrorMessage(
        "no_key",
        "This workspace has no API key for {provider}: add one under Configuration, AI Providers.",
    ),
    "bad_key": ErrorMessage(
        "bad_key",
        "{provider} refused this workspace's API key: check it under Configuration, AI Providers.",
    ),
    "model_unknown": ErrorMessage(
        "model_unknown",
        "The model {model} is not known here: ask your administrator to choose another model for"
        " this assistant.",
        "AGENT_MODEL",
    ),
    "no_model": ErrorMessage(
        "no_key",
        "This workspace has no model that this assistant may use: add an API key under"
        " Configuration, AI Providers, or ask your administrator to choose a model for this"
        " assistant.",
        "AGENT_MODEL",
    ),
    "no_tools": ErrorMessage(
        "model_unknown",
        "The model {model} cannot call tools, which this assistant needs: ask your administrator"
        " to choose another model for it.",
        "AGENT_MODEL",
    ),
    "quota": ErrorMessage(
        "rate_limited",
        "The quota or credit of this workspace's key for {provider} is used up: raise it there, or"
        " try again later.",
    ),
    "rate_limited": ErrorMessage(
        "rate_limited",
        "{provider} accepts no more requests for the moment: wait a minute and ask again.",
    ),
    "context_too_long": ErrorMessage(
        "context_too_long",
        "This conversation no longer fits into what the model {model} can read at once: clear it"
        " and start anew, or ask about a smaller part of the trace.",
    ),
    "content_filter": ErrorMessage(
        "content_filter",
        "The content filter of {provider} stopped this answer: ask in other words.",
    ),
    "overloaded": ErrorMessage(
        "provider_error", "{provider} is overloaded: try again in a moment."
    ),
    "timeout": ErrorMessage(
        "timeout",
        "The model took too long to answer: ask again, or ask for less. If this happens often, ask"
        " your administrator to raise Opik's time limits for models.",
        _BACKEND_TIMEOUTS,
    ),
    "silence": ErrorMessage(
        "timeout",
        "The model sent nothing for {seconds} seconds: ask again, or ask for less. If this happens"
        " often, ask your administrator to raise Opik's time limits for models.",
        _BACKEND_TIMEOUTS,
    ),
    "unexplained": ErrorMessage(
        "provider_error",
        "{provider} gave no answer and the Opik backend does not say why: try again. If it fails"
        " again, check the provider under Configuration, AI Providers.",
    ),
    "refused": ErrorMessage(
        "provider_error",
        "{provider} refused the request: try again. If it fails again, report it to your"
        " administrator.",
    ),
    "provider_failed": ErrorMessage(
        "provider_error", "{provider} failed to answer: try again in a moment."
    ),
    "out_of_tokens": ErrorMessage(
        "provider_error",
        "The model used up the tokens of one reply before it wrote a word: ask for less, or ask"
        " your administrator to allow longer replies.",
        "AGENT_MAX_COMPLETION_TOKENS, AGENT_REASONING_EFFORT",
    ),
    "malformed_request": ErrorMessage(
        "provider_error",
        "The model {model} called a tool in a form that cannot be read, twice: ask again, or ask"
        " your administrator to choose another model for this assistant.",
        "AGENT_MODEL",
    ),
    "malformed_call": ErrorMessage(
        "provider_error",
        "The model tried to call a tool in a form that cannot be read, and wrote no answer: ask"
        " again.",
    ),
    "only_reasoning": ErrorMessage(
        "provider_error",
        "The model sent its reasoning only and no answer: ask again, or ask for less.",
    ),
    "empty": ErrorMessage("provider_error", "The model sent an empty answer: ask again."),
    "not_signed_in": ErrorMessage(
        "not_signed_in", "Your Opik session has expired: sign in to Opik again, then ask once more."
    ),
    "not_allowed": ErrorMessage(
        "not_allowed",
        "Opik does not let you use the models of this workspace: ask its administrator.",
    ),
    "no_proxy": ErrorMessage(
        "unreachable",
        "This assistant has an address of Opik at which no models are served: ask your"
        " administrator to correct it.",
        "AGENT_OPIK_URL",
    ),
    "redirected": ErrorMessage(
        "unreachable",
        "This assistant has an address of Opik that leads elsewhere: ask your administrator to"
        " correct it.",
        "AGENT_OPIK_URL",
    ),
    "gateway": ErrorMessage(
        "unreachable", "The Opik backend is not answering right now: try again in a moment."
    ),
    "unreachable": ErrorMessage(
        "unreachable", "The Opik backend cannot be reached: try again in a moment."
    ),
    "page": ErrorMessage(
        "not_understood",
        "This assistant's address of Opik answered with a web page in place of a model's reply:"
        " ask your administrator to correct it.",
        "AGENT_OPIK_URL",
    ),
    "not_understood": ErrorMessage(
        "not_understood",
        "The Opik backend answered with something that is not a model's reply: try again. If it"
        " happens again, report it to your administrator.",
    ),
    "too_large": ErrorMessage(
        "not_understood", "The model's reply came in a piece too large to be read: ask for less."
    ),
}
"""By case."""


def format_provider(provider: str) -> str:
    """The provider's name as people write it; the proxy's own name for an unknown one."""
    known = _PROVIDERS.get(normalize_provider(provider))
    return known or provider.strip() or "the model's provider"
