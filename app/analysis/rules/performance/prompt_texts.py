"""The texts of prompts, to tell whether two model calls do the same kind of work."""

import re

from app.analysis.recorded.body import is_cut
from app.analysis.recorded.recorded_span import RecordedSpan

_CHARACTERS_READ = 20_000  # of a prompt: what stays the same in all calls comes first
_LONGEST_BEGINNING = 200  # characters: two sentences of instructions
_CHANGED_READ = 600  # characters behind a difference: a time, an id, a clause put in front
_LEAST_SAME = 40  # characters: some words, which two texts of other data seldom share by chance
_WORDS = re.compile(r"[^\W\d]\w*")  # numbers are data, also where the instructions are the same


def read_prompt(view: RecordedSpan) -> str:
    """The beginning of the text of a request; of one that was cut, as it was recorded. Empty where
    nothing was recorded."""
    if view.input.is_cut:
        value = view.input.value
        values = value.values() if isinstance(value, dict) else [value]
        return next(str(each) for each in values if is_cut(each))
    return "\n".join(message.text for message in view.request.messages)[:_CHARACTERS_READ]


def read_instructions(view: RecordedSpan) -> str:
    """The beginning of the first message where that is a system's; of an input that was cut, and
    without such a message, an empty text."""
    first = None if view.input.is_cut else next(iter(view.request.messages), None)
    is_system = first is not None and first.role == "system"
    return first.text[:_LONGEST_BEGINNING] if first is not None and is_system else ""


def read_task(view: RecordedSpan) -> str:
    """The beginning of the first message of a user, which a growing conversation keeps; of a
    request that was cut, of the whole."""
    if view.input.is_cut:
        return read_prompt(view)[:_LONGEST_BEGINNING]
    messages = view.request.messages
    texts = (message.text for message in messages if message.role not in ("system", ""))
    return next((text for text in texts if text.strip()), "")[:_LONGEST_BEGINNING]


def count_equal(one: str, other: str) -> int:
    """How many characters both texts begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def find_same_text(one: str, other: str) -> str:
    """The longest piece that stands in both texts, of those that begin in the first characters of
    one of them: what goes on behind a changed beginning, or what was moved."""
    return max(_find_piece(one, other), _find_piece(other, one), key=len)


def _find_piece(text: str, other: str) -> str:
    longest, place = "", 0
    while place < min(_CHANGED_READ, len(text) - _LEAST_SAME):
        found = other.find(text[place : place + _LEAST_SAME])
        if found < 0:
            place = text.find(" ", place) + 1 or len(text)
            continue
        end = place + count_equal(text[place:], other[found:])
        longest = max(longest, text[place:end], key=len)
        place = end
    return longest


def measure_shared_words(one: str, other: str) -> float:
    """The share of all words of both texts that stand in both, 0 to 1."""
    a, b = set(_WORDS.findall(one.casefold())), set(_WORDS.findall(other.casefold()))
    return len(a & b) / max(1, len(a | b))
