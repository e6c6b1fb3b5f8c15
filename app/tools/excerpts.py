"""Formats values within a number of characters; each cut names the call that shows the rest."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import anyio

from app.analysis.text.json_path import describe_value
from app.analysis.text.one_line import one_line
from app.analysis.text.text_diff import count_equal
from app.surrogates import join_surrogates
from app.token_estimate import CHARACTERS_PER_TOKEN
from app.tools.shortened_json import shorten_json

MoreFrom = Callable[[int], str]
"""Formats the call that shows a value from a character on."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value to show under a title; where it is cut, `about` describes it by its keys, and
    `whole`, an object or a list, is shortened within rather than at its end. `shown` is a shorter
    account of the value, for when it is shown from its beginning; a title is a path."""

    title: str
    text: str
    more: MoreFrom
    about: str = ""
    whole: Any = None
    shown: str | None = None
    why: str = ""

    def shorten(self, shown: str, why: str, whole: Any = None) -> "Value":
        """The same value with a shorter account of it; `why` says what it leaves out."""
        if shown == self.text:
            return self
        return replace(self, shown=shown, why=why, whole=whole)

    def text_from(self, offset: int) -> str:
        return self.text if offset or self.shown is None else self.shown

    def heading_from(self, offset: int) -> str:
        is_short = self.text_from(offset) is not self.text
        return self.title + (f' ({self.why}; path="{self.title}" has all)' if is_short else "")


def as_text(value: Any) -> str:
    """A text as it is, anything else as JSON; halves of surrogate pairs become U+FFFD.

    A value that nests too deeply for JSON's writer is described instead.
    """
    if type(value) is int:
        return str(value)
    if not isinstance(value, str):
        try:
            value = json.dumps(value, ensure_ascii=False)
        except RecursionError:
            described = describe_value(value)
            return f"[too deeply nested to be shown whole: {described}; name a path into it]"
    return join_surrogates(value)


def share_characters(lengths: Sequence[int], limit: int) -> list[int]:
    """Shares `limit` characters: short texts get what they need, the others equal parts."""
    given = [0] * len(lengths)
    for waiting, place in zip(
        range(len(lengths), 0, -1),
        sorted(range(len(lengths)), key=lambda at: lengths[at]),
        strict=True,
    ):
        given[place] = min(lengths[place], max(0, limit) // waiting)
        limit -= given[place]
    return given


def render_excerpt(values: Sequence[Value], limit: int, *, offset: int = 0) -> list[str]:
    """The values under their titles, from character `offset` on, in `limit` characters in all."""
    titles = [f"{value.heading_from(offset)}:\n" for value in values]
    lengths = [
        len(title)
        + max(len(value.text_from(offset)) - offset, 30 if offset else 0)
        + (40 if offset else 0)
        for title, value in zip(titles, values, strict=True)
    ]
    shares = share_characters(lengths, limit - 2 * len(values))
    return [
        title + cut_window(value, share - len(title), offset=offset)
        for title, value, share in zip(titles, values, shares, strict=True)
    ]


def cut_window(value: Value, limit: int, *, offset: int = 0) -> str:
    """At most `limit` characters from `offset` on, including the note on what is not shown."""
    whole = len(value.text)
    if offset >= whole > 0 and offset > 0:
        return f"[nothing here: the value ends after {whole:,} characters]"
    if not offset and len(value.text_from(0)) <= limit:
        return value.text_from(0)
    if offset and whole - offset + 40 <= limit:
        return f"[from character {offset:,} to the end]\n{value.text[offset:]}"
    about = one_line(value.about, limit=limit // 4) if value.about and limit > 400 else ""
    if not offset and isinstance(value.whole, dict | list):
        room = limit - len(_note(value, whole, whole, about)) - len(_SHORTENED) - 1
        shortened = shorten_json(value.whole, room)
        if shortened is not None:
            shortened = join_surrogates(shortened)
            end = count_equal(shortened, value.text)
            return f"{shortened}\n{_note(value, 0, end, about, what=_SHORTENED)}"
    kept = max(0, limit - len(_note(value, offset, whole, about)) - 1)
    part = value.text_from(offset)[offset : offset + kept]
    end = offset + kept if offset else count_equal(part, value.text)
    return f"{part}\n{_note(value, offset, end, about)}"


_SHORTENED = "long texts and lists"


def _note(value: Value, offset: int, end: int, about: str, *, what: str = "") -> str:
    what = what or (f"shows {offset + 1:,} to {end:,}" if offset else f"shows {end:,}")
    about = f"; the value is {about}" if about else ""
    return f"[cut: {what} of {len(value.text):,} characters; more: {value.more(end)}{about}]"


def fit_lines(write: Callable[[int], str], limit: int) -> str:
    """Calls `write` with a budget of tokens, lowered until the text fits in `limit` characters."""
    tokens = limit // CHARACTERS_PER_TOKEN
    text = join_surrogates(write(tokens)).strip("\n")
    while len(text) > limit and tokens > 50:
        tokens = min(tokens * limit // len(text), tokens - 50)
        text = join_surrogates(write(tokens)).strip("\n")
    return text


async def fit_lines_with_notes(
    write: Callable[[int], str], limit: int, notes: Sequence[str] = ()
) -> str:
    """The same in a thread, with these notes below the text, in `limit` characters in all."""
    room = limit - sum(len(note) + 1 for note in notes)
    return "\n".join([await anyio.to_thread.run_sync(fit_lines, write, room), *notes])
