"""What was recorded of one span: the view that every rule, text and tool reads."""

import re
from typing import Any

from app.analysis.recorded.body import Body
from app.analysis.recorded.body_places import Bodies, find_bodies
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.computed_once import computed_once
from app.analysis.recorded.emptiness import is_empty_result
from app.analysis.recorded.error import effective_error
from app.analysis.recorded.failure_text import (
    find_error_page,
    find_logged_traceback,
    find_reported_failure,
)
from app.analysis.recorded.first_token import read_first_token
from app.analysis.recorded.kind import SpanKind, find_kind
from app.analysis.recorded.names import kept_by_name
from app.analysis.recorded.outcome import (
    FAILURE_KEYS,
    find_failure,
    find_failure_in_json,
    find_reason,
)
from app.analysis.recorded.reply import RecordedReply, read_reply
from app.analysis.recorded.request import RecordedRequest
from app.analysis.recorded.request_messages import result_text
from app.analysis.recorded.service_texts import says_unserved
from app.analysis.recorded.spellings import plain_members
from app.analysis.recorded.usage import NO_USAGE, Usage, read_held_usage, read_usage
from app.opik.records import ErrorInfo, Span

# OpenTelemetry's GenAI conventions, the Vercel AI SDK and its exporter, OpenInference, LiveKit.
_TOOL_NAMES = (
    "gen_ai.tool.name", "ai.toolCall.name", "toolName", "tool_name", "tool.name",
    "lk.function_tool.name",
)  # fmt: skip
_TOOL_NAME_KEYS = frozenset(_TOOL_NAMES)
# Spans named after their tool: OpenTelemetry's conventions for agents and for MCP, Pydantic AI,
# Mastra, CrewAI, Traceloop.
_TOOL_IN_NAME = re.compile(
    r"(?:execute_tool|tools/call|running tool|tool_usage|tool_call|tool)(?::\s?|\s)"
    r"['\"]?([\w./-]+)['\"]?\Z"
    r"|([\w-]+)\.tool\Z",
    re.IGNORECASE,
)
_VERCEL_TOOL = "ai.toolCall"  # Opik records `ai.toolCall.name` and `.args` as `name` and `args`


class RecordedSpan:
    """A view of one span. Everything is computed on first use and bounded.

    Without its bodies read, `input` and `output` are ABSENT and nothing follows from them.
    """

    def __init__(self, span: Span) -> None:
        self.span = span

    @computed_once
    def kind(self) -> SpanKind:
        return find_kind(self.span)

    @computed_once
    def tool_name(self) -> str:
        """The name of the tool that the span ran, where it was recorded beside the span's name or
        is a part of it."""
        for record in (self.span.metadata, self.span.input):
            if isinstance(record, dict) and not _TOOL_NAME_KEYS.isdisjoint(record):
                found = next((record[key] for key in _TOOL_NAMES if record.get(key)), None)
                if isinstance(found, str):
                    return found
        given = self.span.input
        if self.span.name == _VERCEL_TOOL and isinstance(given, dict) and "args" in given:
            name = given.get("name")
            return name if isinstance(name, str) else ""
        return _find_tool_in_name(self.span.name or "")

    @computed_once
    def is_model_call(self) -> bool:
        return self.kind is SpanKind.MODEL_CALL

    @computed_once
    def calls_outside(self) -> bool:
        """Whether the span calls a model, a tool, or a lookup, rather than the program itself."""
        return self.kind in _OUTSIDE

    @property
    def calls_tool(self) -> bool:
        """Whether the span calls a tool or a lookup, and no model."""
        return self.calls_outside and not self.is_model_call

    @computed_once
    def error(self) -> ErrorInfo | None:
        """The error of the span, wherever it was recorded (see `effective_error`). Where only a
        mark says that a tool failed, its output is the message."""
        error = effective_error(self.span)
        if error is not None and not (error.message or error.traceback or self.span.has_error):
            return error.model_copy(update={"message": self.failure or None})
        return error

    @computed_once
    def _bodies(self) -> Bodies:
        return find_bodies(self.span, is_model_call=self.is_model_call)

    @computed_once
    def input(self) -> Body:
        return _open_body(self._bodies.given)

    @computed_once
    def output(self) -> Body:
        return _open_body(self._bodies.returned)

    @computed_once
    def metadata(self) -> Body:
        return _open_body(self.span.metadata)

    @computed_once
    def usage(self) -> Usage:
        usage = read_usage(self.span)
        if usage is NO_USAGE and self.output.value is not self.span.output:
            held = self.output.opened
            usage = read_held_usage(held) if isinstance(held, dict) else usage
        return usage

    @computed_once
    def first_token(self) -> float | None:
        """Milliseconds until the first token of a streamed call, None where unknown."""
        return read_first_token(self.span)

    @computed_once
    def reply(self) -> RecordedReply:
        """The reply of a model call; of other spans the text of their output."""
        return read_reply(self.output.value, self.span.metadata)

    @computed_once
    def request(self) -> RecordedRequest:
        """The request of a model call."""
        return RecordedRequest(self.span.input, self.span.metadata)

    @computed_once
    def failure(self) -> str:
        """The text with which the output reports that the call failed; empty where it does not."""
        mark = _find_failed_mark(self.span.metadata)
        if mark:
            result = self.output.result.opened
            why = find_reason(list(plain_members(result))) if isinstance(result, dict) else ""
            return (why or result_text(result))[:_LONGEST_FAILURE] or mark
        if self.output.state is not BodyState.PRESENT:
            return ""
        if self.is_model_call:
            text = self.reply.text
            failure = find_reported_failure(text) or find_failure_in_json(text)
            failure = failure or find_logged_traceback(text)
            return self.reply.failure or failure or (text if says_unserved(text) else "")
        # Two items are an object and its one value, which reports under any key; a list of one text
        # is content, such as a line of a log.
        is_one_text = isinstance(self.output.opened, str) or self.output.opened_survey.items <= 2
        found = ""
        if is_one_text or self.output.may_have_key(FAILURE_KEYS):
            found = find_failure(self.output.opened)
        return found or self._error_page

    @property
    def _error_page(self) -> str:
        """An error page of HTML under any key that is no record's, where another text should stand:
        `{"lang": "de", "translated": "<html><title>502 …"}`."""
        for leaf in self.output.first_by_type.texts:
            if leaf.value[:1] == "<" and all(isinstance(part, str) for part in leaf.path):
                page = find_error_page(leaf.value)
                if page and leaf.value not in self.input.first_values:
                    return page
        return ""

    @property
    def has_failed(self) -> bool:
        """Whether the call raised an error, or its output reports a failure."""
        return self.error is not None or bool(self.failure)

    @computed_once
    def returned_nothing(self) -> bool:
        """Whether the output is absent or empty; a model call's is where its reply is blank.

        False where nothing at all was read or recorded of the span: see `output.state` for an
        output that is absent beside an input.
        """
        if self.is_model_call:
            return self.reply.is_blank and not self.is_unrecorded
        if self.output.state is BodyState.ABSENT:
            return not self.is_unrecorded
        name = self.tool_name or self.span.name or ""
        return is_empty_result(self.output.result, self.input, name)

    @property
    def is_unrecorded(self) -> bool:
        """Whether neither input nor output nor metadata was read and recorded."""
        return (
            self.output.state is BodyState.ABSENT
            and self.input.state is BodyState.ABSENT
            and not self.span.metadata
        )


@kept_by_name
def _find_tool_in_name(name: str) -> str:
    """The tool that a span is named after; empty where it is none."""
    named = _TOOL_IN_NAME.match(name)
    return (named[1] or named[2]) if named else ""


def _open_body(value: Any) -> Body:
    return _NO_BODY if value is None else Body(value)


_NO_BODY = Body(None)
"""Of all spans without one: most spans of a large trace, whose bodies are not read."""


class UnreadSpan(RecordedSpan):
    """A view of a span of which no body was recorded or read."""

    input = output = metadata = _NO_BODY
    failure = ""
    returned_nothing = False
    is_unrecorded = True

    @computed_once
    def error(self) -> ErrorInfo | None:
        return effective_error(self.span) if self.span.has_error else None

    @computed_once
    def usage(self) -> Usage:
        return read_usage(self.span)


def view_span(span: Span) -> RecordedSpan:
    """The view of a span."""
    if span.input is None and span.output is None and span.metadata is None:
        return UnreadSpan(span)
    return RecordedSpan(span)


def _find_failed_mark(metadata: Any) -> str:
    """`key: value` by which an SDK says beside the result of a tool that the call failed."""
    if not isinstance(metadata, dict):
        return ""
    for flag in _SUCCESS_FLAGS & metadata.keys():
        if metadata[flag] in (False, "false", "False"):
            return f"{flag}: false"
    if _FAILED_FLAGS.isdisjoint(metadata):
        return ""
    return next(
        (
            f"{flag}: {str(metadata[flag]).lower()}"
            for flag in sorted(_FAILED_FLAGS & metadata.keys())
            if metadata[flag] in (True, "true", "True", "error")
        ),
        "",
    )


# LiveKit, Vercel's agents, Strands, servers and clients of MCP.
_FAILED_FLAGS = frozenset(
    [
        "lk.function_tool.is_error", "ai.tool.is_error", "gen_ai.tool.status",
        "gen_ai.tool.is_error", "tool.is_error", "mcp.tool.is_error", "mcp.tool.result.is_error",
        "mcp.result.is_error",
    ]
)  # fmt: skip
_SUCCESS_FLAGS = frozenset(["success", "tool.success", "tool_success", "gen_ai.tool.success"])
_LONGEST_FAILURE = 2_000  # characters
_OUTSIDE = frozenset(
    [SpanKind.MODEL_CALL, SpanKind.TOOL_CALL, SpanKind.RETRIEVAL, SpanKind.EMBEDDING]
)
