"""Lines within a budget of tokens."""

from collections.abc import Callable, Iterable

from app.token_estimate import estimate_tokens

Alias = Callable[[str], str]
"""Gives the short name (`s1`, `s2`, ...) of a span id, the same one each time."""


def count_line_tokens(line: str) -> int:
    """Tokens of a line with its line break. The sum over lines is never below the whole text's."""
    return estimate_tokens(line) + 1


class BudgetedText:
    """Takes lines as long as they fit."""

    def __init__(self, budget_tokens: int) -> None:
        self.left = budget_tokens
        self._lines: list[str] = []

    def add(self, line: str, *, keep: int = 0) -> bool:
        """Adds a line if `keep` tokens stay free after it; says whether it did."""
        price = count_line_tokens(line)
        if price + keep > self.left:
            return False
        self.left -= price
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
