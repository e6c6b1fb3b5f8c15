"""Makes traces of turns.

Without full content a trace holds no text of anyone else: names of our tools and of models, counts,
times, tokens and codes. Even messages of our own are left out where they could quote, such as those
of a failed tool or of a provider's refusal.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from opik.id_helpers import generate_id
from opik.rest_api.types.error_info_write import ErrorInfoWrite
from opik.rest_api.types.span_write import SpanWrite
from opik.rest_api.types.trace_write import TraceWrite

from app import __version__
from app.agent.context import count_characters
from app.caller import Owner
from app.conversation.ports import TurnFacts
from app.errors import OpikAssistError
from app.events import (
    ContextShrunk,
    ModelCalled,
    ReplyCompleted,
    StoredEvent,
    TerminalEvent,
    ToolCompleted,
    TraceRead,
    TurnFailed,
)
from app.messages import TokenUsage
from app.telemetry.own_traces.delivery import JobBuilder
from app.telemetry.own_traces.queue import Job

TRACE_NAME = "answer_question"

Put = Callable[[Job], None]
SentValue = dict[str, Any]
"""An input or an output: what can be counted, and the texts where they may be sent."""


class OwnTracesObserver:
    """`conversation.ports.Observer`; `put` takes the jobs and never waits."""

    def __init__(self, put: Put, jobs: JobBuilder, *, full: bool) -> None:
        self._put = put
        self._jobs = jobs
        self._full = full

    def start_turn(self, turn: TurnFacts) -> "OwnTraceBuilder":
        """See the port."""
        return OwnTraceBuilder(self._put, self._jobs, self._full, turn)

    def record_rating(self, owner: Owner, conversation_id: str, value: int) -> None:
        self._put(self._jobs.build_score(conversation_id, value))

    def record_rating_removed(self, owner: Owner, conversation_id: str) -> None:
        self._put(self._jobs.build_score_removal(conversation_id))

    def record_deletion(self, conversation_id: str) -> None:
        """Deletes what holds the user's words; without full content that is the thumb alone."""
        if self._full:
            self._put(self._jobs.build_deletion(conversation_id))
        else:
            self._put(self._jobs.build_score_removal(conversation_id))


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class OwnTraceBuilder:
    """`conversation.ports.TurnObserver`."""

    put: Put
    jobs: JobBuilder
    full: bool
    turn: TurnFacts
    provider: str = ""
    answer: SentValue | None = None
    shrunk: int = 0
    usage: TokenUsage = field(default_factory=TokenUsage)
    start: datetime = field(default_factory=_utc_now)
    tools: set[str] = field(default_factory=set)
    arguments: dict[str, str] = field(default_factory=dict)
    spans: list[SpanWrite] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.trace_id = generate_id(self.start)
        self.model = self.turn.model
        self.metadata: SentValue = {
            "turn_id": self.turn.key.turn_id,
            "trace_id": self.turn.trace_id,
            "request_id": self.turn.request_id,
            "first": self.turn.first,
            "workspace": self.turn.owner.workspace,
        }

    def record_event(self, event: StoredEvent | ModelCalled) -> None:
        """See the port."""
        if isinstance(event, ModelCalled):
            self._add_model_call(event)
        elif isinstance(event, TraceRead):
            self.metadata |= {"project_id": event.project_id, "span_count": event.spans}
            read, now = {"spans": event.spans}, _utc_now()
            self._add_span("read_trace", self.start, now, type="general", output=read)
        elif isinstance(event, ReplyCompleted):
            self.answer = self._body({"characters": len(event.text)}, answer=event.text)
            self.arguments |= {each.id: each.arguments for each in event.calls}
        elif isinstance(event, ToolCompleted):
            self._add_tool_call(event)
        elif isinstance(event, ContextShrunk):
            self.shrunk += 1

    def record_first_text(self) -> None:
        """The times of the model's calls are recorded already."""

    def record_end(self, ending: TerminalEvent) -> None:
        """See the port."""
        failed = ending if isinstance(ending, TurnFailed) else None
        outcome = failed.code if failed else ending.type
        text = self.turn.question
        question = self._body({"characters": len(text)}, question=text)
        # A lost conversation may have been deleted: none of its messages are sent.
        lost = outcome == "turn_lost"
        error = None
        if failed is not None:
            anonymous = "The turn failed."
            error = _error(outcome, anonymous if lost else self._text(failed.message, anonymous))
        trace = TraceWrite(
            id=self.trace_id,
            project_name=self.jobs.project,
            name=TRACE_NAME,
            start_time=self.start,
            end_time=_utc_now(),
            input={} if lost else question,
            output=None if lost else self.answer,
            metadata=self._complete_metadata(outcome),
            tags=["opik-assist", outcome],
            error_info=error,
            thread_id=self.turn.key.conversation_id,
            source="sdk",
        )
        self.put(self.jobs.build_turn(trace, [] if lost else self.spans))

    def _complete_metadata(self, outcome: str) -> SentValue:
        return {
            **self.metadata,
            "outcome": outcome,
            "model": self.model,
            "steps": sum(each.type == "llm" for each in self.spans),
            "tool_calls": sum(each.type == "tool" for each in self.spans),
            "prompt_tokens": self.usage.prompt_tokens,
            "completion_tokens": self.usage.completion_tokens,
            "context_shrunk": self.shrunk,
            "version": __version__,
        }

    def _add_model_call(self, call: ModelCalled) -> None:
        self.tools |= {each.name for each in call.tools}
        if call.reply is not None:
            self.model = call.reply.model or self.model
            self.provider = call.reply.provider or self.provider
        self.usage += call.usage
        self._add_span(
            "model_reply",
            call.started_at,
            call.ended_at,
            type="llm",
            input={"messages": len(call.messages), "characters": count_characters(call.messages)},
            output=self._reply_body(call),
            metadata={"usage": "estimated"} if call.usage.estimated else {},
            model=self.model or None,
            provider=self.provider or None,
            usage=_opik_usage(call.usage) if call.usage.total_tokens else None,
            error_info=self._model_error(call),
        )

    def _add_tool_call(self, event: ToolCompleted) -> None:
        end = _utc_now()
        arguments = self.arguments.get(event.call_id, "")
        error = None
        if event.outcome == "failed":
            error = _error("tool_failed", self._text(event.text, "The tool call failed."))
        # A name that no tool has is the model's own text.
        known = event.name in self.tools
        self._add_span(
            event.name if known else self._text(event.name, "unknown_tool"),
            end - timedelta(milliseconds=event.milliseconds),
            end,
            type="tool",
            input=self._body({"characters": len(arguments)}, arguments=arguments),
            output=self._body({"characters": len(event.text)}, result=event.text),
            metadata={"outcome": event.outcome},
            error_info=error,
        )

    def _add_span(
        self,
        name: str,
        start: datetime,
        end: datetime,
        *,
        error_info: ErrorInfoWrite | None = None,
        **fields: Any,
    ) -> None:
        span = SpanWrite(
            id=generate_id(start),
            project_name=self.jobs.project,
            trace_id=self.trace_id,
            name=name,
            start_time=start,
            end_time=end,
            source="sdk",
            error_info=error_info,
            **fields,
        )
        self.spans.append(span)

    def _reply_body(self, call: ModelCalled) -> SentValue | None:
        reply = call.reply
        if reply is None:
            return None if call.error else {"finish_reason": "cancelled"}
        counts = {"characters": len(reply.text), "calls": len(reply.calls)}
        calls = [{"name": each.name, "arguments": each.arguments} for each in reply.calls]
        counted = {"finish_reason": reply.finish, **counts}
        return self._body(counted, content=reply.text, tool_calls=calls)

    def _model_error(self, call: ModelCalled) -> ErrorInfoWrite | None:
        if call.reply is not None:
            cut = _error("cut", "The reply broke off before its end.")
            return None if call.reply.complete else cut
        if call.error is None:
            return None
        if not isinstance(call.error, OpikAssistError):
            return _error("internal", f"An unexpected {type(call.error).__name__}.")
        message = f"{call.error.message} {call.error.detail}".strip()
        return _error(call.error.reason, self._text(message, "The model gave no usable reply."))

    def _body(self, counts: SentValue, **texts: object) -> SentValue:
        return {**counts, **texts} if self.full else counts

    def _text(self, text: str, instead: str) -> str:
        return text if self.full else instead


def _error(code: str, message: str) -> ErrorInfoWrite:
    """The backend wants a traceback that is not blank, and there is none."""
    return ErrorInfoWrite(exception_type=code, message=message, traceback=message)


def _opik_usage(usage: TokenUsage) -> dict[str, int]:
    """The names under which Opik counts and prices tokens."""
    counts = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "original_usage.prompt_tokens_details.cached_tokens": usage.cached_tokens,
        "original_usage.completion_tokens_details.reasoning_tokens": usage.reasoning_tokens,
    }
    return {name: count for name, count in counts.items() if count}
