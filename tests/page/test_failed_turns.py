"""Answers that failed or were stopped: what is heard of them, and what a reload shows."""

import asyncio

import pytest
from playwright.async_api import expect

from standin.chat import ChatError, text
from testkit.scripted_chat import answer
from tests.page.browser import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_screen_reader_hears_that_an_answer_failed_or_was_stopped(visit: Visit) -> None:
    visit.service.chat.scripts = [
        [ChatError(401, "Incorrect API key")],
        [text("Half an answer"), asyncio.Event()],
    ]
    await visit.open_trace()
    heard = visit.chat.get_by_role("status").last
    await visit.ask("Why?")
    await expect(visit.chat.get_by_role("alert")).to_contain_text("Incorrect API key")
    await expect(heard).to_have_text("The answer failed.")
    await visit.ask("And now?")
    await expect(visit.messages.last).to_have_text("Half an answer")
    await expect(heard).to_have_text("Answering…")
    await visit.page.get_by_role("button", name="Stop").click()
    await expect(heard).to_have_text("The answer was stopped.")


async def test_a_reload_shows_a_failed_turn_as_it_was_shown_before(visit: Visit) -> None:
    visit.service.chat.scripts = [[text("Half of"), ChatError(500, "It *broke*")], answer("Whole.")]
    await visit.open_trace()
    await visit.ask("Why?")
    failed = visit.messages.and_(visit.page.locator(".failed"))
    await expect(visit.chat.get_by_text("The answer failed.")).to_be_attached()
    shown = await visit.messages.all_inner_texts()
    written = await failed.inner_html()
    assert "broke" in written
    await visit.open_trace()
    await expect(failed).to_have_count(1)
    assert await visit.messages.all_inner_texts() == shown
    assert await failed.inner_html() == written
    await expect(visit.chat.get_by_role("alert")).to_have_count(0)
    await visit.ask("And now?")
    await visit.answered()
    await expect(failed).to_have_count(1)
    await expect(visit.messages.last).to_have_text("Whole.")
