"""Stores the replies that are under way, those of all turns of this process in one transaction.

By themselves they would take a fifth of the CPU of their streams.
"""

import asyncio
from collections.abc import Sequence
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
    """The writer of a turn whose reply grows."""

    @property
    def key(self) -> TurnKey:
        """Whose words they are."""

    def store_soon(self) -> None:
        """Stores by itself what there is."""

    def begin_storing(self) -> str | None:
        """The reply under way as JSON, "" for none. Until `end_storing`, nothing else of this turn
        is stored. None, without such an end, where there is nothing to store now."""

    def end_storing(self, stored: str | None) -> None:
        """`stored` is the reply, None where that failed."""


class GrowingReplies:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._turns: dict[GrowingTurn, None] = {}
        self._next: asyncio.TimerHandle | asyncio.Task[None] | None = None

    def add(self, turn: GrowingTurn) -> None:
        """Its reply has grown: it is stored within PROGRESS_SECONDS."""
        self._turns[turn] = None
        self._plan()

    def discard(self, turn: GrowingTurn) -> None:
        """It has stored its reply by itself, or has ended."""
        self._turns.pop(turn, None)

    def _plan(self) -> None:
        if self._turns and self._next is None:
            self._next = asyncio.get_running_loop().call_later(PROGRESS_SECONDS, self._begin)

    def _begin(self) -> None:
        self._next = asyncio.get_running_loop().create_task(self._store_all())

    async def _store_all(self) -> None:
        due, answers = list(self._turns), True
        try:
            for first in range(0, len(due), _MOST_TOGETHER):
                turns = [
                    each for each in due[first : first + _MOST_TOGETHER] if each in self._turns
                ]
                for turn in turns:
                    self.discard(turn)
                if answers:
                    answers = await self._store(turns)
                else:
                    _store_apart(turns)
        finally:
            self._next = None
            self._plan()

    async def _store(self, turns: Sequence[GrowingTurn]) -> bool:
        """Stores what these turns have; False where the database does not answer."""
        begun: dict[GrowingTurn, str] = {}
        stored: set[TurnKey] = set()
        try:
            for turn in turns:
                if (reply := turn.begin_storing()) is not None:
                    begun[turn] = reply
            if begun:
                replies = {turn.key: reply for turn, reply in begun.items()}
                stored = await self._transactions.run(partial(keep_unfinished, replies=replies))
        except DatabaseUnavailable:
            return False
        finally:
            for turn, reply in begun.items():
                turn.end_storing(reply if turn.key in stored else None)
            _store_apart([turn for turn in begun if turn.key not in stored])
        return True


def _store_apart(turns: Sequence[GrowingTurn]) -> None:
    """Lets each turn store its reply by itself: it notices what is wrong, and tries again."""
    for turn in turns:
        turn.store_soon()
