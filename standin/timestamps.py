"""Points in time as the stand-in reads, writes and compares them, and ids that carry a time."""

import hashlib
import uuid
from datetime import UTC, datetime


def now() -> datetime:
    """The current time, with its zone."""
    return datetime.now(UTC)


def parse(text: str) -> datetime:
    """Read an ISO-8601 time; a time without a zone is taken as UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def text(moment: datetime) -> str:
    """Write a time as Opik does: ISO-8601, UTC, microseconds, a closing Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def milliseconds_between(start: str | None, end: str | None) -> float | None:
    """Milliseconds from start to end, negative when they are swapped, None when one is missing."""
    if start is None or end is None:
        return None
    seconds = (parse(end) - parse(start)).total_seconds()
    return round(seconds * 1000, 3)


def id_at(moment: datetime, seed: str) -> str:
    """A UUIDv7 of that moment whose random part comes from the seed.

    A replayed write has to end in the same ids, so nothing here is random.
    """
    milliseconds = int(moment.timestamp() * 1000) & ((1 << 48) - 1)
    noise = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:10], "big")
    version, variant = 7, 0b10
    bits = milliseconds << 80
    bits |= version << 76 | (noise >> 68 & 0xFFF) << 64
    bits |= variant << 62 | noise & ((1 << 62) - 1)
    return str(uuid.UUID(int=bits))
