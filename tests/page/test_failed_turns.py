"""Answers that failed or were stopped: what is heard of them, and what a reload shows."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from standin.chat import ChatError, text
from testkit.scripted_chat import answer
from testkit.service import OTHER_TRACE_ID, record_trace
from tests.page.browser import Visit, visiting

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


@asynccontextmanager
async def _visiting_after_an_answer(browser: Browser, database: Path) -> AsyncIterator[Visit]:
    """A trace with one answered question, in a workspace that may have one answer at a time."""
    async with visiting(browser, f"sqlite:///{database}", workspace_turns=1) as visit:
        await visit.open_trace()
        await visit.ask("Why?")
        await visit.answered()
        yield visit
        visit.check()


@asynccontextmanager
async def _refusing(visit: Visit) -> AsyncIterator[None]:
    """Until the block ends another question has the one answer that the workspace may have."""
    end = asyncio.Event()
    visit.service.chat.scripts += [[text("So far"), end], answer("Two.")]
    record_trace(visit.service.standin, OTHER_TRACE_ID)
    async with visit.service.asking(trace_id=OTHER_TRACE_ID) as other:
        await other.until(lambda stream: stream.reader.texts)
        yield
        end.set()
        await other.rest()


async def test_a_refused_question_is_asked_anew_after_the_turn_before_it(
    browser: Browser, database_file: Path
) -> None:
    async with _visiting_after_an_answer(browser, database_file) as visit:
        async with _refusing(visit):
            await visit.ask("And then?")
            await expect(visit.chat.get_by_text("The answer failed.")).to_be_attached()
        await visit.page.get_by_role("button", name="Answer again").last.click()
        await visit.answered()
        shown = ["Why?", "It was the tool.", "And then?", "Two."]
        await expect(visit.messages).to_have_text(shown)
        await visit.open_trace()
        await expect(visit.messages).to_have_text(shown)


async def test_a_refused_edit_still_replaces_its_question_when_it_is_asked_again(
    browser: Browser, database_file: Path
) -> None:
    async with _visiting_after_an_answer(browser, database_file) as visit:
        edit = visit.page.get_by_role("button", name="Edit this question")
        async with _refusing(visit):
            await edit.click()
            await visit.page.get_by_label("Edit your question").fill("Why exactly?")
            await visit.page.keyboard.press("Enter")
            await expect(visit.chat.get_by_text("The answer failed.")).to_be_attached()
        await edit.click()
        await visit.page.keyboard.press("Enter")
        await visit.answered()
        await expect(visit.messages).to_have_text(["Why exactly?", "Two."])
        await expect(visit.chat).to_contain_text("2 / 2")
