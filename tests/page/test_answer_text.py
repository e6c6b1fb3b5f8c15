"""How the Markdown of an answer is shown: tables, lists with boxes, texts from right to left."""

import pytest
from playwright.async_api import Locator, expect

from testkit.scripted_chat import answer
from tests.page.browser import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

_TABLE = """\
| Span | Duration | What happened in it, in words that take more than one line |
| --- | --- | --- |
| lookup_order | 31 ms | KeyError in a_long_name_a_long_name_a_long_name_a_long_name_a_long_name |
"""
_LINES = """each => {
  const range = document.createRange();
  range.selectNodeContents(each);
  return new Set([...range.getClientRects()].map(({ top }) => top)).size;
}"""
_ARABIC = """\
فشلت الخطوة [s1] لأن المفتاح `orders` غير موجود.

- أولاً: تحقق من المفتاح

| الاسم | المدة |
| --- | --- |
| lookup | 31 ms |

It failed.
"""
_DIRECTION = "each => getComputedStyle(each).direction"


async def _answered(visit: Visit, text: str, question: str = "Why?") -> Locator:
    """The bubble of an answer with this text."""
    visit.service.chat.scripts = [answer(text)]
    await visit.open_trace()
    await visit.ask(question)
    await visit.answered()
    return visit.messages.last


@pytest.mark.slow
async def test_a_table_breaks_no_word_and_scrolls_where_it_is_too_wide(phone: Visit) -> None:
    bubble = await _answered(phone, _TABLE)
    for text in ("Span", "Duration", "lookup_order"):
        cell = bubble.locator("th, td").filter(has_text=text).first
        assert await cell.evaluate(_LINES) == 1, text
    wide = "() => document.documentElement.scrollWidth - innerWidth"
    assert await phone.page.evaluate(wide) <= 0


@pytest.mark.slow
async def test_a_list_of_tasks_shows_which_are_done(visit: Visit) -> None:
    bubble = await _answered(visit, "- [ ] look again\n- [x] **found**\n")
    await expect(bubble.get_by_role("listitem")).to_have_text(["☐ look again", "☑ found"])


@pytest.mark.slow
async def test_a_text_from_right_to_left_is_shown_so_and_code_is_not(visit: Visit) -> None:
    bubble = await _answered(visit, _ARABIC, question="لماذا فشل الطلب؟")
    for place in ("p >> nth=0", "ul", "table", "th >> nth=0"):
        assert await bubble.locator(place).evaluate(_DIRECTION) == "rtl", place
    for place in ("p >> nth=1", "code"):
        assert await bubble.locator(place).evaluate(_DIRECTION) == "ltr", place
    assert await visit.messages.first.evaluate(_DIRECTION) == "rtl"
