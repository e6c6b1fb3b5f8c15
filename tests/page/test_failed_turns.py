"""Answers that failed or were stopped: what is heard of them, and what a reload shows."""

import asyncio

import pytest
from playwright.async_api import expect

from standin.chat import ChatError, text
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
