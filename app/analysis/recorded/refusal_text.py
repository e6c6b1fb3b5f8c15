"""Whether the text of a reply refuses, in any of several languages."""

import re
from collections.abc import Iterator, Sequence
from functools import cache

from app.analysis.recorded import refusal_words, refusal_words_eastern
from app.analysis.recorded.answer_text import says_blank
from app.analysis.recorded.refusal_words import RefusalWords

_READ = 160  # characters: later a text only mentions what cannot be done
_LONGEST = 1_500  # characters: a longer answer does something besides refusing
_GOODS_READ = 40  # characters beside an act in which its object stands

_LANGUAGES = tuple(
    each
    for module in (refusal_words, refusal_words_eastern)
    for each in vars(module).values()
    if isinstance(each, RefusalWords)
)
_LANGUAGES_OF = {
    word: [each for each in _LANGUAGES if word in each.words.split()]
    for language in _LANGUAGES
    for word in language.words.split()
}
_LACKS = re.compile(
    r"missing|not (?:been )?(?:found|provided|attached|uploaded|included|available)|\bfehl(?:t|en)"
    r"|nicht (?:gefunden|vorhanden|angehängt|beigefügt)|manqu|introuvable|\bfalta\w?\b"
    r"|no se encontr|\bmancan|ontbre|saknas|mangler|brakuje|отсутств|不足"
    r"|見つか|缺少|找不到|未找到|누락"
)
"""What names the input that a model had not got: then it could not, and refused nothing."""


def says_refusal(text: str) -> bool:
    """Whether an answer refuses what it was asked for, in any of several languages."""
    if len(text) > _LONGEST:
        return False
    words = text[:_READ].lower().replace("’", "'").split()
    if text.isascii() and _LANGUAGES_OF.keys().isdisjoint(words):
        return False
    start = " ".join(words)
    return any(_refuses_in(language, start) for language in _list_possible(words, start))


def _list_possible(words: Sequence[str], start: str) -> Iterator[RefusalWords]:
    """The languages with a word or a mark in the text."""
    yield from dict.fromkeys(each for word in words for each in _LANGUAGES_OF.get(word, ()))
    if not start.isascii():
        for language in _LANGUAGES:
            if any(map(start.__contains__, language.marks)):
                yield language


def _refuses_in(language: RefusalWords, start: str) -> bool:
    for found in _build_pattern(language).finditer(start):
        rest = start[found.end() :]
        if says_blank(rest) or _LACKS.search(rest):
            continue
        if found["act"] is None:
            return True
        before = start[: found.start()][-_GOODS_READ:] if language.task_first else ""
        clause = before + found.group() + rest[:_GOODS_READ].partition(". ")[0]
        if re.search(language.goods, clause) is None:
            return True
    return False


@cache
def _build_pattern(language: RefusalWords) -> re.Pattern[str]:
    """The pattern of a language; `act` is the group of what is also done to goods.

    Everything between its parts is bounded, so that it takes time in proportion to the text.
    """
    between = language.between or rf",? (?:(?:{language.filler}) ){{0,{language.most}}}?(?:\w')?"
    asked = rf"(?:(?:{language.tasks}){language.ends}|(?P<act>(?:{language.acts}){language.ends}))"
    cannot = f"(?:{language.cannot})"
    parts = (asked, between, cannot) if language.task_first else (cannot, between, asked)
    alone = f"|{language.alone}" if language.alone else ""
    return re.compile("".join(parts) + alone)
