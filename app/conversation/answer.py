"""Answers one question: reads the trace and the conversation, and runs the loop."""

from dataclasses import dataclass
from uuid import uuid4

from app.agent.context import TurnBudget, TurnLimits
from app.agent.loop import run_turn
from app.agent.ports import Model
from app.agent.prompt import DataFence
from app.conversation.admission import AdmissionLimits
from app.conversation.branches import build_tree, select_events
from app.conversation.event_writer import StorageTimeouts
from app.conversation.history import build_messages, restore_aliases
from app.conversation.ports import OpeningTrace
from app.conversation.prices import PriceTable
from app.conversation.reading_limit import ReadingLimit
from app.conversation.turn import Turn
from app.db.store import Store
from app.db.turn_log import Conversation
from app.errors import LimitReached, ModelFailed
from app.events import ReplyCompleted, TraceRead
from app.messages import System, User
from app.worker_threads import PRICED_INLINE_EVENTS, run_by_size

_NOT_PERMITTED = frozenset({"not_signed_in", "not_allowed"})
"""Failures of a caller who may perhaps no longer read the trace."""


@dataclass(frozen=True, slots=True)
class TurnPolicy:
    """How turns are admitted and run; `system` is the model's instructions."""

    limits: TurnLimits
    timeouts: StorageTimeouts
    system: str
    admission: AdmissionLimits
    prices: PriceTable


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """A question and what is needed to answer it."""

    question: str
    conversation: Conversation
    model: Model
    opening: OpeningTrace
    budget: TurnBudget


async def answer_question(
    request: TurnRequest, turn: Turn, *, store: Store, policy: TurnPolicy, reading: ReadingLimit
) -> None:
    """Loads the trace and the conversation and runs the loop; raises what ends the turn.

    Where no model says a word, the answer is what the analysis found, and the error below it says
    what to do.
    """
    with reading.until(request.budget.deadline):
        logged = await store.events_at_begin(request.conversation)
        aliases = restore_aliases([each.event for each in logged])
        opened = await request.opening.open(aliases)
    await turn.emit(TraceRead(project_id=opened.project_id, spans=opened.span_count))
    turn.set_citations(aliases, opened.label)
    await run_by_size(
        len(logged), PRICED_INLINE_EVENTS, turn.add_earlier_usage, [each.event for each in logged]
    )
    branch = build_tree(logged).find_branch(turn.key.turn_id)
    earlier = [each.event for each in select_events(logged, branch[:-1])]
    fence = DataFence(request.conversation.marker)
    messages = [
        System(policy.system),
        fence.build_outline_message(opened.outline),
        *build_messages(earlier, aliases),
        User(request.question),
    ]
    try:
        await run_turn(
            messages,
            model=request.model,
            toolbox=opened.toolbox,
            fence=fence,
            budget=request.budget,
            sink=turn,
        )
    except (ModelFailed, LimitReached) as failure:
        if not turn.has_reply and failure.reason not in _NOT_PERMITTED:
            text = opened.answer_without_model()
            await turn.emit(ReplyCompleted(bubble=str(uuid4()), text=text))
        raise
    turn.show_suggestions(opened.suggestions)
