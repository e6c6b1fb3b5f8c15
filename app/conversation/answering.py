"""Answers one question: trace on the bench, log folded into messages, then the loop."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.agent.budget import Budget, Limits
from app.agent.loop import run_turn
from app.agent.ports import Model
from app.agent.prompt import Fence
from app.caller import Caller, Owner
from app.conversation.history import aliases_of, fold
from app.conversation.ports import OpenBench
from app.conversation.token_usage import Price
from app.conversation.turn import Turn
from app.db.store import Conversation, Store
from app.events import TraceRead
from app.messages import System, User


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, with all that is needed to answer it."""

    caller: Caller
    owner: Owner
    trace_id: str
    question: str
    conversation: Conversation
    model: Model


class Answering:
    def __init__(
        self,
        store: Store,
        open_bench: OpenBench,
        *,
        system: str,
        limits: Limits,
        prices: Mapping[str, Price],
        clock: Callable[[], float],
    ) -> None:
        """`system` is the model's instructions."""
        self._store = store
        self._open_bench = open_bench
        self._system = System(system)
        self._limits = limits
        self._prices = prices
        self._clock = clock

    async def answer(self, asked: Asked, turn: Turn) -> None:
        """Runs the loop and tells the turn; raises what ends the turn in words."""
        logged = await self._store.events(asked.conversation.id)
        aliases = aliases_of([each.event for each in logged])
        bench = await self._open_bench(asked.caller, asked.owner, asked.trace_id, aliases)
        await turn.emit(TraceRead(project_id=bench.project_id, spans=bench.span_count))
        turn.cite(aliases, bench.label)
        earlier = [each.event for each in logged if each.turn_id != turn.key.turn_id]
        turn.charge(earlier, self._prices)
        fence = Fence(asked.conversation.marker)
        outline, before = fence.outline(bench.outline), fold(earlier, aliases)
        await run_turn(
            [self._system, outline, *before, User(asked.question)],
            model=asked.model,
            toolbox=bench.toolbox,
            fence=fence,
            budget=Budget(self._limits, clock=self._clock),
            sink=turn,
        )
        turn.suggest(bench.suggestions)
