"""Makes records of what happens in turns.

Without full content a record holds no text of anyone else: names of our tools and of models,
counts, times, tokens and codes. Even words of our own are left out where they could quote, such as
those of a failed tool or of a provider's refusal.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app import __version__
from app.agent.context import count_characters
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
from app.messages import Reply, TokenUsage
from app.telemetry.own_traces.records import (
    Body,
    Facts,
    Failure,
    Feedback,
    Observation,
    SpanRecord,
    ThreadDeletion,
    TurnRecord,
)

Put = Callable[[Observation], None]
Now = Callable[[], datetime]

_LOST = "turn_lost"
_TURN_FAILED = "The turn failed."


def utc_now() -> datetime:
    return datetime.now(UTC)


class OwnTracesObserver:
    """`conversation.ports.Observer`; `put` takes the records and never waits."""

    def __init__(self, put: Put, *, full: bool, now: Now = utc_now) -> None:
        self._put = put
        self._full = full
        self._now = now

    def turn(
        self, *, conversation_id: str, question: str, model: str, **ids: str
    ) -> "OwnTraceBuilder":
        """See the port; `ids` become facts of the trace under their own names."""
        words = _ContentPolicy(self._full)
        return OwnTraceBuilder(
            self._put,
            conversation_id,
            ids,
            question=words.body({"characters": len(question)}, question=question),
            model=model,
            words=words,
            now=self._now,
        )

    def rated(self, conversation_id: str, value: int) -> None:
        self._put(Feedback(conversation_id, value))

    def unrated(self, conversation_id: str) -> None:
        self._put(Feedback(conversation_id, None))

    def forgotten(self, conversation_id: str) -> None:
        """What holds the user's words goes with the conversation, else only the thumb."""
        self._put(
            ThreadDeletion(conversation_id) if self._full else Feedback(conversation_id, None)
        )


class OwnTraceBuilder:
    """`conversation.ports.TurnWatch`."""

    def __init__(
        self,
        put: Put,
        conversation_id: str,
        about: Facts,
        *,
        question: Body,
        model: str,
        words: "_ContentPolicy",
        now: Now,
    ) -> None:
        self._put = put
        self._conversation_id = conversation_id
        self._about = dict(about)
        self._question = question
        self._words = words
        self._now = now
        self._start = now()
        self._spans: list[SpanRecord] = []
        self._model, self._provider = model, ""
        self._usage = TokenUsage()
        self._tools: set[str] = set()
        self._arguments: dict[str, str] = {}
        self._answer: Body | None = None
        self._shrunk = 0

    def happened(self, event: StoredEvent | ModelCalled) -> None:
        """See the port."""
        if isinstance(event, ModelCalled):
            self._add_model_call(event)
        elif isinstance(event, TraceRead):
            self._about |= {"project_id": event.project_id, "span_count": event.spans}
            read = {"spans": event.spans}
            span = SpanRecord("read_trace", "general", self._start, self._now(), output=read)
            self._spans.append(span)
        elif isinstance(event, ReplyCompleted):
            self._answer = self._words.body({"characters": len(event.text)}, answer=event.text)
            self._arguments |= {each.id: each.arguments for each in event.calls}
        elif isinstance(event, ToolCompleted):
            self._spans.append(self._tool_span(event))
        elif isinstance(event, ContextShrunk):
            self._shrunk += 1

    def _add_model_call(self, call: ModelCalled) -> None:
        self._tools |= {each.name for each in call.tools}
        if call.reply is not None:
            self._model = call.reply.model or self._model
            self._provider = call.reply.provider or self._provider
        self._usage += call.usage
        asked = {"messages": len(call.messages), "characters": count_characters(call.messages)}
        self._spans.append(
            SpanRecord(
                "model_reply",
                "llm",
                call.started_at,
                call.ended_at,
                input=asked,
                output=self._reply_body(call.reply, call.error),
                facts={"usage": "estimated"} if call.usage.estimated else {},
                model=self._model,
                provider=self._provider,
                usage=call.usage if call.usage.total_tokens else None,
                failure=self._failure_of(call.reply, call.error),
            )
        )

    def ended(self, ending: TerminalEvent) -> None:
        """See the port."""
        failed = ending if isinstance(ending, TurnFailed) else None
        outcome = failed.code if failed else ending.type
        record = TurnRecord(
            self._conversation_id,
            self._start,
            self._now(),
            facts=self._facts(outcome),
            tags=("opik-assist", outcome),
            spans=tuple(self._spans),
            input=self._question,
            output=self._answer,
            failure=self._failure(failed.code, failed.message) if failed else None,
        )
        self._put(_without_bodies(record) if outcome == _LOST else record)

    def _facts(self, outcome: str) -> Facts:
        return {
            **self._about,
            "outcome": outcome,
            "model": self._model,
            "steps": sum(each.type == "llm" for each in self._spans),
            "tool_calls": sum(each.type == "tool" for each in self._spans),
            "prompt_tokens": self._usage.prompt_tokens,
            "completion_tokens": self._usage.completion_tokens,
            "context_shrunk": self._shrunk,
            "version": __version__,
        }

    def _tool_span(self, event: ToolCompleted) -> SpanRecord:
        end = self._now()
        arguments = self._arguments.get(event.call_id, "")
        failure = None
        if event.outcome == "failed":
            said = self._words.of(event.text, "The tool call failed.")
            failure = Failure("tool_failed", said)
        # A name that no tool has is the model's own text.
        known = event.name in self._tools
        return SpanRecord(
            event.name if known else self._words.of(event.name, "unknown_tool"),
            "tool",
            end - timedelta(milliseconds=event.milliseconds),
            end,
            input=self._words.body({"characters": len(arguments)}, arguments=arguments),
            output=self._words.body({"characters": len(event.text)}, result=event.text),
            facts={"outcome": event.outcome},
            failure=failure,
        )

    def _failure(self, code: str, message: str) -> Failure:
        return Failure(code, self._words.of(message, _TURN_FAILED))

    def _reply_body(self, reply: Reply | None, error: Exception | None) -> Body | None:
        if reply is None:
            return None if error else {"finish_reason": "cancelled"}
        counts = {"characters": len(reply.text), "calls": len(reply.calls)}
        asked = [{"name": each.name, "arguments": each.arguments} for each in reply.calls]
        counted = {"finish_reason": reply.finish, **counts}
        return self._words.body(counted, content=reply.text, tool_calls=asked)

    def _failure_of(self, reply: Reply | None, error: Exception | None) -> Failure | None:
        if reply is not None:
            cut = Failure("cut", "The reply broke off before its end.")
            return None if reply.complete else cut
        if error is None:
            return None
        if not isinstance(error, OpikAssistError):
            return Failure("internal", f"An unexpected {type(error).__name__}.")
        said = f"{error.message} {error.detail}".strip()
        return Failure(error.reason, self._words.of(said, "The model gave no usable reply."))


class _ContentPolicy:
    """Decides where words of users, models and providers may stand."""

    def __init__(self, full: bool) -> None:
        self._full = full

    def body(self, counts: Body, **words: object) -> Body:
        """What was counted, and the words if they may be sent."""
        return {**counts, **words} if self._full else counts

    def of(self, words: str, instead: str) -> str:
        return words if self._full else instead


def _without_bodies(turn: TurnRecord) -> TurnRecord:
    """What a turn leaves that lost its conversation, which may have been deleted."""
    failure = turn.failure and Failure(turn.failure.code, _TURN_FAILED)
    return replace(turn, input={}, output=None, spans=(), failure=failure)
