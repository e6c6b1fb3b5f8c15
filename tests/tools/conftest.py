"""One socket for all tests of the tools, behind which each test puts its own backend."""

from collections.abc import Iterator

import pytest

from standin.serving import serve_in_thread
from tests.tools.trace_harness import SOCKET


@pytest.fixture(scope="session", autouse=True)
def _socket() -> Iterator[None]:
    with serve_in_thread(SOCKET) as url:
        SOCKET.url = url
        yield
