"""Moments as they are recorded in texts."""

from datetime import UTC, datetime


def read_moment(text: str) -> datetime | None:
    """The moment of an ISO time, in UTC where it names no zone; None for any other text."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
