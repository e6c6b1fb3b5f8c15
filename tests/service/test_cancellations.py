"""What only shows when much goes on at once."""

import asyncio
import logging
from urllib.parse import urlsplit

import anyio
import pytest

from soak.cancellations import CancellationRun
from testkit.service import TRACE_ID, WAIT_SECONDS, running

CANCELS = 400
"""How many clients leave here; in `make soak` thousands leave."""


async def test_a_client_that_leaves_in_the_middle_of_its_request_is_no_error(
    migrated_sqlite_uri: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(migrated_sqlite_uri) as service:
        logging.getLogger("uvicorn.error").addHandler(caplog.handler)
        before = len(asyncio.all_tasks())
        address = urlsplit(service.url)
        _, writer = await asyncio.open_connection(address.hostname, address.port)
        head = (
            f"POST {urlsplit(service.session(TRACE_ID)).path} HTTP/1.1\r\nHost: x\r\n"
            "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n"
        )
        writer.write(head.encode() + b'{"message":')
        with anyio.fail_after(WAIT_SECONDS):
            while len(asyncio.all_tasks()) == before:  # noqa: ASYNC110 - a task has no event
                await asyncio.sleep(0.001)
            writer.close()
            while len(asyncio.all_tasks()) > before:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        logging.getLogger("uvicorn.error").removeHandler(caplog.handler)
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR] == []


@pytest.mark.slow
async def test_clients_that_leave_at_any_stage_of_a_turn_leave_nothing_behind(
    database_uri: str,
) -> None:
    report = await CancellationRun(CANCELS, seed=5).run(database_uri)
    assert report.findings == []
