"""How many tokens a text has, estimated without the tokenizer of any model.

There are two uses. A text with a token budget (outline, views) is measured by `estimate_tokens`,
which must not be too low for any script. Where only a length is known or the text is too long to
be read again for every request (the budget of a turn, the size of the context), characters are
divided by `CHARACTERS_PER_TOKEN`.
"""

import re

CHARACTERS_PER_TOKEN = 3
"""English prose has about four characters a token, code and JSON about three; the lower one is
used, so that a request is rather thought too long than too short."""

_PIECE = re.compile(
    r"(?P<word> ?[A-Za-z]?[a-z]+)|(?P<capitals>[A-Z]+)|(?P<digits>\d{1,3})"
    r"|(?P<blank>\s+)|(?P<sign>[!-/:-@\[-`{-~]+)|(?P<other>.)",
    re.ASCII | re.DOTALL,
)
_UNPRONOUNCEABLE = re.compile(r"[bcdfghjklmnpqrstvwxz]{4}", re.IGNORECASE)
"""Four consonants in a row: an id or a key rather than a word, so it is in no vocabulary."""


def estimate_tokens(text: str) -> int:
    """An upper estimate of the tokens of `text`; 0 for an empty one."""
    return sum(_piece_tokens(match) for match in _PIECE.finditer(text))


def _piece_tokens(match: re.Match[str]) -> int:
    """The rates are chosen so that no sample of tests/test_token_estimate.py (prose, ids, signs,
    random letters, other scripts, emoji) comes out below its count by the cl100k vocabulary."""
    kind = match.lastgroup
    length = match.end() - match.start()
    if kind == "word":
        if _UNPRONOUNCEABLE.search(match.group()):
            return -(-length * 2 // 3)
        return -(-length // 5)
    if kind == "digits":
        return 1
    if kind == "other":
        return min(3, len(match.group().encode("utf-8", "replace")))
    if kind == "blank":
        return 1 + length // 8
    return -(-length * 2 // 3)
