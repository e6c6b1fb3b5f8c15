"""The time until the first token of a streamed call, wherever it was recorded."""

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from app.analysis.recorded.moments import read_moment
from app.analysis.recorded.spellings import SPAN_EVENTS, key_set, plain_key
from app.opik.records import Span

# gen_ai.response.time_to_first_chunk and gen_ai.server.time_to_first_token (OpenTelemetry's GenAI
# conventions) and the metadata of Opik's integration of Google's ADK are seconds; so are the times
# of voice pipelines, whose first byte of a model is its first token (Pipecat, LiveKit).
_IN_SECONDS = key_set(
    "time_to_first_token time_to_first_chunk ttft ttfb time_to_first_byte llm_node_ttft"
    " time_to_first_output_token first_token_latency"
)
# The Vercel AI SDK's telemetry: an attribute of the span, or of its event `ai.stream.firstChunk`.
_IN_MILLISECONDS = key_set(
    "ms_to_first_chunk time_to_first_token_ms time_to_first_chunk_ms first_token_ms ttft_ms"
    " ms_to_first_token ttfb_ms time_to_first_byte_ms first_token_latency_ms first_chunk_ms"
)
_MOMENTS = key_set("completion_start_time first_token_time first_token_at first_chunk_time")
"""Of LiteLLM and Langfuse."""
_EVENTS = frozenset(["first token stream event", "gen_ai.content.first_token", "first_token"])
"""Of OpenInference's integrations and others."""
_MOST_KEYS = 200  # of one map: more than any integration writes
_EVENTS_READ = 100
_TOLERANCE = 1.05  # times the span: clocks of the stream and of the span differ a little


def read_first_token(span: Span) -> float | None:
    """Milliseconds until the first token; None where it was not recorded, and for a number in the
    metadata that is longer than the span."""
    if span.ttft is not None and span.ttft >= 0:
        return span.ttft
    if not isinstance(span.metadata, dict):
        return None
    moment = _find_moment(span.metadata)
    if moment is not None and span.start_time is not None:
        waited = (moment - _with_zone(span.start_time)).total_seconds() * 1_000
        if 0 <= waited <= _duration_ms(span) * _TOLERANCE:
            return waited
    longest = _duration_ms(span) * _TOLERANCE
    for key, value in _iterate_numbers(span.metadata):
        name = plain_key(key)
        if name in _IN_MILLISECONDS:
            fitting = [value]
        elif name in _IN_SECONDS:
            fitting = [value * 1_000, value]  # some programs write milliseconds under these names
        else:
            continue
        found = next((each for each in fitting if 0 <= each <= longest), None)
        if found is not None:
            return found
    return None


def _find_moment(metadata: Mapping[str, Any]) -> datetime | None:
    """The moment of the first token, where that was recorded in place of the time until it."""
    found = [value for key, value in metadata.items() if plain_key(key) in _MOMENTS]
    events = metadata.get(SPAN_EVENTS)
    for event in events[:_EVENTS_READ] if isinstance(events, list) else ():
        if isinstance(event, dict) and str(event.get("name")).lower() in _EVENTS:
            found.append(event.get("timestamp", event.get("time")))
    texts = (each for each in found if isinstance(each, str))
    return next(filter(None, map(read_moment, texts)), None)


def _with_zone(moment: datetime) -> datetime:
    """A moment with a zone: one without is UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _duration_ms(span: Span) -> float:
    if span.duration is not None:
        return span.duration
    if span.start_time is None or span.end_time is None:
        return math.inf
    return (span.end_time - span.start_time).total_seconds() * 1_000


def _iterate_numbers(metadata: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Numbers of the metadata, of the maps in it, and of the attributes of its events."""
    maps = [metadata]
    maps += [value for value in _first_values(metadata) if isinstance(value, dict)]
    events = metadata.get(SPAN_EVENTS)
    if isinstance(events, list):
        attributes = (
            event.get("attributes") for event in events[:_EVENTS_READ] if isinstance(event, dict)
        )
        maps += [each for each in attributes if isinstance(each, dict)]
    for record in maps:
        for key, value in islice(record.items(), _MOST_KEYS):
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                yield str(key), float(value)


def _first_values(record: Mapping[str, Any]) -> Iterator[Any]:
    return islice(record.values(), _MOST_KEYS)
