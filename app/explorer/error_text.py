"""Formats a recorded error for a list."""

from app.opik.records import ErrorInfo

_ERROR_SHOWN = 500
"""Characters; the details show the whole."""


def format_error(error: ErrorInfo | None) -> str | None:
    """Type and message on one line; None where there is no error."""
    if error is None:
        return None
    parts = [part for part in (error.exception_type, error.message) if part]
    return " ".join(": ".join(parts).split())[:_ERROR_SHOWN] or "failed"
