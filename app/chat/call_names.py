"""Names of tools as models misspell them."""

import re
from collections.abc import Collection

NAMESPACES = ("functions.", "default_api.", "tools.")
"""Before the names of tools in OpenAI's and Gemini's formats."""
WORD = re.compile(r"[A-Za-z_][\w.:-]{0,100}")
"""A name that stands alone in a text."""

_PARTS = re.compile(r"[A-Za-z0-9_-]+")
_NAME_CHARACTERS = 200
"""Looked at of a name: a tool's has 64 at most, and a namespace and control tokens are short."""


def find_offered(name: str, offered: Collection[str]) -> str | None:
    """The offered tool that a model's spelling of a name means; None for none or several."""
    if name in offered:
        return name
    words = [word.replace("-", "_").lower() for word in _PARTS.findall(name[:_NAME_CHARACTERS])]
    found = {tool for tool in offered for word in words if _means_tool(word, tool.lower())}
    return found.pop() if len(found) == 1 else None


def strip_word(word: str) -> str:
    """A name without namespace and number: `functions.x:0` -> `x`."""
    return word.removesuffix(".call").rpartition(".")[2].partition(":")[0]


def _means_tool(word: str, tool: str) -> bool:
    return word == tool or word.endswith(f"_{tool}") or (word != "" and word == tool * 2)
