"""`python -m tests.page.screenshot [FILE]`: the README's picture, taken of the running demo."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page, expect

from tests.page.browser import DESKTOP, chromium

FILE = Path("docs/page.png")
START_SECONDS = 60
_PAGE = re.compile(r"^The page:\s+(\S+)")


@asynccontextmanager
async def demo() -> AsyncIterator[str]:
    """`python -m demo` in a process of its own; gives the page's URL."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "demo"), stdout=asyncio.subprocess.PIPE
    )
    try:
        yield await asyncio.wait_for(_url(process), START_SECONDS)
    finally:
        process.terminate()
        await process.communicate()


async def _url(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async for line in process.stdout:
        if found := _PAGE.match(line.decode()):
            return found[1]
    raise RuntimeError("The demo ended before it printed the URL of its page.")


async def ask_about_a_failure(page: Page, url: str) -> None:
    """Opens the first trace of the list that failed, asks the first starter question, waits."""
    await page.goto(url)
    await page.locator("tr", has=page.locator(".badge.bad")).first.get_by_role("link").click()
    # The demo itself has asked its question about one of them.
    await expect(page.locator(".chat[data-filled]")).to_be_visible()
    if not await page.locator(".transcript > *").count():
        await page.locator(".chat .chip").first.click()
        await expect(page.get_by_role("status")).to_have_text("The answer is complete.")


async def main(file: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    async with demo() as url, chromium() as browser:
        width, height = DESKTOP
        page = await browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(START_SECONDS * 1000)
        await ask_about_a_failure(page, url)
        failed = page.locator(".line", has=page.locator(".badge.bad")).last
        name = await failed.locator(".name").inner_text()
        await page.locator(".transcript").get_by_role("link", name=name).first.click()
        await page.locator(".picked .more h3").first.wait_for()
        await page.screenshot(path=file)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if sys.argv[1:] else FILE))
