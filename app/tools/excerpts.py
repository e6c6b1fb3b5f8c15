"""Values as text within a number of characters; whatever is cut says how the rest is shown."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.analysis.text.json_path import describe_value
from app.analysis.text.one_line import one_line
from app.surrogates import join_surrogates
from app.token_estimate import CHARACTERS_PER_TOKEN

MoreFrom = Callable[[int], str]
"""The call that shows a value from that character on."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value to show under a title. `about` is told where it is cut, such as its keys."""

    title: str
    text: str
    more: MoreFrom
    about: str = ""


def as_text(value: Any) -> str:
    """A text as it is, anything else as JSON; halves of surrogate pairs become U+FFFD.

    A value that nests too deeply for JSON's writer is described instead.
    """
    if not isinstance(value, str):
        try:
            value = json.dumps(value, ensure_ascii=False)
        except RecursionError:
            described = describe_value(value)
            return f"[too deeply nested to be shown whole: {described}; name a path into it]"
    return join_surrogates(value)


def share_characters(lengths: Sequence[int], room: int) -> list[int]:
    """How much of `room` each gets: short ones what they need, the others equal parts."""
    given = [0] * len(lengths)
    for waiting, place in zip(
        range(len(lengths), 0, -1),
        sorted(range(len(lengths)), key=lambda at: lengths[at]),
        strict=True,
    ):
        given[place] = min(lengths[place], max(0, room) // waiting)
        room -= given[place]
    return given


def render_excerpt(values: Sequence[Value], room: int, *, offset: int = 0) -> list[str]:
    """The values under their titles, from character `offset` on, in `room` characters together."""
    titles = [f"{value.title}:\n" for value in values]
    lengths = [
        len(title) + max(len(value.text) - offset, 30 if offset else 0) + (40 if offset else 0)
        for title, value in zip(titles, values, strict=True)
    ]
    rooms = share_characters(lengths, room - 2 * len(values))
    return [
        title + cut_window(value, limit - len(title), offset=offset)
        for title, value, limit in zip(titles, values, rooms, strict=True)
    ]


def cut_window(value: Value, limit: int, *, offset: int = 0) -> str:
    """At most `limit` characters from `offset` on, the note about what is not shown included."""
    whole = len(value.text)
    if offset >= whole > 0 and offset > 0:
        return f"[nothing here: the value ends after {whole:,} characters]"
    if not offset and whole <= limit:
        return value.text
    if offset and whole - offset + 40 <= limit:
        return f"[from character {offset:,} to the end]\n{value.text[offset:]}"
    about = one_line(value.about, limit=limit // 4) if value.about and limit > 400 else ""
    kept = max(0, limit - len(_note(value, offset, whole, about)) - 1)
    end = offset + kept
    return f"{value.text[offset:end]}\n{_note(value, offset, end, about)}"


def _note(value: Value, offset: int, end: int, about: str) -> str:
    what = f"characters {offset + 1:,} to {end:,}" if offset else f"{end:,}"
    about = f"; the value is {about}" if about else ""
    return f"[cut: {what} of {len(value.text):,} characters; more: {value.more(end)}{about}]"


def fit_lines(write: Callable[[int], str], room: int) -> str:
    """What `write` makes of a budget of tokens, the budget made smaller until the text fits."""
    tokens = room // CHARACTERS_PER_TOKEN
    text = join_surrogates(write(tokens)).strip("\n")
    while len(text) > room and tokens > 50:
        tokens = min(tokens * room // len(text), tokens - 50)
        text = join_surrogates(write(tokens)).strip("\n")
    return text
