"""A visit to the page, over a database without conversations.

The browser and the visits share one event loop, since starting a browser takes a second.
"""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.page.browser import PHONE, Visit, chromium, visiting


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture
def database_file(_migrated_sqlite: Path, tmp_path: Path) -> Path:
    path = tmp_path / "page.db"
    shutil.copy(_migrated_sqlite, path)
    return path


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, database_file: Path) -> AsyncIterator[Visit]:
    """A desktop's tab; what went wrong in it by the test's end fails the test."""
    async with visiting(browser, f"sqlite:///{database_file}") as visit:
        yield visit
        visit.check()


@pytest_asyncio.fixture(loop_scope="session")
async def phone(browser: Browser, database_file: Path) -> AsyncIterator[Visit]:
    """A phone's tab."""
    async with visiting(browser, f"sqlite:///{database_file}", size=PHONE) as visit:
        yield visit
        visit.check()
