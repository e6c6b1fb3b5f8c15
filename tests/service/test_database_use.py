"""How often a turn goes to its database."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import anyio.to_thread
from sqlalchemy import Engine, event

from testkit.scripted_chat import answer, calling
from testkit.service import running


@contextmanager
def counting() -> Iterator[Counter[str]]:
    """Counts statements, transactions, and calls in worker threads by the kind of their work."""
    counted: Counter[str] = Counter()

    def count_statement(*arguments: Any) -> None:
        counted["statements"] += not arguments[2].startswith("BEGIN")

    def count_transaction(*_: Any) -> None:
        counted["transactions"] += 1

    run = anyio.to_thread.run_sync

    async def count_hop(work: Any, *arguments: Any, **options: Any) -> Any:
        counted["hops"] += getattr(work, "__name__", "") == "_run_here"
        return await run(work, *arguments, **options)

    listeners = (("before_cursor_execute", count_statement), ("begin", count_transaction))
    for name, listener in listeners:
        event.listen(Engine, name, listener)
    try:
        with patch("anyio.to_thread.run_sync", count_hop):
            yield counted
    finally:
        for name, listener in listeners:
            event.remove(Engine, name, listener)


async def test_a_turn_takes_few_transactions_and_statements(database_uri: str) -> None:
    async with running(database_uri) as service:
        # The start's own work, and what is asked once for a process.
        await service.ask()
        for _ in range(2):
            service.chat.scripts = [
                calling(("get_span_details", '{"span_ids": ["s3"]}')),
                answer("It was ", "the tool."),
            ]
            with counting() as counted:
                reader = await service.ask()
            assert reader.texts[-1] == "It was the tool."
            assert counted["transactions"] <= 4, counted
            assert counted["statements"] <= 15, counted
            assert counted["hops"] == (counted["transactions"] if "sqlite" in database_uri else 0)
