"""What a reader of a turn sees, however slow."""

import itertools
import tracemalloc

import anyio
from hypothesis import given
from hypothesis import strategies as st

from app.citation_tokens import Citation
from app.conversation.feed import Feed
from app.events import ReplyCompleted, TextDelta, TurnFinished

CITED = Citation("span", "0199dead-0000-7000-8000-000000000001", "plan")


def delta(*parts: str | Citation, bubble: str = "b") -> TextDelta:
    return TextDelta(bubble=bubble, parts=parts)


async def drained(feed: Feed) -> list[object]:
    feed.close()
    events = []
    while not feed.ended:
        events.append(await feed.next(1))
    return events


async def test_waiting_deltas_of_one_bubble_join_into_one() -> None:
    feed = Feed()
    for parts in (["a"], ["b", CITED], [CITED, "c"], ["d"]):
        feed.put(delta(*parts))
    assert await drained(feed) == [delta("ab", CITED, CITED, "cd")]


def test_what_waits_for_a_reader_weighs_no_more_than_its_text() -> None:
    feed = Feed()
    tracemalloc.start()
    try:
        for _ in range(50_000):
            feed.put(delta("ab"))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 5 * 100_000


async def test_deltas_of_different_bubbles_and_other_events_keep_their_order() -> None:
    feed = Feed()
    closing = ReplyCompleted(bubble="b", text="a")
    last = (delta("x", bubble="c"), delta("y", bubble="c"), TurnFinished())
    for event in (delta("a"), closing, *last):
        feed.put(event)
    assert await drained(feed) == [delta("a"), closing, delta("xy", bubble="c"), TurnFinished()]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.text(max_size=3)), max_size=30))
async def test_no_text_is_lost_or_reordered(parts: list[tuple[str, str]]) -> None:
    feed = Feed()
    for bubble, text in parts:
        feed.put(delta(text, bubble=bubble))
    read = [each for each in await drained(feed) if isinstance(each, TextDelta)]
    texts = [text for each in read for text in each.parts]
    assert "".join(texts) == "".join(text for _, text in parts)
    assert all(a.bubble != b.bubble for a, b in itertools.pairwise(read))


async def test_a_silent_feed_gives_nothing_after_the_time_and_has_not_ended() -> None:
    feed = Feed()
    assert await feed.next(0.01) is None
    assert not feed.ended


async def test_a_waiting_reader_gets_an_event_as_it_comes() -> None:
    feed = Feed()
    read = []

    async def reader() -> None:
        read.append(await feed.next(5))

    async with anyio.create_task_group() as group:
        group.start_soon(reader)
        await anyio.wait_all_tasks_blocked()
        feed.put(delta("now"))
    assert read == [delta("now")]


async def test_nothing_is_kept_for_a_reader_who_left_or_after_the_end() -> None:
    feed = Feed()
    feed.put(delta("a"))
    feed.abandon()
    feed.put(delta("b"))
    assert await drained(feed) == []
    feed = Feed()
    feed.close()
    feed.put(delta("late"))
    assert feed.ended
