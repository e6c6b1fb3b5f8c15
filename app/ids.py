"""Checks ids before they become part of a URL: UUIDs with hyphens, nothing else."""

import re

UUID_PATTERN = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
"""A UUID with hyphens in lower case."""

_UUID = re.compile(UUID_PATTERN, re.IGNORECASE)


def is_uuid(text: str) -> bool:
    """Whether the text is a UUID with hyphens, in any case."""
    return _UUID.fullmatch(text) is not None
