"""Starts, stops, reads, rates and deletes a user's conversations about traces."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

import anyio
import anyio.abc
import structlog

from app.agent.citations import Aliases
from app.agent.context import TurnBudget
from app.caller import Caller, Owner
from app.conversation.admission import Admission
from app.conversation.answer import TurnPolicy, TurnRequest, answer_question
from app.conversation.branches import TurnTree
from app.conversation.history import restore_aliases
from app.conversation.owners import Owners
from app.conversation.ports import (
    Access,
    Observer,
    OpenedTrace,
    OpeningTrace,
    OpenModel,
    OpenTrace,
    TurnFacts,
)
from app.conversation.preparation import Preparation
from app.conversation.reading_limit import ReadingLimit
from app.conversation.summary import ConversationSummary, summarize_conversation
from app.conversation.token_usage import sum_by_turn
from app.conversation.trace_reading import TraceReading
from app.conversation.turn import SHUTTING_DOWN, Turn
from app.db.store import Store
from app.errors import NO_CONVERSATION, NO_TURN, NotFound, ShuttingDown
from app.events import LATEST_PLACE, Transcript, TurnPlace, TurnStarted
from app.messages import OfferedModel
from app.worker_threads import PRICED_INLINE_EVENTS, run_by_size

log = structlog.get_logger(__name__)

EXPORT_CHARACTERS = 5_000_000
"""Of the events in one export: thousands of printed pages, and seconds of CPU in a thread."""
HISTORY_CHARACTERS = 2_000_000
"""Of one page of a history: some thousand short turns, or sixty that fill several screens each."""


class Conversations:
    def __init__(
        self,
        store: Store,
        access: Access,
        *,
        open_trace: OpenTrace,
        preparation: Preparation,
        open_model: OpenModel,
        observer: Observer,
        policy: TurnPolicy,
        tasks: anyio.abc.TaskGroup,
    ) -> None:
        """`tasks` runs the turns; it outlives every request."""
        self._store = store
        self._access = access
        self._preparation = preparation
        self._turns: dict[str, Turn] = {}
        self._admission = Admission(
            store,
            policy.admission,
            lease_seconds=policy.timeouts.lease,
            running=self._turns,
        )
        self._open_model = open_model
        self._observer = observer
        self._policy = policy
        self._tasks = tasks
        self._draining = False
        self._reading = ReadingLimit()
        self._owners = Owners(store, access)
        self._traces = TraceReading(access, self._owners, self._admission, open_trace)

    async def start_turn(
        self,
        caller: Caller,
        trace_id: str,
        question: str,
        *,
        request_id: str,
        model: str | None = None,
        place: TurnPlace = LATEST_PLACE,
    ) -> Turn:
        """Starts a turn and returns it without waiting for the answer, which its feed brings.

        `model` names another model than the configured one.
        Raises RequestRefused where the caller may not ask this, and Unavailable, with a message for
        the user, where there is no answer now.
        """
        if self._draining:
            raise ShuttingDown(SHUTTING_DOWN.message)
        name = self._open_model.resolve_name(model)
        budget = TurnBudget(self._policy.limits)
        with self._admission.reserve_slot():
            with self._reading.until(budget.deadline):
                owner, opening = await self._traces.begin(caller, trace_id)
            try:
                conversation, key = await self._admission.begin_turn(
                    caller, owner, trace_id, question, model=name, place=place
                )
            except BaseException:
                opening.cancel()
                raise
            # No await from here on: a cancelled request would leave the conversation taken.
            facts = TurnFacts(
                key=key,
                trace_id=trace_id,
                owner=owner,
                request_id=request_id,
                question=question,
                model=name,
                first=conversation.is_new,
            )
            turn = self._create_turn(facts)
            self._turns[key.turn_id] = turn
        if self._draining:
            turn.stop(SHUTTING_DOWN)
        opened = self._open_model(caller, token=conversation.marker, requested=model)
        request = TurnRequest(question, conversation, opened, opening, budget)
        self._tasks.start_soon(self._run, turn, request)
        return turn

    async def read_question(self, caller: Caller, trace_id: str, place: TurnPlace) -> str:
        """The question of the turn that is replaced in this place; raises NotFound."""
        conversation_id, leaf = place.conversation_id, place.replaces
        transcript = await self.read_history(
            caller, trace_id, conversation_id=conversation_id, leaf=leaf, characters=0
        )
        for logged in transcript.events:
            if logged.turn_id == leaf and isinstance(logged.event, TurnStarted):
                return logged.event.question
        raise NotFound(NO_TURN)

    def check_model(self, requested: str | None) -> None:
        """Raises InvalidRequest where a question may not name this model."""
        self._open_model.resolve_name(requested)

    async def check_place(self, caller: Caller, trace_id: str, place: TurnPlace) -> None:
        """Raises NotFound where the caller cannot ask in this place, which only a program names."""
        if place == LATEST_PLACE:
            return
        await self._access.check(caller, trace_id, fresh=False)
        owner = await self._owners.identify(caller, trace_id=trace_id)
        await self._store.check_place(owner, trace_id, place)

    async def list_models(self, caller: Caller) -> Sequence[OfferedModel]:
        """The models that a question may name, and whether they work in the caller's workspace."""
        await self._owners.identify(caller)
        return await self._open_model.list_offered(caller)

    async def suggest_questions(self, caller: Caller, trace_id: str) -> Sequence[str]:
        """Suggests first questions about a trace. Loads the trace; raises like `analyse_trace`."""
        async with self._reading_alone(caller, trace_id) as (_, opening):
            opened = await opening.open(Aliases())
            await opened.complete()
            return opened.starting_questions

    @asynccontextmanager
    async def open_trace(
        self, caller: Caller, trace_id: str, aliases: Aliases
    ) -> AsyncIterator[OpenedTrace]:
        """Loads a trace with the caller's rights, for its tools without a turn.

        While it is open it counts as one of the questions that this process answers and as one of
        the traces that the caller loads; raises LimitReached where there are too many, and
        BackendUnavailable where it is open longer than a turn may take.
        """
        async with self._reading_alone(caller, trace_id) as (_, opening):
            yield await opening.open(aliases, complete=True)

    async def analyse_trace(self, caller: Caller, trace_id: str) -> Mapping[str, Any]:
        """Findings, notes and profile of a trace as a JSON value; no model is called.

        The aliases are those of the caller's conversation about the trace. Spans that have none
        there, and all spans where there is no conversation, get those that the outline of the next
        question will give them. Loads the trace, so raises LimitReached when this process answers
        too many questions or the caller loads too many traces, and BackendUnavailable where that
        takes longer than a turn may.
        """
        async with self._reading_alone(caller, trace_id) as (owner, opening):
            conversation = await self._store.find(owner, trace_id)
            logged = await self._store.events(conversation.id) if conversation else ()
            opened = await opening.open(restore_aliases([each.event for each in logged]))
            await opened.complete()
            return opened.describe_analysis()

    @asynccontextmanager
    async def _reading_alone(
        self, caller: Caller, trace_id: str
    ) -> AsyncIterator[tuple[Owner, OpeningTrace]]:
        """Reads a trace that no turn needs, as one of those of this caller."""
        async with self._admission.reserve_loading(caller):
            with self._reading.until(TurnBudget(self._policy.limits).deadline):
                async with self._traces.without_turn(caller, trace_id) as reading:
                    yield reading

    async def list_conversations(
        self, caller: Caller, trace_id: str
    ) -> Sequence[ConversationSummary]:
        """The caller's conversations about this trace, the newest first."""
        await self._access.check(caller, trace_id, fresh=False)
        owner = await self._owners.identify(caller, trace_id=trace_id)
        entries = await self._store.list_conversations(owner, trace_id)
        return [summarize_conversation(each) for each in entries]

    async def create_conversation(self, caller: Caller, trace_id: str) -> ConversationSummary:
        """Creates an empty conversation, from now on the current one; raises LimitReached."""
        await self._access.check(caller, trace_id, fresh=True)
        owner = await self._owners.identify(caller, trace_id=trace_id, fresh=True)
        quotas = self._admission.quotas_for(caller)
        created = await self._store.create_conversation(owner, trace_id, quotas)
        return summarize_conversation(created)

    async def rename_conversation(
        self, caller: Caller, trace_id: str, conversation_id: str, *, title: str
    ) -> ConversationSummary:
        """Sets a conversation's title, a cleaned one; NotFound where the caller has none such."""
        await self._access.check(caller, trace_id, fresh=False)
        owner = await self._owners.identify(caller, trace_id=trace_id)
        renamed = await self._store.rename_conversation(
            owner, trace_id, conversation_id, title=title
        )
        if renamed is None:
            raise NotFound(NO_CONVERSATION)
        return summarize_conversation(renamed)

    def reserve_reading(self, caller: Caller) -> AbstractAsyncContextManager[None]:
        """Counts a history as the caller's while it is read; raises LimitReached for too many."""
        return self._admission.reserve_reading(caller)

    async def read_history(
        self,
        caller: Caller,
        trace_id: str,
        *,
        conversation_id: str | None,
        leaf: str | None,
        before: int | None = None,
        characters: float | None = None,
    ) -> Transcript:
        """A branch of a conversation of the caller's about this trace: of the current one, or of
        the one with this id; the latest branch, or the one that ends with the turn `leaf`.

        The last turns of it, of HISTORY_CHARACTERS or of about `characters`; with `before`, the
        `earlier` of another page, those that precede that page. Raises NotFound where there is
        none. The reader may ask about the trace next, so it is prepared beside that.
        """
        newly_opened = await self._access.check(caller, trace_id, fresh=False)
        owner = await self._owners.identify(caller, trace_id=trace_id)
        if newly_opened and not self._draining:
            self._preparation.start(caller, owner, trace_id)
        conversation = await self._store.find(owner, trace_id, conversation_id)
        if conversation is None:
            raise NotFound(NO_CONVERSATION)
        tree = TurnTree(await self._store.read_parents(conversation.id))
        branch = tree.find_branch(leaf)
        if leaf is not None and not branch:
            raise NotFound(NO_TURN)
        page = await self._store.read_page(
            conversation.id,
            set(branch),
            before=before,
            characters=HISTORY_CHARACTERS if characters is None else characters,
        )
        usage = await run_by_size(
            len(page.events), PRICED_INLINE_EVENTS, sum_by_turn, page.events, self._policy.prices
        )
        return Transcript(
            conversation.id,
            trace_id,
            owner.workspace,
            page.events,
            running=bool(branch) and conversation.active_turn_id == branch[-1],
            siblings=tree.find_siblings(branch),
            usage=usage,
            leaf=branch[-1] if branch else None,
            earlier=page.earlier,
            rating=conversation.rating,
        )

    async def read_with_summary(
        self, caller: Caller, trace_id: str, *, conversation_id: str | None, leaf: str | None
    ) -> tuple[ConversationSummary, Transcript]:
        """The branch, of a very long one its end, with what the list shows of the conversation."""
        transcript = await self.read_history(
            caller,
            trace_id,
            conversation_id=conversation_id,
            leaf=leaf,
            characters=EXPORT_CHARACTERS,
        )
        owner = await self._owners.identify(caller, trace_id=trace_id)
        found = await self._store.list_conversations(owner, trace_id, transcript.conversation_id)
        if not found:
            raise NotFound(NO_CONVERSATION)
        return summarize_conversation(found[0]), transcript

    async def delete(
        self, caller: Caller, trace_id: str, conversation_id: str | None = None
    ) -> bool:
        """Deletes the caller's conversations about the trace, or the one with this id.

        Ends their running turns; the trace may be gone already. Returns whether there was any.
        """
        try:
            await self._access.check(caller, trace_id, fresh=False)
        except NotFound:
            log.info("conversation_deleted_without_trace", trace=trace_id)
        owner = await self._owners.identify(caller, trace_id=trace_id)
        deleted = await self._store.delete(owner, trace_id, conversation_id)
        for each_id, turn_id in deleted.items():
            turn = self._turns.get(turn_id or "")
            if turn is not None:
                turn.stop()
                await turn.ended.wait()
            self._observer.record_deletion(each_id)
        return bool(deleted)

    async def set_rating(
        self, caller: Caller, trace_id: str, value: int, conversation_id: str | None
    ) -> None:
        """Stores the user's rating: 1 thumb up, 0 down; NotFound without a conversation."""
        await self._access.check(caller, trace_id, fresh=False)
        owner = await self._owners.identify(caller, trace_id=trace_id)
        rated = await self._store.set_feedback(owner, trace_id, value, conversation_id)
        if rated is None:
            raise NotFound("There is no such conversation about this trace to rate.")
        self._observer.record_rating(owner, rated, value)

    async def clear_rating(
        self, caller: Caller, trace_id: str, conversation_id: str | None
    ) -> bool:
        """Removes the user's rating, if there is one; returns whether there is a conversation."""
        await self._access.check(caller, trace_id, fresh=False)
        owner = await self._owners.identify(caller, trace_id=trace_id)
        rated = await self._store.clear_feedback(owner, trace_id, conversation_id)
        if rated is not None:
            self._observer.record_rating_removed(owner, rated)
        return rated is not None

    def drain(self) -> None:
        """Accepts no more turns; running turns continue."""
        self._draining = True

    def stop_turns(self) -> None:
        """Accepts no more turns and ends the running ones with a message for their users."""
        self.drain()
        self._preparation.stop()
        self._reading.end_all(ShuttingDown(SHUTTING_DOWN.message))
        for turn in self._turns.values():
            turn.stop(SHUTTING_DOWN)

    async def wait_for_turns(self) -> None:
        """Waits until the turns that run now have stored their terminal events."""
        for turn in list(self._turns.values()):
            await turn.ended.wait()

    def _create_turn(self, facts: TurnFacts) -> Turn:
        return Turn(
            self._store,
            facts,
            timeouts=self._policy.timeouts,
            prices=self._policy.prices,
            counts_for_quota=self._policy.admission.quotas.workspace_tokens_per_day is not None,
            observer=self._observer.start_turn(facts),
        )

    async def _run(self, turn: Turn, request: TurnRequest) -> None:
        try:
            await turn.run(
                partial(
                    answer_question,
                    request,
                    store=self._store,
                    policy=self._policy,
                    reading=self._reading,
                )
            )
        finally:
            request.opening.cancel()
            self._turns.pop(turn.key.turn_id, None)
