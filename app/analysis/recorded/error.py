"""The error of a record, wherever it was recorded, and what is no error although it was raised."""

import re
from itertools import islice
from typing import Any

from app.analysis.recorded.exported_error import ERROR_STATUSES, first_of, read_exported_error
from app.analysis.recorded.opened_json import open_text
from app.analysis.recorded.spellings import SPAN_EVENTS, word_set
from app.opik.records import ErrorInfo, Span, Trace

_EVENTS_READ = 200
_KEYS_READ = 60  # of an input, of which one has to be an attribute's name
_STATUS_KEYS = ("http.response.status_code", "http.status_code")
_LEAST_SERVER_ERROR = 500
_NOT_SERVED = frozenset([401, 403, 429])  # what was asked for was not looked up, unlike with 404
_GRPC_STATUS = "rpc.grpc.status_code"
_DATABASE_STATUS = "db.response.status_code"
_SQL_ERROR = re.compile(r"(?!0[012])[0-9A-Z]{5}")
"""SQLSTATE but for its classes of success, warning and no data (ISO/IEC 9075)."""
# The codes that are errors of the server: unknown, deadline exceeded, unimplemented, internal,
# unavailable, data loss (OpenTelemetry's semantic conventions for gRPC).
_GRPC_SERVER_ERRORS = frozenset(["2", "4", "12", "13", "14", "15"])
_LEVEL_KEYS = ("otel.status_code", "langfuse.observation.level", "status.code")
_KIND_KEYS = ("error.type", "exception.type")
_MESSAGE_KEYS = (
    "error.message",
    "exception.message",
    "otel.status_description",
    "langfuse.observation.status_message",
    "status.message",
)
_CONTROL_FLOW = word_set(
    # LangGraph: between nodes and to a person.
    "ParentCommand GraphBubbleUp GraphInterrupt NodeInterrupt GraphDelegate"
    # Waiting for a person or for work outside: Pydantic AI, CrewAI, Genkit, Google ADK, LlamaIndex,
    # LangChain4j, Haystack, MCP, Auth0.
    " ApprovalRequired CallDeferred HumanFeedbackPending ToolInterruptError NodeInterruptedError"
    " WaitingForEvent AgenticSystemSuspendedException BreakpointException"
    " UrlElicitationRequiredError URLElicitationRequiredError TokenVaultInterrupt"
    " FederatedConnectionInterrupt AuthorizationPendingInterrupt AuthorizationPollingInterrupt"
    # Durable programs that go on in another run: Temporal, AWS, Vercel, Prefect, Airflow.
    " ContinueAsNew ContinueAsNewError ContinueAsNewException CompleteAsyncError"
    " _CompleteAsyncError SuspendExecution WorkflowSuspension Pause TaskDeferred"
    " AirflowSkipException AirflowRescheduleException"
    # A tool or a middleware that gives the answer itself: Agno, LiveKit, Microsoft's agents.
    " StopAgentRun StopResponse MiddlewareTermination"
    # Closing a generator raises it inside.
    " GeneratorExit"
)
"""Exceptions that frameworks raise to go on elsewhere or later, not because something failed."""
_STEERING = re.compile(
    r"(?:\w*(?:Human|Tool|Node|Graph|Agent|Workflow|Flow|Step|Task|Run)\w{0,20}"
    r"(?:Interrupt|Paused?|Suspended|Suspension)|\w*(?:Handoff|HandOff|HandoffRequested"
    r"|(?:Approval|Confirmation|Consent|Elicitation|UserInput|HumanInput)(?:Required|Needed)"
    r"|Needs(?:Approval|Confirmation|Human|UserInput)|CancelledByUser))(?:Exception|Error|Signal)?\Z"
)
"""Names that say so in frameworks and programs that are not in the list."""
_INTERRUPT = re.compile(r"[(\[]{0,2}Interrupt\(")
"""What Python writes for the request to a person that such an exception carries (LangGraph,
Strands)."""
_EXCEPTION_EVENTS = ("exception", "gen_ai.exception")
_STATUS_PARTS = ("code", "message")
_TELLING_KEYS = frozenset(
    [
        *(*_STATUS_KEYS, _GRPC_STATUS, _DATABASE_STATUS, *_LEVEL_KEYS, *_KIND_KEYS),
        *(SPAN_EVENTS, "events", "status"),
    ]
)
"""One of these stands in each record that says that the span failed."""
_NAME_READ = 120  # characters of a message that may be the name of a class
_LONGEST = 20_000  # characters of a message or a stack that are kept


def effective_error(record: Span | Trace) -> ErrorInfo | None:
    """The error of a span or trace: its own field, else the exception that OpenTelemetry recorded
    as an event or attribute. None where there is none, or where only control was handed over."""
    error = record.error_info if record.has_error else None
    if error is None:
        error = _error_in_attributes(record.metadata)
        if error is None and not _says_fine(record.metadata):
            parts = read_exported_error(record.metadata)
            error = _build(*parts) if parts is not None else None
        if error is None and _holds_attributes(record.input):
            error = _error_in_attributes(record.input)
    if error is not None and _is_control_flow(error):
        return None
    return error


def _holds_attributes(value: Any) -> bool:
    """Whether an input has names of attributes: `status` alone may be an argument of a tool."""
    return isinstance(value, dict) and any(
        isinstance(key, str) and "." in key for key in islice(value, _KEYS_READ)
    )


def _is_control_flow(error: ErrorInfo) -> bool:
    """Whether raising it is how a framework continues; LangChain's callbacks record some errors
    without a type, as the text of the exception."""
    message = (error.message or "")[:_NAME_READ]
    kind = error.exception_type or message.partition("(")[0]
    name = kind.strip().rpartition(".")[2]
    is_steering = name in _CONTROL_FLOW or _STEERING.match(name) is not None
    return is_steering or _INTERRUPT.match(message) is not None


def _error_in_attributes(attributes: Any) -> ErrorInfo | None:
    if not isinstance(attributes, dict) or _TELLING_KEYS.isdisjoint(attributes):
        return None
    if _says_fine(attributes):
        return None
    found = _exception_event(attributes.get(SPAN_EVENTS) or attributes.get("events"))
    if found is not None:
        return found
    status = attributes.get("status")
    if isinstance(status, dict):
        attributes = {**attributes, **{f"status.{key}": status.get(key) for key in _STATUS_PARTS}}
    kind, message, code, level = (
        first_of(attributes, keys)
        for keys in (_KIND_KEYS, _MESSAGE_KEYS, _STATUS_KEYS, _LEVEL_KEYS)
    )
    if isinstance(kind, str) and kind.strip():
        return _build(kind, message, attributes.get("exception.stacktrace"))
    if _is_failed_status(code):
        return _build(f"HTTP {code}", message, None)
    if str(attributes.get(_GRPC_STATUS)) in _GRPC_SERVER_ERRORS:
        return _build(f"gRPC status {attributes[_GRPC_STATUS]}", message, None)
    if _SQL_ERROR.fullmatch(str(attributes.get(_DATABASE_STATUS))):
        return _build(f"SQLSTATE {attributes[_DATABASE_STATUS]}", message, None)
    return _build("Error", message, None) if str(level).lower() in ERROR_STATUSES else None


def _says_fine(attributes: Any) -> bool:
    """Whether the program says that it dealt with what it recorded."""
    return isinstance(attributes, dict) and str(attributes.get("otel.status_code")).upper() == "OK"


def _exception_event(events: Any) -> ErrorInfo | None:
    """The last exception among the events of an OpenTelemetry span."""
    events = open_text(events) if isinstance(events, str) else events
    if not isinstance(events, list):
        return None
    for event in reversed(events[-_EVENTS_READ:]):
        if not isinstance(event, dict) or event.get("name") not in _EXCEPTION_EVENTS:
            continue
        inner = event.get("attributes", event)
        if isinstance(inner, dict):
            return _build(
                inner.get("exception.type"),
                inner.get("exception.message"),
                inner.get("exception.stacktrace"),
            )
    return None


def _build(kind: Any, message: Any, stack: Any) -> ErrorInfo | None:
    texts = [
        text[:_LONGEST] if isinstance(text, str) and text.strip() else None
        for text in (kind, message, stack)
    ]
    if not any(texts):
        return None
    return ErrorInfo(exception_type=texts[0], message=texts[1], traceback=texts[2])


def _is_failed_status(code: Any) -> bool:
    try:
        status = int(code) if code is not None else 0
        return status >= _LEAST_SERVER_ERROR or status in _NOT_SERVED
    except (ValueError, TypeError, OverflowError):
        return False
