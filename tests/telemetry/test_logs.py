"""Where log lines go."""

import logging

import pytest
import structlog

from app.telemetry import logs
from testkit.service import running


async def test_handlers_of_others_still_get_lines_after_the_start(
    migrated_sqlite_uri: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(migrated_sqlite_uri) as service:
        caplog.clear()
        await service.ask()
        logging.getLogger("somebody").warning("else")
    assert "else" in caplog.messages
    assert "service_stopping" in caplog.text


def test_a_line_is_written_once_to_standard_error_however_often_it_is_set_up(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for _ in range(2):
        logs.configure(style="json", level="INFO")
    structlog.get_logger().info("only_once")
    output = capsys.readouterr()
    assert (output.out, output.err.count("only_once")) == ("", 1)
