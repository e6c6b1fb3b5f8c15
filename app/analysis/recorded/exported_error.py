"""Errors that stand in metadata under the names of one tracing program or SDK.

Langfuse (level, statusMessage), Phoenix (status_code), MLflow, Datadog, Agno, Laminar, Genkit
(status, state), LangSmith and Braintrust (error), Weave (exception), Jaeger (`error: true`),
Logfire (level_num), New Relic (error.class), and the JSON-RPC conventions of OpenTelemetry.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from app.analysis.recorded.spellings import key_set, plain_key, word_set

_LEVELS = ("level", "status_code", "statusCode", "status", "execution_status")
_CODES = 2  # of them, behind the level, are codes
_MESSAGES = (
    *("statusMessage", "status_message", "status_description", "error_message", "errorMessage"),
    *("exception_message", "message", "description", "error.message", "exception.message"),
    "rpc.jsonrpc.error_message",
)
_KINDS = (
    "error_type",
    "errorType",
    "exception_type",
    "error_class",
    "error.class",
    "error.name",
    "error.type",
)
_ERRORS = ("error", "exception")
_ERROR_TEXTS = (
    *("error.message", "exception.message", "error_message", "errorMessage", "exception_message"),
    *("rpc.jsonrpc.error_code", "error.class", "error.name", "error.type", "exception.type"),
)
_PLAIN_KEYS = frozenset([*_LEVELS, *_ERRORS, *_ERROR_TEXTS])
_STATE_KEYS = key_set("status state span_status status_code run_status")  # of dotted names
_ERROR_WORDS = word_set("error status_code_error statuscode.error")
ERROR_STATUSES = _ERROR_WORDS | {"2"}
"""What a status or level of OpenTelemetry, Langfuse and others says of a span that failed. The
number is OpenTelemetry's: under another key it may be the state of anything."""
_NOT_AN_ERROR = word_set("none null false no 0 ok nil [] {}") | {""}
_HOLDERS = ("attributes", "otel", "tags", "span", "status")
"""Objects in which some exporters keep the attributes of a span."""
_LOG_LEVEL = "logfire.level_num"
_LEAST_ERROR_LEVEL = 17  # OpenTelemetry's severity number of ERROR
_KEYS_READ = 200  # of metadata

Parts = tuple[Any, Any, Any]
"""Type, message and stack of an error."""


def read_exported_error(metadata: Any) -> Parts | None:
    """The parts of the error that metadata state; None where they state none."""
    if not isinstance(metadata, dict):
        return None
    held = (each for key in _HOLDERS if isinstance(each := metadata.get(key), dict))
    found = (_read_plain(each, is_held=True) for each in held)
    own = _read_plain(metadata, is_held=False)
    return own or next(filter(None, found), None) or _read_dotted(metadata)


def _read_plain(record: Mapping[str, Any], *, is_held: bool) -> Parts | None:
    if _PLAIN_KEYS.isdisjoint(record):
        return None
    message, kind = first_of(record, _MESSAGES), first_of(record, _KINDS)
    error = first_of(record, _ERRORS)
    if isinstance(error, dict):
        names = error.get("type") or error.get("name") or error.get("kind")
        return _join(names, error.get("message") or message, error.get("stack"))
    if isinstance(error, str) and error.strip().lower() not in _NOT_AN_ERROR:
        is_flag = error.strip().lower() in ("true", "1", "yes")
        return kind or "Error", message if is_flag else error, None
    stated = first_of(record, _ERROR_TEXTS)
    if isinstance(stated, (str, int)) and str(stated).strip().lower() not in _NOT_AN_ERROR:
        return kind or "Error", message or str(stated), None
    level, *statuses = (str(record.get(key)).lower() for key in _LEVELS)
    # A level or number alone may be that of a log or of anything, so that it needs the place for
    # its message beside it, or a place that is a span's own.
    has_message = not record.keys().isdisjoint(_MESSAGES)
    is_failed = (
        not _ERROR_WORDS.isdisjoint(statuses)
        or (level == "error" and has_message)
        or ("2" in statuses[:_CODES] and (has_message or is_held))
    )
    return (kind or "Error", message, None) if is_failed or error is True else None


def _read_dotted(metadata: Mapping[str, Any]) -> Parts | None:
    """What names of a vendor say: `mlflow.spanStatus: ERROR`, `braintrust.error: …`."""
    level = metadata.get(_LOG_LEVEL)
    if isinstance(level, int) and level >= _LEAST_ERROR_LEVEL:
        return "Error", metadata.get("logfire.msg"), None
    for key, value in _texts(metadata):
        name = plain_key(key.rpartition(":")[2])
        if name in _STATE_KEYS and value.lower() in _ERROR_WORDS:
            errors = (text for other, text in _texts(metadata) if other.endswith("error"))
            return "Error", next(errors, None), None
        if name == "error" and value.strip().lower() not in _NOT_AN_ERROR:
            return "Error", value, None
    return None


def _texts(metadata: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in islice(metadata.items(), _KEYS_READ):
        if type(value) is str and ("." in key or ":" in key):
            yield key, value


def first_of(record: Mapping[str, Any], keys: Iterable[str]) -> Any:
    """The first of these members that is not null."""
    return next((record[key] for key in keys if record.get(key) is not None), None)


def _join(kind: Any, message: Any, stack: Any) -> Parts | None:
    return (kind, message, stack) if any((kind, message, stack)) else None
