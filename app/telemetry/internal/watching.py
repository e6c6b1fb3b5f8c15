"""Makes records of what happens in turns.

Without full content a record holds no text of anyone else: names of our tools and of models,
counts, times, tokens and codes. Even words of our own are left out where they could quote, such as
those of a failed tool or of a provider's refusal.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from app import __version__
from app.agent.budget import characters_of
from app.agent.ports import Model, Say
from app.errors import OpikAssistError
from app.events import (
    ContextShrunk,
    ReplyCompleted,
    StoredEvent,
    TerminalEvent,
    ToolCompleted,
    TraceRead,
    TurnFailed,
)
from app.messages import Message, Reply, ToolSpec, Usage
from app.telemetry.internal.records import (
    Erasure,
    Facts,
    Failure,
    Observation,
    SpanRecord,
    Thumb,
    TurnRecord,
)

Put = Callable[[Observation], None]
Now = Callable[[], datetime]

_LOST = "turn_lost"


def utc_now() -> datetime:
    return datetime.now(UTC)


class Watcher:
    """`conversation.ports.Observer`; `put` takes the records and never waits."""

    def __init__(self, put: Put, *, full: bool, now: Now = utc_now) -> None:
        self._put = put
        self._full = full
        self._now = now

    def turn(self, *, conversation_id: str, question: str, model: str, **ids: str) -> "TurnWatch":
        """See the port; `ids` become facts of the trace under their own names."""
        about: Facts = {**ids, "question_characters": len(question)}
        asked = question if self._full else None
        return TurnWatch(
            self._put, conversation_id, about, question=asked, model=model, now=self._now
        )

    def rated(self, conversation_id: str, value: int) -> None:
        self._put(Thumb(conversation_id, value))

    def unrated(self, conversation_id: str) -> None:
        self._put(Thumb(conversation_id, None))

    def forgotten(self, conversation_id: str) -> None:
        """What holds the user's words goes with the conversation, else only the thumb."""
        self._put(Erasure(conversation_id) if self._full else Thumb(conversation_id, None))


class TurnWatch:
    """`conversation.ports.TurnWatch`; `question` is None where content stays out."""

    def __init__(
        self,
        put: Put,
        conversation_id: str,
        about: Facts,
        *,
        question: str | None,
        model: str,
        now: Now,
    ) -> None:
        self._put = put
        self._conversation_id = conversation_id
        self._about = dict(about)
        self._question = question
        self._now = now
        self._start = now()
        self._spans: list[SpanRecord] = []
        self._model, self._provider = model, ""
        self._usage = Usage()
        self._tools: set[str] = set()
        self._arguments: dict[str, str] = {}
        self._answer = ""
        self._shrunk = 0

    def watched(self, model: Model) -> Model:
        """See the port."""
        return _WatchedModel(model, self, self._now)

    def happened(self, event: StoredEvent) -> None:
        """See the port."""
        if isinstance(event, TraceRead):
            self._about |= {"project_id": event.project_id, "span_count": event.spans}
            self._spans.append(SpanRecord("read_trace", "general", self._start, self._now()))
        elif isinstance(event, ReplyCompleted):
            self._answer = event.text
            self._arguments |= {each.id: each.arguments for each in event.calls}
        elif isinstance(event, ToolCompleted):
            self._spans.append(self._tool_span(event))
        elif isinstance(event, ContextShrunk):
            self._shrunk += 1

    def asked(
        self,
        began: datetime,
        request: Facts,
        *,
        tools: Sequence[ToolSpec],
        reply: Reply | None,
        error: Exception | None,
    ) -> None:
        """A call of the model has ended: with a reply, with an error, or cancelled (neither)."""
        self._tools |= {each.name for each in tools}
        facts = dict(request)
        if reply is not None:
            self._model = reply.model or self._model
            self._provider = reply.provider or self._provider
            self._usage += reply.usage or Usage()
            facts |= {"finish": reply.finish, "calls": len(reply.calls)}
            facts |= {"reply_characters": len(reply.text)}
        elif error is None:
            facts |= {"finish": "cancelled"}
        self._spans.append(
            SpanRecord(
                "model_reply",
                "llm",
                began,
                self._now(),
                facts,
                output=self._content(text=reply.text) if reply else None,
                model=self._model,
                provider=self._provider,
                usage=reply.usage if reply else None,
                failure=self._failure_of(reply, error),
            )
        )

    def ended(self, ending: TerminalEvent) -> None:
        """See the port. A turn without its conversation leaves none of its content behind."""
        failed = ending if isinstance(ending, TurnFailed) else None
        if failed and failed.code == _LOST:
            self._forget_content()
        outcome = failed.code if failed else ending.type
        said = failed.message if failed and self._question is not None else "The turn failed."
        self._put(
            TurnRecord(
                self._conversation_id,
                self._start,
                self._now(),
                facts=self._facts(outcome),
                tags=("opik-assist", outcome),
                spans=tuple(self._spans),
                input=self._content(question=self._question or ""),
                output=self._content(answer=self._answer),
                failure=Failure(failed.code, said) if failed else None,
            )
        )

    def _facts(self, outcome: str) -> Facts:
        return {
            **self._about,
            "outcome": outcome,
            "model": self._model,
            "steps": sum(each.type == "llm" for each in self._spans),
            "tool_calls": sum(each.type == "tool" for each in self._spans),
            "prompt_tokens": self._usage.prompt_tokens,
            "completion_tokens": self._usage.completion_tokens,
            "answer_characters": len(self._answer),
            "context_shrunk": self._shrunk,
            "version": __version__,
        }

    def _tool_span(self, event: ToolCompleted) -> SpanRecord:
        end = self._now()
        # A name that no tool has is the model's own text.
        known = event.name in self._tools
        failure = None
        if event.outcome == "failed":
            said = event.text if self._question is not None else "The tool call failed."
            failure = Failure("tool_failed", said)
        return SpanRecord(
            event.name if known or self._question is not None else "unknown_tool",
            "tool",
            end - timedelta(milliseconds=event.milliseconds),
            end,
            {"outcome": event.outcome, "result_characters": len(event.text)},
            input=self._content(arguments=self._arguments.get(event.call_id, "")),
            output=self._content(result=event.text),
            failure=failure,
        )

    def _failure_of(self, reply: Reply | None, error: Exception | None) -> Failure | None:
        if reply is not None:
            cut = Failure("cut", "The reply broke off before its end.")
            return None if reply.complete else cut
        if error is None:
            return None
        if not isinstance(error, OpikAssistError):
            return Failure("internal", f"An unexpected {type(error).__name__}.")
        words = f"{error.message} {error.detail}".strip()
        if self._question is None:
            words = "The model gave no usable reply."
        return Failure(error.reason, words)

    def _content(self, **texts: str) -> dict[str, str] | None:
        return texts if self._question is not None else None

    def _forget_content(self) -> None:
        self._question = None
        self._spans = []


class _WatchedModel:
    """`agent.ports.Model`, each call told to the watch."""

    def __init__(self, model: Model, watch: TurnWatch, now: Now) -> None:
        self._model = model
        self._watch = watch
        self._now = now

    async def reply(
        self, messages: Sequence[Message], *, tools: Sequence[ToolSpec], say: Say
    ) -> Reply:
        """See the port."""
        began = self._now()
        request = {"messages": len(messages), "request_characters": characters_of(messages)}
        reply: Reply | None = None
        error: Exception | None = None
        try:
            reply = await self._model.reply(messages, tools=tools, say=say)
        except Exception as failure:
            error = failure
            raise
        finally:
            self._watch.asked(began, request, tools=tools, reply=reply, error=error)
        return reply
