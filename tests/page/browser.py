"""A real browser before the service, and a record of all that it did."""

import contextlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.async_api import (
    Browser,
    Locator,
    Page,
    async_playwright,
    expect,
)

from testkit.service import PREFIX, TRACE_ID, Service, running

CHROMIUM = "/usr/bin/chromium"
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS / 2)
DESKTOP = (1280, 800)
PHONE = (400, 800)


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A headless browser; a test that needs it is skipped, with these words, where it is not."""
    if shutil.which(CHROMIUM) is None:
        pytest.skip("Chromium is not installed (apt-get install chromium): page NOT TESTED")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Visit:
    """One browser tab. `url` is the page's without a slash at its end.

    `faults` are the errors of the page and the refusals by its policy.
    """

    url: str
    service: Service
    page: Page
    requests: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Begin to keep what the page asks for and what goes wrong in it."""
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._note)

    def _note(self, message: Any) -> None:
        # A conversation that has not begun is a 404, which Chromium notes by itself.
        expected = "/trace-analyzer/session/" in message.location.get("url", "")
        expected = expected and "status of 404" in message.text
        if message.type in ("error", "warning") and not expected:
            self.faults.append(f"{message.type}: {message.text}")

    def check(self) -> None:
        """Asserts that only the service was asked and that the page reported no error."""
        own = (f"{self.service.url}{PREFIX}/", f"blob:{self.service.url}/")
        foreign = [url for url in self.requests if not url.startswith(own)]
        assert (foreign, self.faults) == ([], [])

    async def open_trace(self, trace_id: str = TRACE_ID, **more: str) -> None:
        """Load a trace's view and wait until its chat is filled."""
        await self.open("/?" + urlencode({"trace": trace_id, **more}))
        await expect(self.chat).to_have_attribute("data-filled", "true")

    async def assets(self) -> str:
        """Where the page's files are."""
        source: str = await self.page.locator("script[src]").first.evaluate("each => each.src")
        return source.rpartition("/")[0]

    @property
    def chat(self) -> Locator:
        return self.page.get_by_role("region", name="Chat")

    @property
    def messages(self) -> Locator:
        """All parts of the conversation, in order."""
        return self.page.get_by_role("log").locator(".question, .bubble, .call, .stopped")

    async def ask(self, question: str) -> None:
        await self.page.get_by_label("Your question").fill(question)
        await self.page.keyboard.press("Enter")

    async def answered(self) -> None:
        """Wait until the running answer has come to its end."""
        await expect(self.chat.get_by_text("The answer is complete.")).to_be_attached()

    async def open(self, path: str) -> None:
        """Load a page and wait until it shows its view."""
        await self.page.goto(self.url + path)
        await self.page.get_by_role("heading", level=1).filter(has_not_text="Loading").wait_for()


@contextlib.asynccontextmanager
async def visiting(
    browser: Browser,
    database_uri: str,
    *,
    size: tuple[int, int] = DESKTOP,
    dark: bool = False,
    **settings: Any,
) -> AsyncIterator[Visit]:
    """A tab before a real service and the stand-in, all in this event loop."""
    async with contextlib.AsyncExitStack() as stack:
        service = await stack.enter_async_context(running(database_uri, **settings))
        context = await browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE_MS)
        visit = Visit(f"{service.url}{PREFIX}/ui", service, await context.new_page())
        visit.watch()
        yield visit
        await context.close()
