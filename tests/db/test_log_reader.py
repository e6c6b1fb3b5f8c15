"""Reading a long conversation page by page."""

from collections.abc import Sequence

from app.db.store import Store
from app.events import LoggedEvent, ReplyCompleted, ToolCompleted, TurnStarted
from tests.db.writing import begin_free_turn, entry, finish_turn, reply

TURNS = 30
PAGE_CHARACTERS = 150_000


async def _store_turns(store: Store, characters: int) -> str:
    for number in range(TURNS):
        turn = await begin_free_turn(store, question=f"question {number}")
        result = ToolCompleted(call_id="c", name="t", outcome="ok", text="r" * characters)
        await store.append(turn, [entry(result), reply(f"answer {number} " + "x" * characters)])
        await finish_turn(store, turn)
    return turn.conversation_id


def _questions(events: Sequence[LoggedEvent]) -> list[str]:
    return [each.event.question for each in events if isinstance(each.event, TurnStarted)]


def _count_characters(events: Sequence[LoggedEvent]) -> int:
    return sum(len(each.event.text) for each in events if isinstance(each.event, ReplyCompleted))


async def test_a_long_log_is_read_whole_and_in_order(store: Store) -> None:
    log = await store.events(await _store_turns(store, 20_000))
    assert [each.sequence for each in log] == list(range(1, 4 * TURNS + 1))


async def test_pages_hold_whole_turns_newest_first_without_tool_results(store: Store) -> None:
    conversation_id = await _store_turns(store, 20_000)
    turns = list(await store.read_parents(conversation_id))
    # Every third turn is on another branch.
    branch = [turn_id for number, turn_id in enumerate(turns) if number % 3]
    questions: list[str] = []
    pages, before = 0, None
    while pages == 0 or before is not None:
        page = await store.read_page(
            conversation_id, set(branch), before=before, characters=PAGE_CHARACTERS
        )
        types = [each.event.type for each in page.events]
        assert types == ["turn_started", "reply_completed", "turn_finished"] * (len(types) // 3)
        # One query may bring more than is missing.
        assert _count_characters(page.events) < 3 * PAGE_CHARACTERS
        questions = _questions(page.events) + questions
        pages, before = pages + 1, page.earlier
    assert questions == [f"question {number}" for number in range(TURNS) if number % 3]
    assert pages > 1


async def test_a_turn_larger_than_a_page_comes_whole(store: Store) -> None:
    conversation_id = await _store_turns(store, 1)
    turn = await begin_free_turn(store, question="much")
    for _ in range(4):
        await store.append(turn, [reply("x" * 400_000)])
    await finish_turn(store, turn)
    turns = set(await store.read_parents(conversation_id))
    page = await store.read_page(conversation_id, turns, before=None, characters=100)
    assert _questions(page.events)[-1] == "much"
    assert [each.event.type for each in page.events if each.turn_id == turn.turn_id] == [
        "turn_started",
        *["reply_completed"] * 4,
        "turn_finished",
    ]
