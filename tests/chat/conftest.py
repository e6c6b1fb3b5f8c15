"""Fixtures of the chat tests."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import respx

from tests.chat.proxy import URL


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


@pytest.fixture
def proxy() -> Iterator[respx.Route]:
    """The chat proxy's route; anything else that is sent fails the test."""
    with respx.mock(assert_all_called=False) as router:
        yield router.post(URL)
