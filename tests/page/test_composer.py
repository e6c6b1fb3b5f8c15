"""The field for a question, and the one that edits it: what is too long is kept and not sent."""

import pytest
from playwright.async_api import Locator, expect

from app.web.requests import MESSAGE_CHARACTERS
from testkit.scripted_chat import answer
from tests.page.browser import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

_TOO_LONG = "This question is {} characters long; the limit is 32,000. Shorten it by {} to send it."


async def _paste(visit: Visit, field: Locator, text: str) -> None:
    await visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await visit.page.evaluate("text => navigator.clipboard.writeText(text)", text)
    await field.press("Control+V")


async def test_a_pasted_question_that_is_too_long_is_kept_and_not_sent_until_it_fits(
    visit: Visit,
) -> None:
    visit.service.chat.scripts = [answer("It was the tool.")]
    await visit.open_trace()
    field = visit.page.get_by_label("Your question")
    pasted = "Why? " + "🎸" * (MESSAGE_CHARACTERS - 6) + "xyz"
    await _paste(visit, field, pasted)
    await expect(field).to_have_value(pasted)
    await expect(field).to_have_accessible_description(_TOO_LONG.format("32,002", "2"))
    await expect(visit.page.get_by_role("button", name="Send")).to_be_disabled()
    await field.press("Enter")
    await expect(field).to_have_value(pasted)
    await expect(visit.messages).to_have_count(0)
    await field.press("Backspace")
    await expect(field).to_have_accessible_description(_TOO_LONG.format("32,001", "1"))
    await field.press("Backspace")
    await expect(field).to_have_accessible_description("")
    await field.press("Enter")
    await visit.answered()
    await expect(visit.messages).to_have_text([pasted[:-2], "It was the tool."])


@pytest.mark.slow
async def test_an_edited_question_that_is_too_long_is_not_asked(visit: Visit) -> None:
    visit.service.chat.scripts = [answer("One."), answer("Two.")]
    await visit.open_trace()
    await visit.ask("Why?")
    await visit.answered()
    await visit.page.get_by_role("button", name="Edit this question").click()
    field = visit.page.get_by_label("Edit your question")
    await _paste(visit, field, "x" * MESSAGE_CHARACTERS)
    await expect(field).to_have_accessible_description(_TOO_LONG.format("32,004", "4"))
    await expect(visit.page.get_by_role("button", name="Ask again")).to_be_disabled()
    await field.press("Enter")
    await field.fill("Why exactly?")
    await field.press("Enter")
    await expect(visit.messages).to_have_text(["Why exactly?", "Two."])
