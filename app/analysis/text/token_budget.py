"""Lines within a budget of tokens."""

import re
from collections.abc import Callable, Iterable

_PIECE = re.compile(
    r"(?P<word> ?[A-Za-z]?[a-z]+)|(?P<capitals>[A-Z]+)|(?P<digits>\d{1,3})"
    r"|(?P<blank>\s+)|(?P<sign>[!-/:-@\[-`{-~]+)|(?P<other>.)",
    re.ASCII | re.DOTALL,
)
_SHAPELESS = re.compile(r"[bcdfghjklmnpqrstvwxz]{4}", re.IGNORECASE)


def estimate_tokens(text: str) -> int:
    """An upper estimate of the tokens of `text`; 0 for an empty one."""
    return sum(_piece_cost(match) for match in _PIECE.finditer(text))


def _piece_cost(match: re.Match[str]) -> int:
    kind = match.lastgroup
    length = match.end() - match.start()
    if kind == "word":
        if _SHAPELESS.search(match.group()):
            return -(-length * 2 // 3)
        return -(-length // 5)
    if kind == "digits":
        return 1
    if kind == "other":
        return min(3, len(match.group().encode("utf-8", "replace")))
    if kind == "blank":
        return 1 + length // 8
    return -(-length * 2 // 3)


Alias = Callable[[str], str]
"""Gives the short name (`s1`, `s2`, ...) of a span id, the same one each time."""


def count_line_tokens(line: str) -> int:
    """Tokens of a line with its line break. The sum over lines is never below the whole text's."""
    return estimate_tokens(line) + 1


class BudgetedText:
    """Takes lines as long as they fit."""

    def __init__(self, budget_tokens: int) -> None:
        self._left = budget_tokens
        self._lines: list[str] = []

    @property
    def left(self) -> int:
        return self._left

    def add(self, line: str, *, keep: int = 0) -> bool:
        """Adds a line if `keep` tokens stay free after it; says whether it did."""
        price = count_line_tokens(line)
        if price + keep > self._left:
            return False
        self._left -= price
        self._lines.append(line)
        return True

    def fill(self, lines: Iterable[str], *, keep: int = 0) -> int:
        """Adds lines until one does not fit; says how many it added."""
        added = 0
        for line in lines:
            if not self.add(line, keep=keep):
                break
            added += 1
        return added

    def text(self) -> str:
        return "\n".join(self._lines)
