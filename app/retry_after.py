"""How long an answer asks to wait before the next attempt."""

import re
from email.utils import parsedate_to_datetime

import httpx

_NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)


def parse_retry_after(headers: httpx.Headers) -> float | None:
    """Seconds, not bounded, by `Retry-After` or else `RateLimit-Reset`; None where none is told.

    A date is taken relative to the answer's own `Date`, so that no clocks are compared; one that
    has passed is a pause of 0. Whatever cannot be read counts as not told.
    """
    for name in ("Retry-After", "RateLimit-Reset"):
        value = headers.get(name, "").strip()
        if _NUMBER.fullmatch(value):
            return float(value)
        until = _until(value, headers.get("Date", ""))
        if until is not None:
            return until
    return None


def _until(value: str, date: str) -> float | None:
    try:
        pause = parsedate_to_datetime(value) - parsedate_to_datetime(date)
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, pause.total_seconds())
