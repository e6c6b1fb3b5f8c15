"""Configures the log: structured, one line for each event, on standard error."""

import logging
import sys
from typing import Any, Literal, TextIO

import structlog

_QUIET_LIBRARIES = (
    # At INFO every URL, and each step of a migration.
    *("httpx", "httpx2", "alembic"),
    # At DEBUG headers, SQL with its parameters, and so questions and answers.
    *("httpcore", "httpcore2", "hpack", "asyncmy", "sqlalchemy", "opik", "urllib3"),
    *("sentry_sdk.errors", "segment", "newrelic"),
)


class _OwnHandler(logging.StreamHandler[TextIO]):
    """Our own handler, which `configure` recognizes by its type and replaces."""


def configure(*, style: Literal["console", "json"], level: str) -> None:
    """Formats our own lines and those of libraries alike.

    Called again, it replaces its own handler; handlers of others stay.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: structlog.typing.Processor = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    endings: list[structlog.typing.Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta
    ]
    if style == "json":
        endings.append(structlog.processors.format_exc_info)
        last = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, _wrap_record],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = _OwnHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[*endings, last])
    )
    root = logging.getLogger()
    for before in [each for each in root.handlers if isinstance(each, _OwnHandler)]:
        root.removeHandler(before)
    root.addHandler(handler)
    root.setLevel(level)
    for name in _QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)


def _wrap_record(
    logger: logging.Logger, name: str, line: structlog.typing.EventDict
) -> tuple[tuple[structlog.typing.EventDict], dict[str, Any]]:
    """Makes a log record of a line, with its exception where other handlers look for it."""
    positional, named = structlog.stdlib.ProcessorFormatter.wrap_for_formatter(logger, name, line)
    return positional, {**named, "exc_info": line.get("exc_info")}
