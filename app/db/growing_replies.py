"""Stores the replies that are under way, those of all turns of this process in one transaction.

By themselves they would take a fifth of the CPU of their streams.
"""

import asyncio
from functools import partial
from typing import Protocol

from app.db.event_rows import TurnKey
from app.db.transactions import Transactions
from app.db.turn_log import keep_unfinished
from app.errors import DatabaseUnavailable

PROGRESS_SECONDS = 1.0
"""How soon words that are shown, and tokens that are used, are stored: what a killed process loses
at most, and one write a second for all answers that take longer."""
_MOST_TOGETHER = 10
"""In one transaction: it holds their conversations, and the event loop while they are written as
JSON."""


class GrowingTurn(Protocol):
    """The writer of a turn: one at a time stores the words of all."""

    @property
    def key(self) -> TurnKey:
        """Whose words it stores."""

    def store_soon(self) -> None:
        """Stores what there is of its own."""

    def store_all(self) -> bool:
        """Stores what there is of its own, then calls `GrowingReplies.store`; False where it has
        ended."""

    def begin_storing(self) -> str | None:
        """Its reply under way as JSON, "" for none, and nothing else is stored of its turn until
        `end_storing`. None where there is nothing to store now."""

    def end_storing(self, stored: str | None) -> None:
        """`stored` is the reply, None where that failed."""


class GrowingReplies:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._turns: dict[GrowingTurn, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, turn: GrowingTurn) -> None:
        """Its reply has grown: it is stored within PROGRESS_SECONDS."""
        self._turns[turn] = None
        if self._timer is None:
            self._timer = self._ask_within(PROGRESS_SECONDS)

    def discard(self, turn: GrowingTurn) -> None:
        """It has stored its reply by itself, or has ended."""
        self._turns.pop(turn, None)

    async def store(self) -> None:
        """Stores the replies that have grown; turns for which that fails try by themselves."""
        storing: dict[TurnKey, tuple[GrowingTurn, str]] = {}
        for turn in list(self._turns)[:_MOST_TOGETHER]:
            del self._turns[turn]
            if (reply := turn.begin_storing()) is not None:
                storing[turn.key] = (turn, reply)
        if self._turns and self._timer is None:
            self._timer = self._ask_within(0)
        stored: set[TurnKey] = set()
        try:
            if storing:
                replies = {key: reply for key, (_, reply) in storing.items()}
                stored = await self._transactions.run(partial(keep_unfinished, replies=replies))
        except DatabaseUnavailable:
            pass
        finally:
            for key, (turn, reply) in storing.items():
                turn.end_storing(reply if key in stored else None)
                if key not in stored:
                    turn.store_soon()

    def scatter(self) -> None:
        """Lets each turn store its reply by itself, since the database does not answer."""
        turns, self._turns = self._turns, {}
        for turn in turns:
            turn.store_soon()

    def ask_another(self) -> None:
        """Asks a turn to store all, in place of one that has ended."""
        while self._turns and not (turn := next(iter(self._turns))).store_all():
            self.discard(turn)

    def _ask_within(self, seconds: float) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, self._ask_one)

    def _ask_one(self) -> None:
        self._timer = None
        self.ask_another()
