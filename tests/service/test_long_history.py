"""A history that is long: in pages, off the event loop, and within the limits of its reader."""

import threading
from typing import Any
from unittest.mock import patch

import anyio

from app.conversation.prices import PriceTable
from app.web import history_response
from testkit import credentials
from testkit.scripted_chat import answer
from testkit.service import Service, running, wait_until

ANNA = {"Cookie": f"sessionToken={credentials.ANNA}"}


async def read_page(service: Service, **query: Any) -> dict[str, Any]:
    response = await service.http.get(service.session(), params=query, headers=service.headers)
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    return page


async def test_earlier_turns_are_on_pages_of_their_own(migrated_sqlite_uri: str) -> None:
    with patch("app.db.log_reader._FIRST_ROWS", 6):
        async with running(migrated_sqlite_uri, history_characters=1) as service:
            service.chat.scripts = [answer(f"answer {number}") for number in range(5)]
            for number in range(5):
                await service.ask(f"question {number}")
            pages = [await read_page(service)]
            while "earlier" in pages[0]:
                pages.insert(0, await read_page(service, before=pages[0]["earlier"]))
            shown = [each["content"] for page in pages for each in page["content"]]
            wrong = await service.http.get(service.session(), params={"before": "x"})

    assert len(pages) > 2
    assert shown == [f"{who} {n}" for n in range(5) for who in ("question", "answer")]
    assert wrong.status_code == 422
    assert "`earlier`" in wrong.json()["message"]


async def test_a_history_that_is_rendered_holds_up_nothing_and_counts_for_its_reader(
    migrated_sqlite_uri: str,
) -> None:
    released, rendering = threading.Event(), threading.Event()
    render = history_response.render_history

    def render_slowly(*arguments: Any) -> Any:
        rendering.set()
        released.wait(60)
        return render(*arguments)

    async with running(migrated_sqlite_uri, user_turns=2, busy_wait_seconds=0.1) as service:
        service.headers = ANNA
        await service.ask()
        responses: list[int] = []

        async def read() -> None:
            response = await service.http.get(service.session(), headers=service.headers)
            responses.append(response.status_code)

        with patch.object(history_response, "render_history", render_slowly):
            async with anyio.create_task_group() as group:
                for _ in range(3):
                    group.start_soon(read)
                await wait_until(lambda: responses)
                assert responses == [429]
                assert rendering.is_set()
                assert (await service.ask()).error is None
                released.set()
        assert sorted(responses) == [200, 200, 429]
        assert len(await service.history()) == 4


async def test_costs_of_a_long_conversation_are_computed_off_the_event_loop(
    migrated_sqlite_uri: str,
) -> None:
    threads: list[int] = []
    compute_cost = PriceTable.compute_cost

    def compute_noting(*arguments: Any, **more: Any) -> Any:
        threads.append(threading.get_ident())
        return compute_cost(*arguments, **more)

    async with running(migrated_sqlite_uri) as service:
        await service.ask()
        with (
            patch("app.conversation.conversations.PRICED_INLINE_EVENTS", 0),
            patch("app.conversation.answer.PRICED_INLINE_EVENTS", 0),
            patch.object(PriceTable, "compute_cost", compute_noting),
        ):
            await read_page(service)
            assert len(threads) == 1
            await service.ask()
    assert threading.get_ident() not in threads[:2]
