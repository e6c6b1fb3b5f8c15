"""Conversations that another tab, or another link, has to do with."""

import pytest
from playwright.async_api import expect

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
