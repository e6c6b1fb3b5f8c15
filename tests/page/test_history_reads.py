"""What the page reads of a conversation's history while another read is on its way, or fails."""


import pytest
from playwright.async_api import expect

from testkit.scripted_chat import answer
from testkit.service import TRACE_ID
from tests.page.browser import Visit

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
