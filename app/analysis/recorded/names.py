"""Names of spans, tools, keys and scores, read word by word.

Programs spell one name as `get_ticket`, `get-ticket`, `getTicket` or `Get ticket`. A part of a word
says nothing: `shipping` holds no `ping`.
"""

import re
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

_Answer = TypeVar("_Answer")

NAME_READ = 200  # characters of a name; frameworks put whole arguments behind its beginning
_NAMES_KEPT = 2_048  # of which an answer is kept: a trace has few, and rules ask for them again
_NAME_END = re.compile(r"[:(\[{#\"'=]")
_DIGITS = re.compile(r"\d+")
# Vowels of Indian and Thai words are marks, no word characters: there, nothing parts words.
_BETWEEN_WORDS = re.compile(
    r"(?:[^\w\u0300-\u1fff\u3040-\ufeff]|_)+"
    r"|(?<=[^\W_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][^\W\d_A-Z]{2})"
)
_WORDS = re.compile(r"[^\W\d_]+")


def kept_by_name(compute: Callable[[str], _Answer]) -> Callable[[str], _Answer]:
    """A function of the beginning of a name whose answers are kept."""
    kept = lru_cache(_NAMES_KEPT)(compute)

    @wraps(compute)
    def find(name: str) -> _Answer:
        return kept(name[:NAME_READ])

    return find


@kept_by_name
def spell_name(name: str) -> str:
    """The words of a name in lower case: `isToxic` and `is_toxic` are `is toxic`."""
    return _BETWEEN_WORDS.sub(" ", name).strip().lower()


@kept_by_name
def split_words(name: str) -> tuple[str, ...]:
    """These words, without digits."""
    return tuple(_WORDS.findall(spell_name(name)))


def has_word(name: str, words: frozenset[str]) -> bool:
    """Whether a name holds one of the words: `get_ticket` and `getTicket` hold `ticket`, not
    `tick`."""
    return not words.isdisjoint(split_words(name))


def match_names(beginnings: str, *, anywhere: str = "") -> Callable[[str], bool]:
    r"""A function that says whether a name has what a pattern describes, written in lower case with
    blanks between words: `beginnings` of words (`ping\b` is a whole one), or something `anywhere`,
    as in scripts without blanks and in languages that join words."""
    start = rf"(?<![^\W\d_])(?:{beginnings})"
    pattern = re.compile(rf"{start}|{anywhere}" if anywhere else start)
    return kept_by_name(lambda name: pattern.search(spell_name(name)) is not None)


@kept_by_name
def join_letters(name: str) -> str:
    """The letters and digits of a name: `Get order` and `get_order` have the same."""
    return "".join(filter(str.isalnum, name)).casefold()


@kept_by_name
def name_stem(name: str) -> str:
    """What the names of equal steps share: `page 3` and `page 4`, `fetch: a` and `fetch: b`."""
    stem = _NAME_END.split(name, maxsplit=1)[0].strip() or name
    return _DIGITS.sub("#", stem)
