"""A real browser before the gateway, and a record of all that it did."""

import contextlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from demo.gateway import create_gateway
from tests.fakes.service import Service, running, serving

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
PATIENCE_MS = 10_000
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
    """One browser tab at the demo's URL. `faults` are the page's errors and refusals by policy."""

    url: str
    service: Service
    context: BrowserContext
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

    @property
    def foreign_requests(self) -> list[str]:
        """What was asked of anybody but the gateway."""
        return [url for url in self.requests if not url.startswith(f"{self.url}/")]

    async def open(self, path: str) -> None:
        """Load a page and wait until it shows its view."""
        await self.page.goto(self.url + path)
        await self.page.locator("#view > *").first.wait_for()


@contextlib.asynccontextmanager
async def visiting(
    database_uri: str, *, size: tuple[int, int] = DESKTOP, dark: bool = False, **settings: Any
) -> AsyncIterator[Visit]:
    """A tab before a gateway, a real service and the stand-in, all in this event loop."""
    async with contextlib.AsyncExitStack() as stack:
        service = await stack.enter_async_context(running(database_uri, **settings))
        gateway = create_gateway(service.standin, service_url=service.url)
        url = await stack.enter_async_context(serving(gateway, grace=1))
        browser = await stack.enter_async_context(chromium())
        context = await browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE_MS)
        visit = Visit(url, service, context, await context.new_page())
        visit.watch()
        yield visit
