"""Whether something was recorded as a body, and whether it says anything."""

from collections.abc import Iterable
from enum import StrEnum
from itertools import islice, repeat
from typing import Any

from app.analysis.recorded.leaves import MOST_LEAVES, SERIES_FROM, walk_keyed_values
from app.analysis.recorded.placeholder import is_placeholder
from app.analysis.recorded.spellings import ENVELOPE_FACTS, plain_key

_LEVELS_BEGUN = 4  # looked into for a fact: replies have their text in the fourth
_MEMBERS_BEGUN = 8  # of each level, so that all are among the 32 first values
_START_READ = 200  # characters of a text, of which one has to be a letter or digit


class BodyState(StrEnum):
    """ABSENT: nothing was recorded, or a placeholder was put in its place, or a null was returned;
    which of them is unknown from one span. EMPTY: something was returned, and it is empty."""

    ABSENT = "absent"
    EMPTY = "empty"
    PRESENT = "present"


def find_state(value: Any) -> BodyState:
    """The state of an opened body, decided by what stands at the top: `{"data": {"rows": []}}` is
    PRESENT here (see `emptiness`)."""
    if isinstance(value, dict) and value:
        return _find_state_of_object(value)
    if value is None or value == {} or is_placeholder(value):
        return BodyState.ABSENT
    if isinstance(value, list) and value and _is_redacted(value):
        return BodyState.ABSENT
    return BodyState.EMPTY if is_blank(value) else BodyState.PRESENT


def _find_state_of_object(value: dict[str, Any]) -> BodyState:
    """The state of an object with members, by the first of them."""
    absent = blank = True
    for each in islice(value.values(), SERIES_FROM):
        kind = type(each)
        if kind is int or kind is float:
            return BodyState.PRESENT  # no redaction leaves a number
        absent = absent and (each is None or each == {} or is_placeholder(each))
        blank = blank and is_blank(each)
    if absent:
        return BodyState.ABSENT
    if blank:
        return BodyState.EMPTY
    return BodyState.ABSENT if _is_redacted(value) else BodyState.PRESENT


def _is_redacted(value: Any) -> bool:
    """Whether there are placeholders and beside them only roles, types and blanks; stops at the
    first leaf that says something."""
    found = False
    for key, leaf in islice(walk_keyed_values(value), SERIES_FROM):
        if is_placeholder(leaf):
            found = True
        elif key not in ENVELOPE_FACTS and not is_blank(leaf):
            return False
    return found


def begins_with_fact(value: Any) -> bool:
    """Whether one of its first plain values says something and is no fact of an envelope: then it
    is PRESENT and says something without a further look."""
    key, level = "", value
    for _ in range(_LEVELS_BEGUN):
        nested: tuple[str, Any] = ("", None)
        for name, each in islice(_members_of(level, key), _MEMBERS_BEGUN):
            kind = type(each)
            if kind is dict or kind is list:
                if each:
                    nested = (name, each)
                    break
            elif kind is int or kind is float:
                if level is value or plain_key(name) not in ENVELOPE_FACTS:
                    return True
            elif (
                kind is str
                and has_letter(each)
                and plain_key(name) not in ENVELOPE_FACTS
                and not is_placeholder(each)
            ):
                return True
        key, level = nested
    return False


def _members_of(value: Any, key: str) -> Iterable[tuple[str, Any]]:
    """The members of an object, or the items of a list under its key."""
    if isinstance(value, dict):
        return value.items()
    return zip(repeat(key), value, strict=False) if isinstance(value, list) else ()


def says_something(value: Any) -> bool:
    """Whether it holds a letter or digit outside its keys, and is no placeholder."""
    for _, leaf in islice(walk_keyed_values(value), MOST_LEAVES):
        if not isinstance(leaf, str):
            if not is_blank(leaf):
                return True
        elif has_letter(leaf) and not is_placeholder(leaf):
            return True
    return False


def has_letter(text: str) -> bool:
    """Whether one of the first characters is a letter or digit."""
    return text[:1].isalnum() or any(map(str.isalnum, text[:_START_READ]))


def is_blank(value: Any) -> bool:
    """Whether it is a null, a text of blanks, or an empty list or object."""
    if isinstance(value, str):
        return not value or value.isspace()
    return value is None or (isinstance(value, (list, dict)) and not value)
