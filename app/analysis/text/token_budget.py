"""Lines within a budget of tokens."""

from collections.abc import Callable, Iterable

from app.token_estimate import estimate_tokens

Alias = Callable[[str], str]
"""Gives the short name (`s1`, `s2`, ...) of a span id, the same one each time."""

Line = Callable[[], str]
"""Writes a line when it is shown, so that spans get short names only where these are read."""

LONGEST_ALIAS = "s00000"


def count_line_tokens(line: str) -> int:
    """Tokens of a line with its line break. The sum over lines is never below the whole text's."""
    return estimate_tokens(line) + 1


class SteadyAlias:
    """Gives aliases, and adds up by how many tokens they are shorter than the longest.

    A text that prices each alias as the longest holds as much in every conversation, however many
    aliases were assigned before.
    """

    def __init__(self, alias: Alias) -> None:
        self._alias = alias
        self._saved = 0
        self._names: dict[str, tuple[str, int]] = {}

    def __call__(self, span_id: str) -> str:
        if span_id not in self._names:
            name = self._alias(span_id)
            self._names[span_id] = name, _ALIAS_TOKENS - estimate_tokens(name)
        name, saved = self._names[span_id]
        self._saved += saved
        return name

    def take_saved(self) -> int:
        """The tokens saved since the last call; below zero for aliases of an unusual length."""
        saved, self._saved = self._saved, 0
        return saved


_ALIAS_TOKENS = estimate_tokens(LONGEST_ALIAS)


class BudgetedText:
    """Takes lines as long as they fit."""

    def __init__(self, budget_tokens: int, *, alias: SteadyAlias | None = None) -> None:
        """With `alias` each alias of a line is priced as the longest; every line has to be added
        before the next one is written. `tokens` is the sum of the lines as they are."""
        self.left = budget_tokens
        self.tokens = 0
        self._alias = alias
        self._lines: list[str] = []

    def add(self, line: str, *, keep: int = 0) -> bool:
        """Adds a line if `keep` tokens stay free after it; says whether it did."""
        tokens = count_line_tokens(line)
        price = tokens + (self._alias.take_saved() if self._alias else 0)
        if price + keep > self.left:
            return False
        self.left -= price
        self.tokens += tokens
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
