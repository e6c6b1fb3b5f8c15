"""Statements, transactions and thread hops of a turn, counted in a service within this process."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from sqlalchemy import event
from sqlalchemy.engine import Engine

from bench.results import Results
from testkit.scripted_chat import DirectedChat, answer, calling
from testkit.service import running

_MOST_STATEMENTS = 15
_MOST_TRANSACTIONS = 4


async def measure_counts(results: Results) -> None:
    """Counts the second turn of a conversation on SQLite, with one tool call.

    A hop is each time that a thread hands something to the event loop. BEGIN and COMMIT are no
    statements.
    """
    results.add_title("of a turn with one tool call, on SQLite")
    turn = (calling(("get_trace_data", "{}")), answer("It was the tool."))
    chat = DirectedChat(*turn, *turn)
    with tempfile.TemporaryDirectory() as folder:
        async with running(f"sqlite:///{folder}/bench.db", chat=chat, log_level="ERROR") as service:
            async with service.asking() as stream:
                await stream.rest()
            with _counting() as counted:
                async with service.asking() as stream:
                    await stream.rest()
                await asyncio.sleep(0.2)
    results.add("statements", counted["statements"], most=_MOST_STATEMENTS)
    results.add("transactions", counted["transactions"], most=_MOST_TRANSACTIONS)
    results.add("thread hops", counted["hops"])


@contextmanager
def _counting() -> Iterator[Counter[str]]:
    counted: Counter[str] = Counter()

    def count_statement(*arguments: Any) -> None:
        counted["statements"] += not arguments[2].startswith(("BEGIN", "COMMIT", "ROLLBACK"))

    def count_transaction(*_: Any) -> None:
        counted["transactions"] += 1

    hand_over = asyncio.BaseEventLoop.call_soon_threadsafe

    def count_hop(self: Any, callback: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        counted["hops"] += 1
        return hand_over(self, callback, *arguments, **more)

    listeners = (("before_cursor_execute", count_statement), ("begin", count_transaction))
    for name, listener in listeners:
        event.listen(Engine, name, listener)
    with mock.patch.object(asyncio.BaseEventLoop, "call_soon_threadsafe", count_hop):
        yield counted
    for name, listener in listeners:
        event.remove(Engine, name, listener)
