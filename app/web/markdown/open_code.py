"""Ends code that a text leaves open, so that what follows the text is not shown as code.

This is for readers only: what is safe does not depend on it.
"""

import re

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


def close_code(text: str) -> str:
    """The text with an end to the code that it leaves open, as an answer that was stopped may."""
    fence = ""
    for line in text.splitlines():
        found = _FENCE.fullmatch(line)
        if found is None:
            continue
        if not fence:
            fence = found[1] if found[1][0] == "~" or "`" not in found[2] else ""
        elif found[1].startswith(fence) and not found[2].strip():
            fence = ""
    return f"{text}\n{fence}" if fence else text
