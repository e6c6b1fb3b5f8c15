"""Which provider answers for a model name, and what of a request and a reply survives the way."""

from dataclasses import dataclass
from typing import Any, Literal

from standin.chat import ChatError, Chunk
from standin.switches import Generation, Switches, WorkspaceKey
from standin.writes import RequestRefused

Pipeline = Literal[
    "openai", "openrouter", "custom-llm", "opik-free", "openai-responses", "anthropic", "gemini"
]
Request = dict[str, Any]

_CUSTOM = "custom-llm/"
_OPENROUTER = "openrouter/"
_ANTHROPIC_DEFAULT_TOKENS = 4096
_EVERYWHERE = {
    "model",
    "messages",
    "stream",
    "stream_options",
    "n",
    "seed",
    "user",
    "max_completion_tokens",
    "temperature",
    "top_p",
}
_OPENAI_ONLY = {
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "stop",
    "max_tokens",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "response_format",
    "store",
    "metadata",
    "reasoning_effort",
    "service_tier",
    "prompt_cache_key",
    "logprobs",
    "top_logprobs",
    "functions",
    "function_call",
}
_SURVIVING: dict[Pipeline, set[str]] = {
    "openai": _EVERYWHERE | _OPENAI_ONLY,
    "openrouter": _EVERYWHERE | _OPENAI_ONLY,
    "custom-llm": _EVERYWHERE | _OPENAI_ONLY,
    "opik-free": (_EVERYWHERE | _OPENAI_ONLY) - {"max_tokens", "reasoning_effort"},
    "openai-responses": _EVERYWHERE | {"tools", "tool_choice", "response_format"},
    "anthropic": _EVERYWHERE | {"stop"},
    "gemini": _EVERYWHERE | {"stop"},
}


@dataclass(frozen=True)
class Route:
    """Where a request goes: the provider, how it is spoken to, and the model's name there."""

    provider: str
    pipeline: Pipeline
    upstream_model: str


def find_route(model: str, switches: Switches) -> Route:
    """Find the provider of a model by its literal name. Raises RequestRefused for none."""
    if switches.free_model and model == switches.free_model:
        return Route("opik-free", "opik-free", model)
    for provider in ("openai", "anthropic", "gemini"):
        if model in switches.models.get(provider, ()):
            key = _find_key(provider, model, switches)
            return Route(provider, _choose_pipeline(provider, key), model)
    if model.startswith(_OPENROUTER) or model in switches.models.get("openrouter", ()):
        _find_key("openrouter", model, switches)
        return Route("openrouter", "openrouter", model.removeprefix(_OPENROUTER))
    if model.startswith("vertex_ai/"):
        _find_key("vertex-ai", model, switches)
        return Route("vertex-ai", "gemini", model.removeprefix("vertex_ai/"))
    if model.startswith(_CUSTOM):
        key = _custom_key(model, switches)
        name = model.removeprefix(_CUSTOM)
        return Route("custom-llm", "custom-llm", name.removeprefix(f"{key.name}/"))
    raise RequestRefused(400, f"model not supported {model}")


def _choose_pipeline(provider: str, key: WorkspaceKey) -> Pipeline:
    if provider == "openai":
        return "openai-responses" if key.responses_mode else "openai"
    return "anthropic" if provider == "anthropic" else "gemini"


def _find_key(provider: str, model: str, switches: Switches) -> WorkspaceKey:
    for key in switches.keys:
        if key.provider == provider:
            return key
    if switches.generation == "A":
        raise RequestRefused(400, f"API key not configured for LLM provider '{provider}'")
    message = f"API key not configured for LLM. provider='{provider}', model='{model}'"
    raise RequestRefused(400, message)


def _custom_key(model: str, switches: Switches) -> WorkspaceKey:
    for key in switches.keys:
        if model in key.models:
            return key
    return _find_key("custom-llm with this model", model, switches)


def is_reasoning(model: str) -> bool:
    """Whether OpenAI's model reasons, and so refuses sampling parameters."""
    name = model.rpartition("/")[2]
    return name.startswith(("gpt-5", "o1", "o3", "o4"))


def check_request(request: Request, target: Route, generation: Generation) -> None:
    """Refuse what the proxy refuses before any provider is asked."""
    if target.pipeline == "anthropic":
        if not request.get("messages"):
            raise RequestRefused(400, "messages cannot be empty")
        if generation == "A" and request.get("max_completion_tokens") is None:
            raise RequestRefused(400, "maxCompletionTokens cannot be null")
    choice = request.get("tool_choice")
    if target.pipeline == "openai-responses" and isinstance(choice, dict):
        raise RequestRefused(400, "tool_choice must be one of auto, required, none")


def build_provider_request(request: Request, target: Route) -> Request:
    """The request as it reaches the provider. Raises ChatError where that one refuses it."""
    kept = {name: request[name] for name in request if name in _SURVIVING[target.pipeline]}
    kept["model"] = target.upstream_model
    reasoning = is_reasoning(target.upstream_model)
    match target.pipeline:
        case "openai" | "openai-responses" if reasoning:
            _refuse_sampling(kept)
        case "opik-free" if reasoning and "temperature" in kept:
            kept["temperature"] = 1.0
        case "anthropic":
            kept["messages"] = _anthropic_messages(kept.get("messages", []))
            kept.setdefault("max_completion_tokens", _ANTHROPIC_DEFAULT_TOKENS)
            if "temperature" in kept:
                kept.pop("top_p", None)
        case "gemini":
            _check_gemini_messages(kept.get("messages", []))
    return kept


def _refuse_sampling(request: Request) -> None:
    if "max_tokens" in request:
        raise ChatError(
            400,
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
            "unsupported_parameter",
        )
    if request.get("temperature", 1) != 1:
        raise ChatError(
            400,
            f"Unsupported value: 'temperature' does not support {request['temperature']} with "
            "this model. Only the default (1) value is supported.",
            "unsupported_value",
        )


def _anthropic_messages(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kept = []
    for message in messages:
        if message["role"] in ("tool", "function"):
            continue
        if not message.get("content"):
            raise ChatError(400, "messages: text content blocks must be non-empty")
        kept.append({name: message[name] for name in message if name != "tool_calls"})
    return kept


def _check_gemini_messages(messages: list[dict[str, Any]]) -> None:
    for message in messages:
        if message["role"] in ("tool", "function"):
            raise ChatError(400, f"unexpected role '{message['role'].upper()}'")
        if not message.get("content"):
            raise ChatError(400, "Message content cannot be null or empty")


def shape_chunk(chunk: Chunk, target: Route, *, include_usage: bool) -> Chunk | None:
    """A provider's chunk as the proxy streams it on, or None when nothing of it is left."""
    chunk = {name: value for name, value in chunk.items() if name != "object"}
    choices = chunk.get("choices") or []
    match target.pipeline:
        case "anthropic" | "gemini":
            return _text_only(chunk, choices, target)
        case "openai-responses":
            return _responses_mode(chunk, choices, target)
        case _:
            return None if not choices and not include_usage else chunk


def _text_only(chunk: Chunk, choices: list[Any], target: Route) -> Chunk | None:
    if chunk.get("usage"):
        last = {"delta": {"content": "", "role": "assistant"}}
        return _build_chunk_head(chunk, target) | {"choices": [last], "usage": chunk["usage"]}
    content = choices[0].get("delta", {}).get("content") if choices else None
    if not content:
        return None
    delta = {"content": content, "role": "assistant"}
    return {"model": target.upstream_model, "choices": [{"delta": delta}]}


def _responses_mode(chunk: Chunk, choices: list[Any], target: Route) -> Chunk | None:
    content = choices[0].get("delta", {}).get("content") if choices else None
    if content:
        delta = {"role": "assistant", "content": content}
        return {"model": target.upstream_model, "choices": [{"index": 0, "delta": delta}]}
    finish = choices[0].get("finish_reason") if choices else None
    if finish:
        last = {"index": 0, "delta": {}, "finish_reason": finish}
        return _build_chunk_head(chunk, target) | {"choices": [last]}
    return chunk if chunk.get("usage") else None


def _build_chunk_head(chunk: Chunk, target: Route) -> Chunk:
    return {"id": chunk.get("id", "msg_1"), "model": target.upstream_model}
