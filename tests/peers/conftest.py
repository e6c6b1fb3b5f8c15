"""Fixtures of the peers, and a loud word about those that could not be had."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests.peers.running import NO_PEER, as_proxy


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """A client for which an OpenAI-compatible server is the chat proxy."""
    async for client in as_proxy():
        yield client


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    yield
    skipped = terminalreporter.stats.get("skipped", [])
    missed = [str(each.longrepr) for each in skipped if NO_PEER in str(each.longrepr)]
    if missed:
        terminalreporter.section("NOT RUN AGAINST PEERS", red=True, bold=True)
        for reason in sorted({each.split(NO_PEER)[1].rstrip("')") for each in missed}):
            terminalreporter.line(reason, red=True)
