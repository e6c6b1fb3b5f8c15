"""Where the input and the output of a span lie, where attributes were stored as they came.

Opik's ingestion of OpenTelemetry (OpenTelemetryMapper and its mapping rules) puts attributes that
it has no rule for into the input, results included; older versions put what a tool was given and
what it returned into the metadata, and events always lie there.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

from app.analysis.recorded.opened_json import open_text
from app.analysis.recorded.spellings import EVENTS_OF_REPLIES, REPLY_EVENT, SPAN_EVENTS
from app.opik.records import Span

_GIVEN = (
    "gen_ai.tool.call.arguments",  # OpenTelemetry's GenAI conventions
    "gen_ai.retrieval.query.text",
    "tool_arguments",  # Pydantic AI before it followed them
    "ai.toolCall.args",  # Vercel AI SDK
    "gcp.vertex.agent.tool_call_args",  # Google ADK
    "lk.function_tool.arguments",  # LiveKit
    "traceloop.entity.input",  # OpenLLMetry
    "haystack.component.input",
    "genkit:input",
    "langfuse.observation.input",
    "mlflow.spanInputs",
    "lmnr.span.input",  # Laminar
    "braintrust.input_json",
    "input.value",  # OpenInference
    "tool.parameters",
)
"""Attributes with all that a span was given, the most telling first."""
_GIVEN_SET = frozenset(_GIVEN)
_RETURNED = frozenset(
    [
        "gen_ai.tool.call.result",
        "gen_ai.retrieval.documents",
        "tool_response",
        "final_result",
        "ai.toolCall.result",
        "gcp.vertex.agent.tool_response",
        "gcp.vertex.agent.llm_response",
        "lk.function_tool.output",
        "traceloop.entity.output",
        "haystack.component.output",
        "genkit:output",
        "langfuse.observation.output",
        "mlflow.spanOutputs",
        "lmnr.span.output",
        "braintrust.output_json",
        "output.value",
        "response_data",  # Logfire
    ]
)
"""Attributes with all that a span returned."""
_RETURNED_PARTS = (
    "gen_ai.completion",
    "gen_ai.output.messages",
    "llm.output_messages",
    "ai.response.text",
    "ai.response.toolCalls",
    "ai.response.object",
    "lk.response.",
    "retrieval.documents",
    "reranker.output_documents",
)
"""Beginnings of attributes with a part of what a span returned."""
_FACTS_BESIDE = frozenset(["output.mime_type"])
_FINISH = "ai.response.finishReason"  # Vercel AI SDK
_EXPORTED_TOOL = "toolName"  # of Opik's exporter for the Vercel AI SDK, beside `args`
_LISTED_EVENTS = ("events", "all_messages_events")  # Pydantic AI, Logfire
_TOOL_EVENT = "gen_ai.tool.message"  # what a tool was given, in a span of its own (Strands)
_RESULT_EVENT = "tool.output"  # Claude Code, before Opik made it the output
_EVENTS_READ = 100
_MOST_KEYS = 2_000  # of a record whose attributes are looked at: numbered ones are many
_NOTHING: tuple[Any, ...] = (None, {})


class Bodies(NamedTuple):
    """Input and output of a span, None where nothing was recorded."""

    given: Any
    returned: Any


def find_bodies(span: Span, *, is_model_call: bool) -> Bodies:
    """What a span was given and what it returned, without the attributes around them. The input of
    a model call stays whole: settings stand beside its messages."""
    given, returned = span.input, span.output
    is_left = returned in _NOTHING or (is_model_call and _holds_facts_only(returned))
    if is_left:
        found = _find_returned(span, is_model_call=is_model_call)
        returned = returned if found is None else found
    elif isinstance(returned, dict) and not _RETURNED.isdisjoint(returned):
        returned = _unwrap_returned(returned, is_model_call=is_model_call)
    if isinstance(given, dict) and given:
        given = _unwrap_given(given, is_model_call=is_model_call, has_returned=is_left)
    elif given in _NOTHING and isinstance(span.metadata, dict):
        given = _find_given(span.metadata, given)
    return Bodies(given, returned)


def _holds_facts_only(output: Any) -> bool:
    """Whether an output has attributes, and none of them is a reply."""
    return isinstance(output, dict) and all(
        isinstance(key, str)
        and key.startswith("gen_ai.response")
        and not isinstance(output[key], (dict, list))
        for key in output
    )


def _find_returned(span: Span, *, is_model_call: bool) -> Any:
    """What a span returned, where it lies in the input, the metadata, or among the events."""
    records = [record for record in (span.input, span.metadata) if isinstance(record, dict)]
    if not any(map(_is_attribute, (key for record in records for key in _first_keys(record)))):
        return None  # arguments of a function
    for record in records:
        found = {key: record[key] for key in _first_keys(record) if _is_returned(key)}
        if found:
            found |= {_FINISH: record[_FINISH]} if _FINISH in record else {}
            return _unwrap_returned(found, is_model_call=is_model_call)
    if isinstance(span.input, dict):
        for key in _LISTED_EVENTS:
            choices = [event for event in _listed(span.input.get(key)) if _is_choice(event)]
            if choices:
                return choices
    return _find_in_events(span.metadata, is_model_call=is_model_call)


def _find_in_events(metadata: Any, *, is_model_call: bool) -> Any:
    events = metadata.get(SPAN_EVENTS) if isinstance(metadata, dict) else None
    if not isinstance(events, list):
        return None
    named = [
        (event.get("name"), event["attributes"])
        for event in events[-_EVENTS_READ:]
        if isinstance(event, dict) and isinstance(event.get("attributes"), dict)
    ]
    if is_model_call:
        held = [inner for name, inner in named if name in EVENTS_OF_REPLIES]
        # A reply that has no event of its own was recorded as the assistant's message.
        return (
            held or [inner for name, inner in named if name == "gen_ai.assistant.message"] or None
        )
    for name, inner in reversed(named):
        if name == REPLY_EVENT:
            return inner.get("message", inner.get("content"))
        if name == _RESULT_EVENT:
            return inner.get("output", inner.get("content"))
    return None


def _find_given(metadata: Mapping[str, Any], otherwise: Any) -> Any:
    """What a span was given, where it lies in the metadata or among the events."""
    for key in _GIVEN:
        if key in metadata:
            return metadata[key]
    for event in _listed(metadata.get(SPAN_EVENTS))[:_EVENTS_READ]:
        if isinstance(event, dict) and event.get("name") == _TOOL_EVENT:
            held = event.get("attributes")
            return held.get("content", otherwise) if isinstance(held, dict) else otherwise
    return otherwise


def _unwrap_returned(record: Mapping[str, Any], *, is_model_call: bool) -> Any:
    """The value of the only attribute; a reply may have others beside it."""
    held = [key for key in record if key in _RETURNED]
    beside = len(record) - len(held) - len(_FACTS_BESIDE & record.keys())
    if len(held) == 1 and not beside:
        return record[held[0]]
    return record if is_model_call or len(held) != 1 else _value_among(record, held[0])


def _value_among(record: Mapping[str, Any], key: str) -> Any:
    """The value of an attribute, if all that stands beside it are attributes too."""
    return record[key] if all(map(_is_attribute, record)) else record


def _is_attribute(key: Any) -> bool:
    return isinstance(key, str) and ("." in key or ":" in key)


def _unwrap_given(record: Mapping[str, Any], *, is_model_call: bool, has_returned: bool) -> Any:
    """The input without the attributes around it, and without what the span returned."""
    if not is_model_call:
        if _EXPORTED_TOOL in record and "args" in record:
            return record["args"]
        if not _GIVEN_SET.isdisjoint(record):
            return next(record[key] for key in _GIVEN if key in record)
    if not has_returned:
        return record
    kept = {key: inner for key, inner in record.items() if not _is_returned(key)}
    for key in _LISTED_EVENTS:
        events = _listed(kept.get(key))
        if any(map(_is_choice, events)):
            kept[key] = [event for event in events if not _is_choice(event)]
    return kept if len(kept) < len(record) or kept != record else record


def _is_returned(key: Any) -> bool:
    return key in _RETURNED or (isinstance(key, str) and key.startswith(_RETURNED_PARTS))


def _is_choice(event: Any) -> bool:
    return isinstance(event, dict) and event.get("event.name") == REPLY_EVENT


def _listed(value: Any) -> list[Any]:
    value = open_text(value) if isinstance(value, str) and value[:1] == "[" else value
    return value if isinstance(value, list) else []


def _first_keys(record: Mapping[str, Any]) -> Iterable[Any]:
    return islice(record, _MOST_KEYS)
