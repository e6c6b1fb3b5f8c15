"""The page for everyone: axe-core's rules, keyboard alone, narrow screens, the reader's locale."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from testkit.scripted_chat import answer, calling
from testkit.service import PREFIX, TRACE_ID, running, span_id
from tests.page.browser import DESKTOP, PATIENCE_MS, Visit

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]

_NARROW = (375, 720)


@contextlib.asynccontextmanager
async def _tab(
    browser: Browser, database_file: Path, size: tuple[int, int], scheme: str, locale: str = "en-GB"
) -> AsyncIterator[Visit]:
    """A tab whose policy lets axe-core run."""
    async with running(f"sqlite:///{database_file}") as service:
        context = await browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
            bypass_csp=True,
            locale=locale,
        )
        context.set_default_timeout(PATIENCE_MS)
        visit = Visit(f"{service.url}{PREFIX}/ui", service, await context.new_page())
        visit.watch()
        yield visit
        await context.close()
        visit.check()


async def _findings(page: Page) -> list[str]:
    """What axe-core holds to be wrong, and whether the page is wider than its window."""
    results = await Axe().run(page)
    found = [
        f"{each['impact']} {each['id']}: {each['nodes'][0]['html']}"
        for each in results.response["violations"]
    ]
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    return found if await page.evaluate(wide) <= 0 else [*found, "wider than the window"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, _NARROW], ids=["desktop", "narrow"])
async def test_axe_finds_nothing_in_any_view(
    browser: Browser, database_file: Path, size: tuple[int, int], scheme: str
) -> None:
    async with _tab(browser, database_file, size, scheme) as visit:
        page = visit.page
        await visit.open("/")
        await expect(page.get_by_role("table").first).to_be_visible()
        assert await _findings(page) == []
        read = ("get_span_details", f'{{"span_id": "{span_id(3)}"}}')
        table = "| a | b |\n|--|--|\n| `x` | **y** |\n\n```\ncode\n```\n\n> quoted\n\n[s1], [s3]"
        visit.service.chat.scripts = [calling(read, status="I look."), answer(table)]
        await visit.open_trace()
        await visit.ask("Why?")
        await visit.answered()
        await page.get_by_role("button", name="Conversations (1)").click()
        assert await _findings(page) == []
        await visit.open(f"/?trace={TRACE_ID}&span={span_id(3)}")
        await expect(page.get_by_role("region", name="Span", exact=True)).to_contain_text("8812")
        assert await _findings(page) == []


async def test_a_question_is_asked_and_its_span_opened_by_keyboard_alone(
    browser: Browser, database_file: Path
) -> None:
    async with _tab(browser, database_file, DESKTOP, "light") as visit:
        page = visit.page
        visit.service.chat.scripts = [answer("See [s1], [s2], [s3], [s4].")]
        await visit.open("/")
        await page.get_by_role("link", name="answer-question").focus()
        await page.keyboard.press("Enter")
        field = page.get_by_label("Your question")
        await expect(field).to_be_focused()
        await page.keyboard.type("Why?")
        await page.keyboard.press("Enter")
        await visit.answered()
        await expect(field).to_be_focused()
        link = visit.messages.last.get_by_role("link", name="lookup_order")
        for _ in range(30):
            await page.keyboard.press("Shift+Tab")
            if await link.evaluate("each => each === document.activeElement"):
                break
        await page.keyboard.press("Enter")
        details = page.get_by_role("region", name="Span", exact=True)
        await expect(details).to_contain_text("KeyError")


async def test_the_question_is_a_few_steps_away_however_large_the_trace(
    browser: Browser, database_file: Path
) -> None:
    async with _tab(browser, database_file, DESKTOP, "light") as visit:
        await visit.open_trace()
        first = "document.querySelector('a, button, input, [tabindex=\"0\"]')"
        assert await visit.page.evaluate(f"{first}.textContent") == "Skip to the content"
        await visit.page.evaluate(f"{first}.focus()")
        await visit.page.keyboard.press("Tab")
        skip = visit.page.get_by_role("link", name="Skip to the question")
        await expect(skip).to_be_focused()
        await visit.page.keyboard.press("Enter")
        await expect(visit.page.get_by_label("Your question")).to_be_focused()


async def test_numbers_and_times_are_written_in_the_browser_s_locale(
    browser: Browser, database_file: Path
) -> None:
    async with _tab(browser, database_file, DESKTOP, "light", locale="de-DE") as visit:
        await visit.open("/")
        row = visit.page.get_by_role("row").filter(has_text="answer-question")
        await expect(row).to_contain_text("4,00 Sek.")
        await expect(row.locator("time")).to_contain_text("vor")
        assert TRACE_ID in str(await row.get_by_role("link").first.get_attribute("href"))
