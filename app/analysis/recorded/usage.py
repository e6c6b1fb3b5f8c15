"""Tokens of a record under one set of names."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from app.analysis.recorded.spellings import (
    CACHED_TOKENS,
    COMPLETION_TOKENS,
    PROMPT_TOKENS,
    REASONING_TOKENS,
    TOTAL_TOKENS,
    plain_key,
)
from app.opik.records import Span, Trace

_MOST_KEYS = 100
_MOST_TOKENS = 1e9  # of one call; more is a mistake of the recorder
_ANTHROPIC_CACHE = "cache_read_input_tokens"


class Usage(NamedTuple):
    """Tokens; `prompt` includes `cached` ones. None where nothing was recorded."""

    prompt: float | None = None
    completion: float | None = None
    total: float | None = None
    cached: float | None = None
    reasoning: float | None = None


NO_USAGE = Usage()


def read_usage(record: Span | Trace) -> Usage:
    """The usage of a record: its own field, else what its metadata says."""
    usage = _from_map(record.usage) if record.usage else NO_USAGE
    if usage.prompt is None and usage.completion is None and isinstance(record.metadata, Mapping):
        inner = record.metadata.get("usage")
        if isinstance(inner, Mapping):
            return _from_map(inner)
    return usage


def _from_map(usage: Mapping[str, Any]) -> Usage:
    found: dict[str, float] = {}
    for key, number in _numbers(usage):
        name = _name_of(key)
        if name:
            found[name] = max(found.get(name, 0.0), number)
    return Usage(**found)


def _numbers(usage: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for count, (key, value) in enumerate(usage.items()):
        if count >= _MOST_KEYS:
            return
        if isinstance(value, Mapping):
            for inner_key, inner in list(value.items())[:_MOST_KEYS]:
                if _is_count(inner):
                    yield str(inner_key), float(inner)
        elif _is_count(value):
            yield str(key), float(value)


def _is_count(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value <= _MOST_TOKENS


def _name_of(key: str) -> str:
    plain = plain_key(key)
    for names, name in (
        (PROMPT_TOKENS, "prompt"),
        (COMPLETION_TOKENS, "completion"),
        (TOTAL_TOKENS, "total"),
        (CACHED_TOKENS, "cached"),
        (REASONING_TOKENS, "reasoning"),
    ):
        if plain in names:
            return name
    return ""
