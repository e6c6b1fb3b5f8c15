"""What the page reads of a conversation's history while another read is on its way, or fails."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from testkit.scripted_chat import answer
from testkit.service import TRACE_ID
from tests.page.browser import Visit, visiting

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_version_that_was_chosen_last_is_shown(visit: Visit) -> None:
    visit.service.chat.scripts = [answer("One."), answer("Two.")]
    await visit.open_trace()
    await visit.ask("Why?")
    await visit.answered()
    await visit.page.get_by_role("button", name="Answer again").click()
    await expect(visit.chat).to_contain_text("2 / 2")
    shown = await visit.page.evaluate(
        """async ([assets, trace]) => {
             const { Conversation } = await import(assets + "/conversation.js");
             const conversation = new Conversation(trace, undefined, () => {});
             await conversation.load();
             const [one, two] = conversation.turns[0].leaves;
             const send = fetch;
             const { promise, resolve } = Promise.withResolvers();
             globalThis.fetch = async (url, options) => {
               if (url.includes(one)) await promise;
               return send(url, options);
             };
             const late = conversation.load(one);
             await conversation.load(two);
             resolve();
             await late;
             return conversation.turns[0].parts[0].text;
           }""",
        [await visit.assets(), TRACE_ID],
    )
    assert shown == "Two."


async def test_earlier_questions_are_shown_once_and_again_after_a_failure(
    browser: Browser, database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.db.log_reader._FIRST_ROWS", 6)
    database = f"sqlite:///{database_file}"
    async with visiting(browser, database, history_characters=1) as visit:
        for number in range(5):
            await visit.service.ask(f"Question {number}?")
        await visit.open_trace()
        shown = await visit.messages.count()
        earlier = visit.page.get_by_role("button", name="Show earlier questions")
        await visit.page.route("**/session/*?*before=*", lambda route: route.abort(), times=1)
        await earlier.click()
        await expect(visit.chat.get_by_role("alert")).to_contain_text("cannot be reached")
        visit.faults.clear()  # the request that was aborted
        await earlier.evaluate("each => { each.click(); each.click(); }")
        await expect(visit.messages).to_have_count(shown + 2)
        await expect(visit.chat.get_by_role("alert")).to_have_count(0)
        visit.check()
