"""`python -m tests.page.screenshot [FOLDER]`: the README's pictures, taken of the running demo.

`page.png` (the list), `waterfall.png` (a failed trace and its answer), and `page.webp`, a short
recording from the list to the answer. The recording needs Pillow, which the project does not.
"""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path

from playwright.async_api import Page, expect

from tests.page.browser import DESKTOP, chromium

FOLDER = Path("docs")
START_SECONDS = 60
FRAME_SECONDS = 0.4
STILL_SECONDS = 1.6  # of the pictures that show a result
RECORDING_SIZE = (960, 600)
_PAGE = re.compile(r"^The page:\s+(\S+)")


@asynccontextmanager
async def demo() -> AsyncIterator[str]:
    """`python -m demo` in a process of its own; gives the page's URL."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "demo", "--no-browser"), stdout=asyncio.subprocess.PIPE
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


class Recorder:
    """Takes pictures of a page and keeps them as the frames of a recording."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._frames: list[tuple[bytes, float]] = []

    async def take(self, seconds: float = STILL_SECONDS) -> None:
        """The page as it is now, shown for so long."""
        self._frames.append((await self._page.screenshot(), seconds))

    async def take_until(self, end: asyncio.Task[None]) -> None:
        """The page again and again until something has happened."""
        while not end.done():
            await self.take(FRAME_SECONDS)
            await asyncio.wait([end], timeout=FRAME_SECONDS)

    def save(self, file: Path) -> None:
        """Writes the recording, as WebP."""
        from PIL import Image

        frames = [
            Image.open(BytesIO(png)).convert("RGB").resize(RECORDING_SIZE, Image.Resampling.LANCZOS)
            for png, _ in self._frames
        ]
        durations = [int(seconds * 1000) for _, seconds in self._frames]
        frames[0].save(
            file, save_all=True, append_images=frames[1:], duration=durations, loop=0, quality=70
        )


async def open_failed_trace(page: Page) -> None:
    """Opens a failed trace from the list, and a new conversation: the demo has asked before."""
    await page.get_by_label("Search").fill("support-bot")
    failed = page.locator("tr.bad").get_by_role("link", name="support-bot").first
    await failed.click()
    await expect(page.locator(".chat[data-filled=true]")).to_be_visible()
    await page.get_by_role("button", name="New conversation").click()
    await page.locator(".finding").first.wait_for()
    await page.locator(".welcome .chip").first.wait_for()


async def main(folder: Path) -> None:
    async with demo() as url, chromium() as browser:
        width, height = DESKTOP
        page = await browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(START_SECONDS * 1000)
        recorder = Recorder(page)
        await page.goto(url)
        await page.locator("tr.bad").first.wait_for()
        await page.screenshot(path=folder / "page.png")
        await recorder.take()
        await open_failed_trace(page)
        await recorder.take()
        await page.locator(".welcome .chip").first.click()
        answered = expect(page.get_by_text("The answer is complete.")).to_be_attached()
        await recorder.take_until(asyncio.create_task(answered))
        await recorder.take()
        await page.locator(".bubble").last.get_by_role("link").first.click()
        await page.get_by_role("region", name="Span", exact=True).locator(".facts").wait_for()
        await page.screenshot(path=folder / "waterfall.png")
        await recorder.take()
        recorder.save(folder / "page.webp")


if __name__ == "__main__":
    target = Path(sys.argv[1]) if sys.argv[1:] else FOLDER
    target.mkdir(exist_ok=True)
    asyncio.run(main(target))
