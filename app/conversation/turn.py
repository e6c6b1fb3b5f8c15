"""One running turn: stores and shows its events and ends it with exactly one terminal event."""

from collections.abc import Awaitable, Callable, Iterable, Sequence

import anyio
import structlog

from app.agent.citations import Aliases, CitationStream, find_citation_labels
from app.conversation.event_writer import EventWriter, StorageTimeouts, TurnEnding
from app.conversation.feed import Feed
from app.conversation.ports import TurnFacts, TurnObserver
from app.conversation.prices import PriceTable
from app.conversation.token_usage import UsageAccount
from app.db.event_size import shrink_event
from app.db.store import Store
from app.errors import DatabaseUnavailable, ModelFailed, OpikAssistError, TurnLost
from app.events import (
    AliasesAssigned,
    Event,
    ModelCalled,
    QuestionsSuggested,
    ReplyCompleted,
    StoredEvent,
    TerminalEvent,
    TextDelta,
    TextWithdrawn,
    ToolCompleted,
    TraceRead,
    TurnCancelled,
    TurnFailed,
    TurnFinished,
    UsageReported,
    dump_event,
)
from app.messages import TokenUsage

log = structlog.get_logger(__name__)

AnswerTurn = Callable[["Turn"], Awaitable[None]]

SHUTTING_DOWN = TurnFailed(
    code="shutting_down",
    message="The service is restarting. What was answered so far is kept; ask again in a moment.",
)
_CONVERSATION_LOST = TurnFailed(
    code="turn_lost", message="This conversation was deleted or taken over elsewhere."
)
_INTERNAL_ERROR = TurnFailed(
    code="internal", message="Something went wrong inside the assistant. Please ask again."
)


_NOT_STORED = TurnFailed(
    code="not_stored",
    message="The answer above is complete, but the assistant's database could not store it: it may "
    "be missing after a reload.",
)
_NOT_STORED_NOTE = "Some of the text above could not be stored and may be missing after a reload."
_UNFINISHED_BYTES = 256_000
"""The most that is stored of a reply under way, every second: far more than answers have."""
_SHUTDOWN_STORE_SECONDS = 3
"""Container runtimes kill a process some seconds after they asked it to stop."""


class Turn:
    """`agent.ports.Sink` of one turn: stores events, shows them, and ends the turn exactly once."""

    def __init__(
        self,
        store: Store,
        facts: TurnFacts,
        *,
        timeouts: StorageTimeouts,
        prices: PriceTable,
        counts_for_quota: bool,
        observer: TurnObserver,
    ) -> None:
        """With `counts_for_quota` the tokens used so far are stored while the turn runs."""
        self.key = key = facts.key
        self.workspace = facts.owner.workspace
        self._request_id = facts.request_id
        self.feed = Feed()
        self.ended = anyio.Event()
        self.has_reply = False
        self._timeouts = timeouts
        self._observer = observer
        self._label = {"trace": facts.trace_id, "turn": key.turn_id, "request": facts.request_id}
        self._scope = anyio.CancelScope()
        self._writer = EventWriter(
            store,
            key,
            timeouts=timeouts,
            on_lost=lambda: self.stop(_CONVERSATION_LOST),
            read_unfinished=self._dump_unfinished,
            label=self._label,
        )
        self._reason: TerminalEvent = TurnCancelled()
        self.set_citations(Aliases(), lambda _: None)
        self._counts_for_quota = counts_for_quota
        self._used, self._used_in_conversation = UsageAccount(prices), UsageAccount(prices)
        self._model, self._provider = facts.model, ""
        self._suggested: QuestionsSuggested | None = None
        self._steps = 0
        self._has_text = False
        self._tools: list[str] = []
        self._unfinished: tuple[str, list[str]] = ("", [])
        self._held: list[Event] = []

    def set_citations(self, aliases: Aliases, label: Callable[[str], str | None]) -> None:
        """Sets how aliases in the model's text become citations; `label` names a span by its id."""
        self._aliases = aliases
        self._label_of = label
        self._stream = CitationStream(aliases, label)

    def add_earlier_usage(self, earlier: Iterable[StoredEvent]) -> None:
        """Counts what was reported for the replies of earlier turns of the conversation."""
        for event in earlier:
            if isinstance(event, ReplyCompleted):
                self._used_in_conversation.add(
                    event.usage, model=event.model, provider=event.provider
                )

    def add_text(self, bubble: str, text: str) -> None:
        """Shows a piece of a bubble's text, with its citations; what is shown is stored soon."""
        if self._held:
            self._show_held()
        if bubble != self._unfinished[0]:
            self._unfinished = (bubble, [])
        self._unfinished[1].append(text)
        self._writer.note_progress()
        parts = self._stream.feed(text)
        if parts:
            if not self._has_text:
                self._has_text = True
                self._observer.record_first_text()
            self.feed.put(TextDelta(bubble=bubble, parts=parts))

    def withdraw_text(self, bubble: str) -> None:
        """Takes back a bubble's text so far."""
        self._stream.end()
        self._unfinished = ("", [])
        self.feed.put(TextWithdrawn(bubble=bubble))

    def show_suggestions(self, questions: Sequence[str]) -> None:
        """Shows follow-up questions; they are stored with the turn's end."""
        suggested = QuestionsSuggested(questions=tuple(questions))
        self._suggested = suggested if questions else None
        self._held.append(suggested)

    @property
    def usage(self) -> TokenUsage:
        """Tokens of all model calls of this turn."""
        return self._used.usage

    def record_model_call(self, call: ModelCalled) -> None:
        """Adds to the one count that budget, quota, costs, log and usage frame read."""
        self._steps += 1
        if call.reply is not None:
            self._model = call.reply.model or self._model
            self._provider = call.reply.provider or self._provider
        for account in (self._used, self._used_in_conversation):
            account.add(call.usage, model=self._model, provider=self._provider)
        if self._counts_for_quota:
            self._writer.set_tokens_used(self.usage.total_tokens)
        self._observer.record_event(call)

    async def emit(self, event: StoredEvent) -> None:
        """Stores an event, then shows it; or stores it later while the database is unavailable.

        New aliases are stored before it. A reply without calls is most likely the last event, so it
        is stored and shown with the turn's end; that the trace was read is shown at once and stored
        with the next event. Raises TurnLost.
        """
        if isinstance(event, ReplyCompleted):
            self._stream.end()
            self._unfinished = ("", [])
            text = self._aliases.to_tokens(event.text)
            event = event.model_copy(update={"text": text, "cited": self._find_labels(text)})
            self.has_reply = self.has_reply or bool(text or event.calls)
        named = AliasesAssigned(
            ids=self._aliases.take_new_spans(), traces=self._aliases.take_new_traces()
        )
        self._observer.record_event(event)
        stored = [*([named] if named.ids or named.traces else []), event]
        if isinstance(event, ReplyCompleted) and not event.calls:
            self._writer.add_later(*stored)
            self._show_held()
            self._held.append(event)
            return
        if isinstance(event, TraceRead):
            self._writer.add_later(*stored)
        else:
            with anyio.CancelScope(shield=True):
                await self._writer.add(*stored)
        if isinstance(event, ToolCompleted):
            self._tools.append(event.name)
        self._show_held()
        self.feed.put(event)

    def _show_held(self) -> None:
        """Shows what waited for the turn's end."""
        for event in self._held:
            self.feed.put(event)
        self._held.clear()

    def _dump_unfinished(self) -> str:
        """The reply that is under way as JSON, "" for none."""
        bubble, pieces = self._unfinished
        text = self._aliases.to_tokens("".join(pieces))
        if not text.strip():
            return ""
        cited = self._find_labels(text)
        reply = ReplyCompleted(bubble=bubble, text=text, cited=cited, complete=False)
        return dump_event(shrink_event(reply, _UNFINISHED_BYTES))

    def _find_labels(self, text: str) -> dict[str, str]:
        return dict(
            find_citation_labels(text, span=self._label_of, trace=self._aliases.trace_label)
        )

    def stop(self, reason: TerminalEvent | None = None) -> None:
        """Ends the turn now; the text so far and the terminal event are still stored."""
        if reason is not None:
            self._reason = reason
        self._scope.cancel()

    def disconnect_reader(self) -> None:
        """Stops the turn since its reader disconnected, which is also what the Stop button does."""
        self.feed.abandon()
        self.stop()

    async def run(self, answer: AnswerTurn) -> None:
        """Runs `answer` and ends with exactly one terminal event, whatever happens."""
        started_at = anyio.current_time()
        ending: TerminalEvent = _INTERNAL_ERROR
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._writer.run)
                ending = await self._run_answer(answer)
                with anyio.CancelScope(shield=True):
                    ending = await self._store_ending(ending)
                group.cancel_scope.cancel()
        except Exception:
            log.exception("turn_crashed", **self._label)
        finally:
            self._show_held()
            if self.usage.total_tokens:
                turn, conversation = self._used.totals(), self._used_in_conversation.totals()
                self.feed.put(UsageReported(turn=turn, conversation=conversation))
            self.feed.put(ending)
            self.feed.close()
            self._observer.record_end(ending)
            self.ended.set()
            self._log_end(ending, anyio.current_time() - started_at)

    async def _run_answer(self, answer: AnswerTurn) -> TerminalEvent:
        with self._scope:
            try:
                await answer(self)
            except OpikAssistError as error:
                if isinstance(error, ModelFailed) and error.setting:
                    fields = {"reason": error.reason, "check_setting": error.setting}
                    log.warning("model_failed", **fields, **self._label)
                return _build_failure(error, self._request_id)
            except Exception:
                log.exception("turn_crashed", **self._label)
                return _INTERNAL_ERROR
            return TurnFinished()
        return self._reason

    async def _store_ending(self, ending: TerminalEvent) -> TerminalEvent:
        """Stores the terminal event; a turn that lost its conversation writes no event."""
        last = TurnEnding(ending, self.usage, self._model, self._suggested)
        seconds = _SHUTDOWN_STORE_SECONDS if ending is SHUTTING_DOWN else self._timeouts.end
        async with anyio.create_task_group() as group:
            group.start_soon(self._show_held_in_time)
            try:
                stored = await self._writer.close(last, seconds=seconds)
            except TurnLost:
                return _CONVERSATION_LOST
            finally:
                group.cancel_scope.cancel()
        return ending if stored or ending is _CONVERSATION_LOST else _note_not_stored(ending)

    def _log_end(self, ending: TerminalEvent, seconds: float) -> None:
        log.info(
            "turn_ended",
            **self._label,
            outcome=ending.code if isinstance(ending, TurnFailed) else ending.type,
            model=self._model,
            steps=self._steps,
            tools=self._tools,
            prompt_tokens=self.usage.prompt_tokens,
            completion_tokens=self.usage.completion_tokens,
            tokens_estimated=self.usage.estimated,
            ms=round(seconds * 1000),
        )

    async def _show_held_in_time(self) -> None:
        """Lets no reader wait for a database that takes long."""
        if not self._writer.database_failing:
            await anyio.sleep(self._timeouts.event)
        self._show_held()


def _note_not_stored(ending: TerminalEvent) -> TerminalEvent:
    """The terminal event of a turn that could not be stored completely."""
    if isinstance(ending, TurnFailed) and ending.code != DatabaseUnavailable.code:
        return TurnFailed(code=ending.code, message=f"{ending.message} {_NOT_STORED_NOTE}")
    return _NOT_STORED if isinstance(ending, TurnFinished) else ending


def _build_failure(error: OpikAssistError, request_id: str) -> TurnFailed:
    if isinstance(error, TurnLost):
        return _CONVERSATION_LOST
    return TurnFailed(code=error.reason, message=error.user_message(request_id))
