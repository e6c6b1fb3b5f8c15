"""How many tokens a text has, estimated without the tokenizer of any model.

There are two uses. A text with a token budget (outline, views) is measured by `estimate_tokens`,
which must not be too low for any script. Where only a length is known or the text is too long to
be read again for every request (the budget of a turn, the size of the context), characters are
divided by `CHARACTERS_PER_TOKEN`.
"""

import re
from collections.abc import Callable

CHARACTERS_PER_TOKEN = 3
"""English prose has about four characters a token, code and JSON about three; the lower one is
used, so that a request is rather thought too long than too short."""

_PIECE = re.compile(
    r" ?[A-Za-z]?[a-z]+|[A-Z]+|\d{1,3}|\s+|[!-/:-@\[-`{-~]+|.", re.ASCII | re.DOTALL
)
"""A word with the blank before it, capitals, digits, blanks, signs, or another character."""
_UNPRONOUNCEABLE = re.compile(r"[bcdfghjklmnpqrstvwxz]{4}", re.IGNORECASE)
"""Four consonants in a row: an id or a key rather than a word, so it is in no vocabulary."""
LONGEST_TOKEN = 5  # characters of a word that count as one token; blanks in a row may be more
_WORDS_KEPT = 8_192  # the words of some traces, about 1 MB; most words repeat, so most are found
_LONGEST_KEPT = 64  # characters of a word: longer ones are data and seldom repeat


class _TokensOf(dict[str, int]):
    """The tokens of what is looked up, counted the first time: in half the time of a
    `functools.lru_cache`. Forgets all where there are too many."""

    def __init__(self, count: Callable[[str], int]) -> None:
        self._count = count

    def __missing__(self, text: str) -> int:
        count = self._count(text)
        if len(text) <= _LONGEST_KEPT:
            if len(self) >= _WORDS_KEPT:
                self.clear()
            self[text] = count
        return count


def estimate_tokens(text: str) -> int:
    """An upper estimate of the tokens of `text`; 0 for an empty one."""
    line = text.lstrip(" ")
    words = line.split()
    indent = len(text) - len(line)
    if not words or indent == 1 or " ".join(words) != line:
        return _count_text_tokens(text)
    # Words with one blank between them, as in nearly all lines: the pattern would take ten times
    # as long as to look up each word.
    spaces = 1 + indent // 8 if indent else 0
    tokens = spaces + _TOKENS_OF_FIRST[words[0]]
    del words[0]
    return sum(map(_TOKENS_OF_WORD.__getitem__, words), tokens)


def _count_text_tokens(text: str) -> int:
    return sum(map(_TOKENS_OF_PIECE.__getitem__, _PIECE.findall(text)))


def _count_piece_tokens(piece: str) -> int:
    """The rates are chosen so that no sample of tests/test_token_estimate.py (prose, ids, signs,
    random letters, other scripts, emoji) comes out below its count by the cl100k vocabulary."""
    first, last, length = piece[0], piece[-1], len(piece)
    if not first.isascii():
        return min(3, len(piece.encode("utf-8", "replace")))
    if last.isdigit():
        return 1
    if last.islower() and not _UNPRONOUNCEABLE.search(piece):
        return -(-length // LONGEST_TOKEN)
    if last.isspace():
        return 1 + length // 8
    return -(-length * 2 // 3)


_TOKENS_OF_PIECE = _TokensOf(_count_piece_tokens)
_TOKENS_OF_FIRST = _TokensOf(_count_text_tokens)
_TOKENS_OF_WORD = _TokensOf(lambda word: _count_text_tokens(f" {word}"))
"""Of a word, or anything else without blanks, with the blank before it."""
