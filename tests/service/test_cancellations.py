"""What only shows when much goes on at once."""

import logging

import pytest

from soak.cancellations import CancellationRun
from testkit.service import running
from tests.service.bare import leave_amid_request, request

CANCELS = 400
"""How many clients leave here; in `make soak` thousands leave."""


async def test_a_client_that_leaves_in_the_middle_of_its_request_is_no_error(
    migrated_sqlite_uri: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(migrated_sqlite_uri) as service:
        logging.getLogger("uvicorn.error").addHandler(caplog.handler)
        await leave_amid_request(service, request(b'{"message":', length=100))
        logging.getLogger("uvicorn.error").removeHandler(caplog.handler)
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR] == []


@pytest.mark.slow
async def test_clients_that_leave_at_any_stage_of_a_turn_leave_nothing_behind(
    database_uri: str,
) -> None:
    report = await CancellationRun(CANCELS, seed=5).run(database_uri)
    assert report.findings == []
