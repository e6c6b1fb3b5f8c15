"""Reports unexpected errors to Sentry. Imported only where a DSN is set.

Questions, answers and traces belong to the users, and exceptions often quote the value that caused
them. So a report is built anew from the few fields that hold code and ids only, instead of removing
what should not be in it. An exception keeps its type and stack; its message stays in our own log.
"""

import logging
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import anyio
import sentry_sdk
from sentry_sdk.integrations.asyncio import enable_asyncio_integration
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.httpx import HttpxIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.integrations.sqlalchemy import SqlalchemyIntegration
from sentry_sdk.integrations.starlette import StarletteIntegration
from sentry_sdk.types import Event, Hint

from app import __version__
from app.errors import OpikAssistError
from app.telemetry.error_reports import ErrorReports

WITHHELD = "(withheld: see the service's log)"
_FLUSH_SECONDS = 3.0
"""Together with the end of the turns this has to fit into the time before a kill."""
# uvicorn logs what Starlette has reported; the pool logs what becomes DatabaseUnavailable.
_REPEATING_LOGGERS = ("uvicorn", "sqlalchemy.pool")
_PROBES = ("/healthz", "/readyz")

_EVENT_FIELDS = (
    "event_id",
    "timestamp",
    "start_timestamp",
    "level",
    "logger",
    "platform",
    "release",
    "environment",
    "server_name",
    "sdk",
    "type",
    "transaction",
    "transaction_info",
)
_TRACE_FIELDS = ("trace_id", "span_id", "parent_span_id", "op", "status", "origin")
_SPAN_FIELDS = (
    *_TRACE_FIELDS,
    "start_timestamp",
    "timestamp",
    "description",
    "same_process_as_parent",
)
_SPAN_DATA = ("http.response.status_code", "db.system")
_RUNTIME_FIELDS = ("name", "version", "build")
_MECHANISM_FIELDS = ("type", "handled", "source", "exception_id", "parent_id", "is_exception_group")
_FRAME_FIELDS = (
    "filename",
    "abs_path",
    "module",
    "function",
    "lineno",
    "pre_context",
    "context_line",
    "post_context",
    "in_app",
)
_LINE_IDS = ("request", "trace", "turn", "tool")


def configure(wanted: ErrorReports) -> None:
    """Starts reporting; before the app is built, so that its routes get their names."""
    report = _ReportBuilder(wanted.send_default_pii)
    sentry_sdk.init(
        dsn=wanted.dsn,
        environment=wanted.environment,
        release=f"opik-assist@{__version__}",
        traces_sample_rate=wanted.traces_sample_rate or None,
        profiles_sample_rate=wanted.profiles_sample_rate or None,
        send_default_pii=wanted.send_default_pii,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            StarletteIntegration(transaction_style="url"),
            SqlalchemyIntegration(),
            HttpxIntegration(),
            LoggingIntegration(level=None, event_level=logging.ERROR, sentry_logs_level=None),
            DedupeIntegration(),
            ExcepthookIntegration(),
            AtexitIntegration(callback=lambda _pending, _timeout: None),
        ],
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        # A browser must not decide what is sampled, and a provider must not see our trace ids.
        strict_trace_continuation=True,
        trace_propagation_targets=[],
        before_send=report.error,
        before_send_transaction=report.transaction,
    )


def isolate_tasks() -> None:
    """Gives each task of the running event loop its own scope."""
    enable_asyncio_integration()


async def flush() -> None:
    """Sends the waiting reports. Sentry's own hook runs at exit, which a signal may prevent."""
    with anyio.CancelScope(shield=True):
        await anyio.to_thread.run_sync(sentry_sdk.flush, _FLUSH_SECONDS)


class _ReportBuilder:
    """Builds the reports that are sent; None where nothing is to be sent."""

    def __init__(self, send_default_pii: bool) -> None:
        self._send_default_pii = send_default_pii

    def error(self, event: Event, hint: Hint) -> Event | None:
        """Reports an unexpected exception; a line without an exception is not reported."""
        caught = (hint.get("exc_info") or (None, None, None))[1]
        record = hint.get("log_record")
        if caught is None or _is_expected(caught) or _is_repeated(event, record):
            return None
        report = self._report(event)
        values = (event.get("exception") or {}).get("values") or []
        report["exception"] = {"values": [_build_exception(each) for each in values]}
        line = getattr(record, "msg", None)
        if isinstance(line, Mapping):
            report["logentry"] = {"message": str(line.get("event", ""))}
            report["tags"] = {name: str(line[name]) for name in _LINE_IDS if name in line}
        return report

    def transaction(self, event: Event, _hint: Hint) -> Event | None:
        """The timing of one request, unless it was a probe's."""
        if str(event.get("transaction", "")).endswith(_PROBES):
            return None
        report = self._report(event)
        whole: Mapping[str, Any] = event
        report["spans"] = [_build_span(each) for each in whole.get("spans") or []]
        return report

    def _report(self, event: Mapping[str, Any]) -> Event:
        report = _pick_fields(event, _EVENT_FIELDS)
        contexts = event.get("contexts") or {}
        report["contexts"] = {
            "trace": _pick_fields(contexts.get("trace"), _TRACE_FIELDS),
            "runtime": _pick_fields(contexts.get("runtime"), _RUNTIME_FIELDS),
        }
        request = event.get("request")
        if request:
            report["request"] = {
                "method": request.get("method"),
                "url": _strip_url(request.get("url")),
            }
            caller = (request.get("env") or {}).get("REMOTE_ADDR")
            if self._send_default_pii and caller:
                report["user"] = {"ip_address": caller}
        return report  # type: ignore[return-value]


def _is_expected(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(_is_expected(each) for each in error.exceptions)
    return isinstance(error, OpikAssistError)


def _is_repeated(event: Mapping[str, Any], record: Any) -> bool:
    """Whether the same error is reported elsewhere: our tasks pass on what they raise."""
    if record is not None:
        return str(record.name).startswith(_REPEATING_LOGGERS)
    values = (event.get("exception") or {}).get("values") or []
    return any((each.get("mechanism") or {}).get("type") == "asyncio" for each in values)


def _build_exception(value: Mapping[str, Any]) -> dict[str, Any]:
    frames = (value.get("stacktrace") or {}).get("frames") or []
    return {
        "type": value.get("type"),
        "module": value.get("module"),
        "value": WITHHELD,
        "mechanism": _pick_fields(value.get("mechanism"), _MECHANISM_FIELDS),
        "stacktrace": {"frames": [_pick_fields(frame, _FRAME_FIELDS) for frame in frames]},
    }


def _build_span(span: Mapping[str, Any]) -> dict[str, Any]:
    """Descriptions are safe: SQL has placeholders, URLs have no query."""
    return {**_pick_fields(span, _SPAN_FIELDS), "data": _pick_fields(span.get("data"), _SPAN_DATA)}


def _strip_url(url: Any) -> str:
    parts = urlsplit(str(url))
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _pick_fields(whole: Mapping[str, Any] | None, names: Collection[str]) -> dict[str, Any]:
    return {name: whole[name] for name in names if name in whole} if whole else {}
