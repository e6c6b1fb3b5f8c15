"""What a turn stores, and in which order."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import anyio
from structlog.testing import capture_logs

from app.agent.citations import Aliases
from app.conversation.history import restore_aliases
from app.conversation.turn import Turn
from app.db.event_rows import EventEntry, TurnKey
from app.db.store import Store
from app.errors import ModelFailed
from app.events import AliasesAssigned, TurnFailed
from tests.conversation.turn_setup import logged, ran, tool_done, turn_on

SPANS = [str(UUID(int=number)) for number in range(10, 14)]


class Hesitant(Store):
    """A real store whose first write takes its time."""

    hesitated = False

    async def append(self, turn: TurnKey, entries: Sequence[EventEntry], **options: Any) -> None:
        if not self.hesitated:
            self.hesitated = True
            await anyio.sleep(0.05)
        await super().append(turn, entries, **options)


async def test_short_names_are_stored_in_their_order_by_calls_that_end_together(
    store: Store,
) -> None:
    turn = await turn_on(store, writing=Hesitant(store._transactions._engine))
    aliases = Aliases()
    turn.set_citations(aliases, lambda _: None)

    async def finish(number: int) -> None:
        aliases.name_span(SPANS[number])
        await turn.emit(tool_done(number))

    async def answer(_: Turn) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(finish, 0)
            await anyio.wait_all_tasks_blocked()
            group.start_soon(finish, 1)

    await ran(turn, answer)

    stored = await logged(store, turn.key)
    assert [each.ids for each in stored if isinstance(each, AliasesAssigned)] == [
        (SPANS[0],),
        (SPANS[1],),
    ]
    assert restore_aliases(stored).span_id("s2") == aliases.span_id("s2") == SPANS[1]


async def test_a_failure_logs_the_setting_that_its_message_does_not_name(store: Store) -> None:
    turn = await turn_on(store)

    async def answer(_: Turn) -> None:
        raise ModelFailed("Ask your administrator.", reason="no_model", setting="AGENT_MODEL")

    with capture_logs() as logs:
        (ending,) = await ran(turn, answer)

    assert isinstance(ending, TurnFailed)
    assert "AGENT_MODEL" not in ending.message
    (line,) = [each for each in logs if each["event"] == "model_failed"]
    assert (line["reason"], line["check_setting"]) == ("no_model", "AGENT_MODEL")
    assert line["turn"] == turn.key.turn_id
