"""One input or output of a span: opened once, walked at most once, and bounded."""

import json
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

from app.analysis.recorded.opened_json import open_value
from app.analysis.recorded.placeholder import is_placeholder
from app.analysis.recorded.spellings import ENVELOPE_FACTS, plain_key, word_set

CUT_LENGTH = 10_001  # Opik cuts a value that is too long to a string of exactly so many characters
MOST_LEAVES = 4_000  # a record of a search with hundreds of hits stays below it
_LEVELS = 40  # levels walked: nothing that is worth a conclusion lies deeper
_MOST_ITEMS = 20_000  # items of a body that is compared as a whole; more takes over 10 ms
_LONGEST_COMPARED = 400_000  # characters of a text that is compared as a whole
_WORDS_READ = 20_000  # characters whose words are compared: a long document differs early as well
_NUMBERS_FROM = 32  # a list of as many plain values is one leaf: an embedding, a series
_LEAST_SHARED_WORDS = 0.75  # allows for a rephrased word in four, not for another question

Path = tuple[str | int, ...]


class BodyState(StrEnum):
    """ABSENT: nothing was recorded, or a placeholder was put in its place, or a null was returned;
    which of them cannot be told from one span. EMPTY: something was returned, and it is empty."""

    ABSENT = "absent"
    EMPTY = "empty"
    PRESENT = "present"


class Leaf(NamedTuple):
    """A scalar, an empty list or object, or a long list of plain values. `key` is the innermost
    object key as `plain_key` spells it."""

    path: Path
    key: str
    value: Any


_VOLATILE_KEYS = sorted(
    word_set(
        "attempt attempts retry retries try tries iteration request_id call_id trace_id run_id"
        " timestamp nonce seed took took_ms elapsed elapsed_ms latency latency_ms duration_ms"
        " tool_call_id created_at id_token"
    )
)
_VOLATILE = re.compile(
    rf'"(?:{"|".join(_VOLATILE_KEYS)})": (?:"[^"]{{0,80}}"|[-\w.+]{{1,40}})', re.IGNORECASE
)
_ATTEMPT_NUMBER = re.compile(
    r"[\[(]?\b(?:attempt|try|retry|retries|iteration)\b ?(?:no\.?|number|#)? ?\d+[\])]?"
)
_ATTEMPT_WORDS = ("attempt", "try", "retries", "iteration")
_TIME_OR_ID = re.compile(
    r"(?<!\d)\d{4}-\d\d-\d\d[t ]\d\d:\d\d(?::\d\d)?(?:\.\d{1,9})?(?:z\b|[+-]\d\d:?\d\d)?"
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
)
_WORDS = re.compile(r"\w+")


class Body:
    """An input, output or metadata of a span.

    `value` is as recorded, `opened` has JSON texts opened. Everything is computed on first use.
    """

    def __init__(self, value: Any) -> None:
        self.value = value

    @cached_property
    def opened(self) -> Any:
        return self.value if self.is_cut else open_value(self.value)

    @cached_property
    def is_cut(self) -> bool:
        """Whether the backend cut the body or one of its values: it is only a beginning."""
        return is_cut_body(self.value)

    @cached_property
    def state(self) -> BodyState:
        """See `BodyState`; decided by what stands at the top: `{"data": {"rows": []}}` is PRESENT
        here (see `emptiness`)."""
        value = self.opened
        if isinstance(value, Mapping) and value:
            inner = list(value.values())[:_NUMBERS_FROM]
            if all(each is None or each == {} or is_placeholder(each) for each in inner):
                return BodyState.ABSENT
            if all(_is_blank(each) for each in inner):
                return BodyState.EMPTY
            return BodyState.ABSENT if _is_redacted(value) else BodyState.PRESENT
        if value is None or value == {} or is_placeholder(value):
            return BodyState.ABSENT
        if isinstance(value, list) and _is_redacted(value):
            return BodyState.ABSENT
        return BodyState.EMPTY if _is_blank(value) else BodyState.PRESENT

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        """The first 4,000 leaves, in order."""
        return tuple(walk_leaves(self.opened))

    @cached_property
    def canonical(self) -> str:
        """A text that is equal for bodies that mean the same: blanks, letter case, the order of
        keys and what only counts attempts or names a request do not matter. Empty where the body
        was cut or is too large to be compared as a whole."""
        if self.is_cut or _count_items(self.opened) > _MOST_ITEMS:
            return ""
        value = self.opened
        if isinstance(value, str):
            text = value if len(value) <= _LONGEST_COMPARED else ""
        else:
            text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
        text = " ".join(text.split()).casefold()
        text = _VOLATILE.sub("", text)
        if any(word in text for word in _ATTEMPT_WORDS):
            text = _ATTEMPT_NUMBER.sub("", text)
        return text

    @cached_property
    def timeless(self) -> str:
        """The canonical text without points in time and ids of requests, or its beginning where
        the backend cut the body; empty where nothing was recorded."""
        if self.state is BodyState.ABSENT:
            return ""
        if self.is_cut:
            value = self.value
            return value if isinstance(value, str) else json.dumps(value, default=str)
        text = self.canonical
        return _TIME_OR_ID.sub("#", text) if "-" in text else text

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of the first 20,000 canonical characters."""
        return frozenset(_WORDS.findall(self.canonical[:_WORDS_READ]))

    @cached_property
    def says_something(self) -> bool:
        """Whether it holds a letter or digit outside its keys, and is no placeholder."""
        return self.state is BodyState.PRESENT and any(
            not isinstance(leaf.value, str) or any(map(str.isalnum, leaf.value[:200]))
            for leaf in self.leaves
            if not _is_blank(leaf.value) and not is_placeholder(leaf.value)
        )

    @cached_property
    def empty_keys(self) -> frozenset[str]:
        """The keys under which it has a null, a blank text, or an empty list or object."""
        return frozenset(leaf.key for leaf in self.leaves if leaf.key and _is_blank(leaf.value))

    @cached_property
    def scalars(self) -> dict[str, list[Any]]:
        """The non-empty texts and numbers under each key, in order."""
        found: dict[str, list[Any]] = {}
        for leaf in self.leaves:
            if leaf.key and isinstance(leaf.value, str | int | float) and leaf.value != "":
                found.setdefault(leaf.key, []).append(leaf.value)
        return found

    def equals(self, other: "Body") -> bool:
        """Whether both mean the same; False where that cannot be told."""
        return bool(self.canonical) and self.canonical == other.canonical

    def resembles(self, other: "Body") -> bool:
        """Whether both are equal but for a few words; numbers have to be the same."""
        if self.equals(other):
            return True
        if not (self.words and other.words):
            return False
        differing = self.words ^ other.words
        if any(not word.isalpha() for word in differing):
            return False
        both = len(self.words & other.words)
        return both >= _LEAST_SHARED_WORDS * (both + len(differing))


def is_cut(value: Any) -> bool:
    """Whether the backend cut this value, so that it is only the beginning of one."""
    return isinstance(value, str) and len(value) == CUT_LENGTH


def is_cut_body(value: Any) -> bool:
    """Whether the backend cut an input, output or metadata: as a whole, or by its keys."""
    inner = value.values() if isinstance(value, dict) else ()
    return is_cut(value) or any(is_cut(each) for each in inner)


def _is_blank(value: Any) -> bool:
    if isinstance(value, str):
        return not value or value.isspace()
    return value is None or (isinstance(value, list | dict) and not value)


def _is_redacted(value: Any) -> bool:
    """Whether there are placeholders and beside them only roles, types and blanks; stops at the
    first leaf that says something."""
    found = False
    for leaf in walk_leaves(value, most=_NUMBERS_FROM):
        if is_placeholder(leaf.value):
            found = True
        elif not _is_blank(leaf.value) and leaf.key not in ENVELOPE_FACTS:
            return False
    return found


def walk_leaves(value: Any, *, most: int = MOST_LEAVES) -> Iterator[Leaf]:
    """The first `most` leaves of a value with their paths, in order; lists of 32 and more plain
    values are one leaf."""
    waiting: list[tuple[Path, str, Any]] = [((), "", value)]
    while waiting and most > 0:
        path, key, item = waiting.pop()
        if isinstance(item, Mapping) and item and len(path) < _LEVELS:
            pairs = [(str(name), inner) for name, inner in islice(item.items(), most)]
            waiting.extend(
                ((*path, name), plain_key(name), inner) for name, inner in reversed(pairs)
            )
        elif isinstance(item, list) and item and len(path) < _LEVELS and not _is_series(item):
            kept = item[:most]
            waiting.extend(((*path, i), key, kept[i]) for i in range(len(kept) - 1, -1, -1))
        else:
            most -= 1
            yield Leaf(path, key, item)


def _is_series(items: list[Any]) -> bool:
    """Whether a list is long and holds plain values only; decided without a loop in Python."""
    return len(items) >= _NUMBERS_FROM and {dict, list, str}.isdisjoint(
        map(type, items[:MOST_LEAVES])
    )


def _count_items(value: Any) -> int:
    """How many items lie in a value, counted up to the limit for comparing it as a whole."""
    count = 1
    waiting = [value]
    while waiting and count <= _MOST_ITEMS:
        item = waiting.pop()
        if not isinstance(item, dict | list):
            continue
        count += len(item)
        if count <= _MOST_ITEMS:
            values = item.values() if isinstance(item, dict) else item
            if not {dict, list}.isdisjoint(map(type, values)):
                waiting.extend(each for each in values if isinstance(each, dict | list))
    return count
