"""Joins surrogate pairs: characters beyond U+FFFF that arrive in two halves.

JSON writes an emoji as two escapes (`\\ud83d\\ude00`), and providers cut their deltas between
them. Each half is a surrogate: a code point that a Python string can hold and UTF-8 cannot.
"""

import re

SURROGATE = re.compile("[\ud800-\udfff]")


def join_surrogates(text: str) -> str:
    """`text` with neighbouring halves joined; a half without its other half becomes U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def ends_in_half_pair(text: str) -> bool:
    """Whether the last character is the first half of a pair, so that more may follow."""
    return "\ud800" <= text[-1:] <= "\udbff"
