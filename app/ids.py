"""Checks ids before they become part of a URL: UUIDs with hyphens, nothing else."""

import re
from typing import Annotated

from pydantic import AfterValidator

UUID_PATTERN = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
"""A UUID with hyphens in lower case."""

_UUID = re.compile(UUID_PATTERN, re.IGNORECASE)


def is_uuid(text: str) -> bool:
    """Whether the text is a UUID with hyphens, in any case."""
    return _UUID.fullmatch(text) is not None


def _check_uuid(value: str) -> str:
    if not is_uuid(value):
        raise ValueError("must be a UUID")
    return value.lower()


Id = Annotated[str, AfterValidator(_check_uuid)]
"""A field of a pydantic model: a UUID, in lower case."""
