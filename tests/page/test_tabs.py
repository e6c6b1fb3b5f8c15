"""Conversations that another tab, or another link, has to do with."""

import asyncio

import pytest
from playwright.async_api import expect

from standin.chat import text
from testkit.scripted_chat import answer
from testkit.service import TRACE_ID, span_id
from tests.page.browser import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_link_to_a_deleted_conversation_leads_to_a_new_one(visit: Visit) -> None:
    await visit.page.goto(f"{visit.url}/?trace={TRACE_ID}&conversation={span_id(99)}")
    await expect(visit.chat.get_by_text("no such conversation")).to_be_visible()
    await visit.chat.get_by_role("button", name="New conversation").click()
    await expect(visit.chat.get_by_text("What do you want to know?")).to_be_visible()
    await visit.ask("Why?")
    await visit.answered()
    await expect(visit.messages.last).to_have_text("It was the tool.")


async def test_an_answer_that_another_tab_streams_is_shown_when_it_is_complete(
    visit: Visit,
) -> None:
    spoken = asyncio.Event()
    visit.service.chat.scripts = [[text("It was "), spoken, *answer("the tool.")]]
    await visit.open_trace()
    await visit.ask("Why?")
    await expect(visit.messages.last).to_have_text("It was")
    other = await visit.page.context.new_page()
    await other.goto(visit.page.url)
    chat = other.get_by_role("region", name="Chat")
    await expect(chat.get_by_text("Thinking")).to_be_visible()
    await expect(chat.get_by_role("button", name="Answer again")).to_have_count(0)
    spoken.set()
    await expect(chat.locator(".bubble").last).to_have_text("It was the tool.")
    await expect(chat.get_by_text("Thinking")).to_have_count(0)
    await expect(chat.get_by_role("button", name="Answer again")).to_be_visible()
