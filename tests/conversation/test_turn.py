"""What a running turn stores, and in which order."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import anyio

from app.agent.citations import Aliases
from app.caller import Owner
from app.conversation.history import aliases_of
from app.conversation.turn import Lease, Turn
from app.db.store import Entry, Store, TurnKey
from app.events import SpansNamed, ToolCompleted, TurnStarted

TRACE_ID = str(UUID(int=1))
SPANS = [str(UUID(int=number)) for number in range(10, 14)]


class Hesitant(Store):
    """A real store whose first write takes its time."""

    hesitated = False

    async def append(self, turn: TurnKey, entries: Sequence[Entry]) -> None:
        if not self.hesitated:
            self.hesitated = True
            await anyio.sleep(0.05)
        await super().append(turn, entries)


def tool_done(number: int) -> ToolCompleted:
    return ToolCompleted(call_id=f"c{number}", name="look", outcome="ok", text="x")


async def test_short_names_are_stored_in_their_order_by_calls_that_end_together(
    store: Store,
) -> None:
    hesitant = Hesitant(store._engine)
    owner, turn_id = Owner("w", "user:a"), str(uuid4())
    entry = Entry(str(uuid4()), TurnStarted(question="Why?"))
    conversation = await store.begin_turn(
        owner, TRACE_ID, turn_id=turn_id, entry=entry, lease_seconds=20, model="m"
    )
    assert conversation is not None
    key = TurnKey(conversation.id, turn_id)
    turn = Turn(hesitant, key, lease=Lease(), trace_id=TRACE_ID, workspace="w", request_id="r")
    aliases = Aliases()
    turn.cite(aliases, lambda _: None)

    async def finish(number: int) -> None:
        aliases.name(SPANS[number])
        await turn.emit(tool_done(number))

    async with anyio.create_task_group() as group:
        group.start_soon(finish, 0)
        await anyio.wait_all_tasks_blocked()
        group.start_soon(finish, 1)
    logged = [each.event for each in await store.events(conversation.id)]
    assert [each.ids for each in logged if isinstance(each, SpansNamed)] == [
        (SPANS[0],),
        (SPANS[1],),
    ]
    assert aliases_of(logged).span_id("s2") == aliases.span_id("s2") == SPANS[1]
