"""One input or output of a span: opened once, walked at most once, and bounded."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import islice
from typing import Any

from app.analysis.recorded.body_state import (
    BodyState,
    begins_with_fact,
    find_state,
    has_letter,
    is_blank,
    says_something,
)
from app.analysis.recorded.computed_once import computed_once
from app.analysis.recorded.fingerprint import CALL_ID_STARTS, read_fingerprint
from app.analysis.recorded.leaves import Leaf, LeavesByType, sort_by_type, walk_leaves
from app.analysis.recorded.opened_json import open_value
from app.analysis.recorded.result_envelope import find_result
from app.analysis.recorded.spellings import kept_by_keys, key_set, plain_key
from app.analysis.recorded.survey import Survey, survey_value

CUT_LENGTH = 10_001  # Opik cuts a value that is too long to a string of exactly so many characters
_LONGEST_COMPARED = 400_000  # characters of a text that is compared as a whole
_FEW_ITEMS = 300  # items of a body whose leaves are kept: most bodies, some 100 bytes a leaf
_FIRST_LEAVES = 40  # walked once for all rules that look at the beginning only
_WORDS_READ = 6_000  # characters whose words are compared: a long document differs early as well
_START_READ = 200  # characters at the beginning, in which most bodies differ
_CUT_AT_START = 8  # characters at the end of them, where a number may go on
_LONG = 40  # characters of text: shorter results (`ok`, `true`) are equal without being one
_LEAST_SHARED_WORDS = 0.75  # allows for a rephrased word in four, not for another question


_VOLATILE_KEYS = key_set(
    "attempt attempts retry retries try tries iteration request_id call_id trace_id run_id"
    " timestamp nonce seed took took_ms elapsed elapsed_ms latency latency_ms duration_ms"
    " tool_call_id created_at id_token prompt_tokens completion_tokens total_tokens input_tokens"
    " output_tokens cached_tokens prompt_token_count candidates_token_count total_token_count"
)
_VOLATILE = re.compile(
    r'"(?:attempts?|retry|retries|try|tries|iteration|(?:request|(?:tool_?)?call|trace|run)[-_]?id'
    r"|timestamp|nonce|seed|took(?:_?ms)?|elapsed(?:_?ms)?|latency(?:_?ms)?|duration_?ms"
    r"|(?:prompt|completion|total|input|output|cached)_?tokens"
    r"|(?:prompt|candidates|total)_?token_?count"
    r'|created_?at|id_?token)": (?:"[^"]{0,80}"|[-\w.+]{1,40})'
)
_CALL_ID = re.compile(rf'"(?:{"|".join(CALL_ID_STARTS)})(?=[a-z_-]*\d)[\w-]{{8,64}}"')
_ATTEMPT_NUMBER = re.compile(
    r"[\[(]?\b(?:attempt|try|retry|retries|iteration)\b ?(?:no\.?|number|#)? ?\d+[\])]?"
)
# The patterns that begin with a literal tell in a tenth of the time that the others find nothing.
_ATTEMPT_WORDS = tuple(
    (word, re.compile(rf"{word}\b ?(?:no\.?|number|#)? ?\d"))
    for word in ("attempt", "try", "retries", "iteration")
)
_COUNTER = re.compile(r"\d(?<![\w.-]\d)\d{0,5}(?![\w.-])")
_TIME_OR_ID = re.compile(
    r"(?<!\d)\d{4}-\d\d-\d\d[t ]\d\d:\d\d(?::\d\d)?(?:\.\d{1,9})?(?:z\b|[+-]\d\d:?\d\d)?"
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
)
_IN_TIME_OR_ID = re.compile(r"-\d\d-\d\d[t ]\d|-[0-9a-f]{4}-[0-9a-f]{4}-")
_AROUND_WORDS = {ord(sign): " " for sign in "\"'`.,;:!?()[]{}<>/\\|=+*&#%@~^-"}
# Without checks for cycles, which JSON has none of.
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, check_circular=False, default=str)


class Body:
    """An input, output or metadata of a span.

    `value` is as recorded, `opened` has JSON texts opened. Everything is computed on first use.
    """

    def __init__(self, value: Any) -> None:
        self.value = value

    @computed_once
    def opened(self) -> Any:
        if self.survey.has_encoded and not self.is_cut:
            return open_value(self.value)
        return self.value

    @property
    def result(self) -> "Body":
        """What a framework's message of a tool's result holds; itself where it is none."""
        return self._unwrapped or self

    @computed_once
    def _unwrapped(self) -> "Body | None":
        # Not the body itself: what holds itself is freed only by a garbage collection.
        found = find_result(self.opened)
        return None if found is self.opened else Body(found)

    @computed_once
    def survey(self) -> Survey:
        """See `Survey`; of the value as recorded."""
        return survey_value(self.value)

    @computed_once
    def opened_survey(self) -> Survey:
        return self.survey if self.opened is self.value else survey_value(self.opened)

    @computed_once
    def keys(self) -> frozenset[str]:
        """The keys of all objects in it, as `plain_key` spells them."""
        return _spell_keys(self.opened_survey.keys)

    def may_have_key(self, keys: Set[str]) -> bool:
        """Whether there may be an object with one of the keys; False is certain."""
        return not keys.isdisjoint(self.keys) or not self.opened_survey.is_whole

    @computed_once
    def is_cut(self) -> bool:
        """Whether the backend cut the body or one of its values: it is only a beginning."""
        return is_cut_body(self.value)

    @computed_once
    def state(self) -> BodyState:
        """See `find_state`."""
        return BodyState.PRESENT if self._begins_with_fact else find_state(self.opened)

    @computed_once
    def _begins_with_fact(self) -> bool:
        return begins_with_fact(self.opened)

    @computed_once
    def leaves(self) -> Sequence[Leaf]:
        """The first 2,000 leaves, in order."""
        first = self.first_leaves
        return first if len(first) < _FIRST_LEAVES else walk_leaves(self.opened)

    @computed_once
    def first_leaves(self) -> Sequence[Leaf]:
        """The first 40 leaves: all of most arguments and results, and the facts of longer ones."""
        return walk_leaves(self.opened, most=_FIRST_LEAVES)

    @computed_once
    def first_by_type(self) -> LeavesByType:
        """The first 40 leaves by the type of their value."""
        return sort_by_type(self.first_leaves)

    @computed_once
    def first_values(self) -> Sequence[Any]:
        """The values of the first 40 leaves, for a look that needs neither paths nor keys."""
        return [leaf.value for leaf in self.first_leaves]

    @property
    def first_texts(self) -> Iterator[str]:
        """The texts among them."""
        return (value for value in self.first_values if isinstance(value, str))

    def list_leaves(self, most: int) -> Iterable[Leaf]:
        """The first `most` leaves; those of a small body are walked once for all who ask."""
        if most <= _FIRST_LEAVES:
            return islice(self.first_leaves, most)
        if self.opened_survey.items <= _FEW_ITEMS:
            return islice(self.leaves, most)
        return walk_leaves(self.opened, most=most)

    @computed_once
    def canonical(self) -> str:
        """A text that is equal for bodies that mean the same: blanks, letter case, the order of
        keys, what counts attempts or tokens only, and ids of requests and calls do not matter.
        Empty where the body was cut or is too large to be compared as a whole."""
        if self.is_cut or not self.survey.is_whole:
            return ""
        value = self.opened
        if isinstance(value, str):
            text = " ".join(value.split()) if len(value) <= _LONGEST_COMPARED else ""
        else:
            text = _encode(value)
        if "  " in text:
            text = " ".join(text.split())
        text = text.casefold()
        if not self.keys.isdisjoint(_VOLATILE_KEYS):
            text = _VOLATILE.sub("", text)
        text = _CALL_ID.sub('"#"', text)
        for word, numbered in _ATTEMPT_WORDS:
            if word in text and numbered.search(text):
                return _ATTEMPT_NUMBER.sub("", text)
        return text

    @computed_once
    def timeless(self) -> str:
        """The canonical text without points in time and ids of requests, or its beginning where
        the backend cut the body; empty where nothing was recorded."""
        if self.state is BodyState.ABSENT:
            return ""
        if self.is_cut:
            value = self.value
            return value if isinstance(value, str) else _encode(value)
        text = self.canonical
        return _TIME_OR_ID.sub("#", text) if _IN_TIME_OR_ID.search(text) else text

    @property
    def has_timeless(self) -> bool:
        """Whether the timeless text is not empty."""
        if self.state is BodyState.ABSENT:
            return False
        return self._is_whole_container or bool(self.timeless)

    @computed_once
    def fingerprint(self) -> int:
        """A number that bodies of one timeless text have in common, at a fraction of its cost; 0
        where the text is empty."""
        if not self.has_timeless:
            return 0
        if self._is_whole_container:
            return read_fingerprint(self.opened, _VOLATILE_KEYS)
        return hash(self.timeless)

    @computed_once
    def _is_whole_container(self) -> bool:
        value = self.opened
        is_container = isinstance(value, (dict, list)) and bool(value)
        return is_container and self.survey.is_whole and not self.is_cut

    @computed_once
    def uncounted(self) -> str:
        """The canonical text without numbers that stand alone, as rounds, pages and steps do."""
        return _COUNTER.sub("#", self.canonical)

    def may_equal_uncounted(self, other: "Body") -> bool:
        """Whether both may be the same, or one the beginning of the other, but for numbers that
        stand alone; False is certain, and most bodies differ at their beginning."""
        first, second = self._uncounted_start, other._uncounted_start
        return first.startswith(second) or second.startswith(first)

    @computed_once
    def _uncounted_start(self) -> str:
        return _COUNTER.sub("#", self.canonical[:_START_READ])[:-_CUT_AT_START].rstrip('}] "')

    @computed_once
    def words(self) -> frozenset[str]:
        """The words of the first 6,000 canonical characters."""
        return frozenset(self.canonical[:_WORDS_READ].translate(_AROUND_WORDS).split())

    @computed_once
    def says_something(self) -> bool:
        """Whether it holds a letter or digit outside its keys, and is no placeholder."""
        if self.state is not BodyState.PRESENT:
            return False
        return self._begins_with_fact or says_something(self.opened)

    @computed_once
    def is_comparable(self) -> bool:
        """Whether it is whole and says something besides what counts attempts."""
        if not self.says_something:
            return False
        return self._begins_with_key or has_letter(self.canonical)

    @computed_once
    def _begins_with_key(self) -> bool:
        """Whether its canonical text begins with a key that has a letter and stays in it."""
        value = self.opened
        if self.is_cut or not (isinstance(value, dict) and self.survey.is_whole):
            return False
        first = min(value, key=str)
        if not (isinstance(first, str) and first.isidentifier() and has_letter(first)):
            return False
        return plain_key(first) not in _VOLATILE_KEYS

    @computed_once
    def is_long(self) -> bool:
        """Whether its texts are so long that an equal body is no chance."""
        length = 0
        for value in self.first_values:
            length += len(value) if isinstance(value, str) else 1
            if length >= _LONG:
                return True
        return False

    @computed_once
    def empty_keys(self) -> frozenset[str]:
        """The keys under which it has a null, a blank text, or an empty list or object."""
        if not self.may_have_empty:
            return frozenset()
        return frozenset(leaf.key for leaf in self.leaves if leaf.key and is_blank(leaf.value))

    @property
    def may_have_empty(self) -> bool:
        """Whether there may be an empty value somewhere; False is certain."""
        return self.opened_survey.has_empty

    def equals(self, other: "Body") -> bool:
        """Whether both mean the same; False where that is unknown."""
        if self.fingerprint != other.fingerprint:
            return False
        return bool(self.canonical) and self.canonical == other.canonical

    def resembles(self, other: "Body") -> bool:
        """Whether both are equal but for a few words; numbers have to be the same."""
        if self.equals(other):
            return True
        read = other.canonical[:_WORDS_READ]
        if any(number not in read for number in self._first_numbers):
            return False
        words, others = self.words, other.words
        both = len(words & others)
        if not both or both < _LEAST_SHARED_WORDS * (len(words) + len(others) - both):
            return False
        return all(map(str.isalpha, words ^ others))

    @computed_once
    def _first_numbers(self) -> list[str]:
        """Some of its numbers, codes and names with digits, by which most bodies are told apart at
        little cost."""
        pieces = self.canonical[:_START_READ].translate(_AROUND_WORDS).split()
        return [piece for piece in pieces[:-1] if not piece.isalpha()]


def spell_canonical(text: str) -> str:
    """A text as canonical texts have it, where blanks and letter case do not matter."""
    return " ".join(text.split()).casefold()


def spell_start(text: str, length: int) -> str:
    """The first characters of a text that is spelled so, which is made of its first words only."""
    return " ".join(text.split(maxsplit=length)[:length]).casefold()[:length]


def is_cut(value: Any) -> bool:
    """Whether the backend cut this value, so that it is only the beginning of one."""
    return isinstance(value, str) and len(value) == CUT_LENGTH


def is_cut_body(value: Any) -> bool:
    """Whether the backend cut an input, output or metadata: as a whole, or by its keys."""
    if isinstance(value, dict):
        for each in value.values():
            if type(each) is str and len(each) == CUT_LENGTH:
                return True
    return is_cut(value)


@kept_by_keys
def _spell_keys(keys: frozenset[str]) -> frozenset[str]:
    return frozenset(map(plain_key, keys))


def _encode(value: Any) -> str:
    """The JSON text of a value; empty where its keys or its depth do not allow one."""
    try:
        return _ENCODER.encode(value)
    except (RecursionError, TypeError, ValueError):
        return ""
