"""Addresses as operators write them in a variable."""

import re


def http_address(value: str) -> str:
    """The address without a closing slash; raises ValueError for anything but a plain http(s)."""
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
        raise ValueError("must be an http(s) address without credentials")
    return value.rstrip("/")
