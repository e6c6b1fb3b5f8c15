"""Titles of conversations: one line of plain text, made from the first question."""

import unicodedata

TITLE_CHARACTERS = 200
"""The most that a user may give; the database's column holds 255."""
AUTOMATIC_TITLE_CHARACTERS = 80
"""Of a title made from a question: about what one line of a list shows."""

_JOINERS = frozenset("\u200c\u200d")
"""Invisible, but they shape words in Persian and Hindi, and emoji."""


def clean_title(text: str) -> str:
    """The text as one line, without characters that control or hide others; "" for nothing left."""
    shown = []
    for character in text:
        category = unicodedata.category(character)
        if category in {"Cc", "Zl", "Zp", "Zs"}:
            shown.append(" ")
        elif category not in {"Cf", "Cs"} or character in _JOINERS:
            shown.append(character)
    title = " ".join("".join(shown).split())
    return title if title.strip("\u200c\u200d ") else ""


def make_title(question: str) -> str | None:
    """A title for a conversation that begins with this question; None for an empty one."""
    title = clean_title(question.strip()[: 4 * AUTOMATIC_TITLE_CHARACTERS])
    if len(title) <= AUTOMATIC_TITLE_CHARACTERS:
        return title or None
    start = title[: AUTOMATIC_TITLE_CHARACTERS - 1]
    words = start.rsplit(" ", 1)[0]
    # A text without blanks, as in Chinese, is cut where it is too long.
    return (words if len(words) > AUTOMATIC_TITLE_CHARACTERS // 2 else start).rstrip() + "…"
