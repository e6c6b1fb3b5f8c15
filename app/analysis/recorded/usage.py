"""Tokens of a record under one set of names."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from app.analysis.recorded.spellings import (
    CACHED_TOKENS,
    COMPLETION_TOKENS,
    CREATED_CACHE_TOKENS,
    PROMPT_TOKENS,
    REASONING_TOKENS,
    TOTAL_TOKENS,
    plain_key,
)
from app.opik.records import Span, Trace

_MOST_KEYS = 100
_MOST_TOKENS = 1e9  # of one call; more is a mistake of the recorder
_REST_ONLY = ("cache_read_input_tokens", "cacheReadInputTokens")
_ANSWER_ONLY = ("candidatesTokenCount", "candidates_token_count")  # Gemini: without thoughts
_USAGE_MAPS = ("usage", "usage_metadata", "usageMetadata", "token_usage", "tokenUsage")
_DETAILS = "langfuse.observation.usage_details"
# Attributes of OpenTelemetry's GenAI conventions, OpenInference and the Vercel AI SDK.
_USAGE_ATTRIBUTES = ("gen_ai.usage.", "llm.token_count.", "llm.usage.", "ai.usage.")
# Names of OpenTelemetry's conventions whose last part alone says something else.
_ENDINGS = {
    "cache_read.input_tokens": "cached",
    "cache_creation.input_tokens": "created",
    "reasoning.output_tokens": "reasoning",
}


class Usage(NamedTuple):
    """Tokens; `prompt` includes those read from the cache (`cached`) and those written to it
    (`created`). None where nothing was recorded."""

    prompt: float | None = None
    completion: float | None = None
    total: float | None = None
    cached: float | None = None
    reasoning: float | None = None
    created: float | None = None


NO_USAGE = Usage()


def read_usage(record: Span | Trace) -> Usage:
    """The usage of a record: its own field, else what its metadata or its output says, else the
    attributes in its input."""
    usage = _from_map(record.usage) if record.usage else NO_USAGE
    for inside in (record.metadata, record.output, record.input):
        if usage.prompt is not None or usage.completion is not None:
            break
        if isinstance(inside, dict):
            is_input = inside is record.input
            held = _from_attributes(inside) if is_input else read_held_usage(inside)
            usage = usage if held is NO_USAGE else held
    return usage


def read_held_usage(record: Mapping[str, Any]) -> Usage:
    """What a body says: its map of usage, else its attributes that count tokens."""
    for key in _USAGE_MAPS:
        inner = record.get(key)
        if isinstance(inner, dict):
            return _from_map(inner)
    return _from_attributes(record)


def _from_attributes(record: Mapping[str, Any]) -> Usage:
    details = record.get(_DETAILS)
    if isinstance(details, dict):
        return _from_map(details)
    counts = {
        key: value
        for key, value in islice(record.items(), _MOST_KEYS)
        if isinstance(key, str) and key.startswith(_USAGE_ATTRIBUTES)
    }
    return _from_map(counts) if counts else NO_USAGE


def _from_map(usage: Mapping[str, Any]) -> Usage:
    found: dict[str, float] = {}
    for key, number in _numbers(usage):
        name = name_of_count(key)
        if name:
            found[name] = max(found.get(name, 0.0), number)
    prompt = found.get("prompt")
    cached, created = found.get("cached", 0.0), found.get("created", 0.0)
    if prompt is not None and (cached + created > prompt or _counts_rest_only(usage)):
        found["prompt"] = prompt + cached + created
    if any(key in usage for key in _ANSWER_ONLY) and "completion_tokens" not in usage:
        found["completion"] = found.get("completion", 0.0) + found.get("reasoning", 0.0)
    return Usage(**found)


def _counts_rest_only(usage: Mapping[str, Any]) -> bool:
    """Whether the input tokens are those that were not cached: Anthropic's and Bedrock's own maps.
    Opik adds a sum as `prompt_tokens`, conventions with dotted names ask for one."""
    return any(key in usage for key in _REST_ONLY) and "prompt_tokens" not in usage


def _numbers(usage: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for key, value in islice(usage.items(), _MOST_KEYS):
        if isinstance(value, dict):
            for inner_key, inner in islice(value.items(), _MOST_KEYS):
                if _is_count(inner):
                    is_whole = inner_key == "total" and name_of_count(str(key))
                    yield str(key if is_whole else inner_key), float(inner)
        elif _is_count(value):
            yield str(key), float(value)


def _is_count(value: Any) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and 0 <= value <= _MOST_TOKENS


def name_of_count(key: str) -> str:
    """The field of `Usage` that a key counts; empty for other counts."""
    for ending, name in _ENDINGS.items():
        if key.endswith(ending):
            return name
    return _NAMES.get(plain_key(key), "")


_NAMES = {
    key: name
    for keys, name in (
        (PROMPT_TOKENS, "prompt"),
        (COMPLETION_TOKENS, "completion"),
        (TOTAL_TOKENS, "total"),
        (CACHED_TOKENS, "cached"),
        (CREATED_CACHE_TOKENS, "created"),
        (REASONING_TOKENS, "reasoning"),
    )
    for key in keys
}
