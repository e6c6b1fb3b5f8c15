"""Which feedback scores are bad, which are good."""

import re

from app.analysis.recorded.spellings import word_set
from app.opik.records import FeedbackScore

_LOW = 0.35  # of scores from 0 to 1: clearly below the middle, as 0.5 is often "undecided"
_HIGH = 0.8  # of the same: what people call good, four stars of five
_LOWER_IS_BETTER = re.compile(
    r"\b(?:hallucinat|toxic|bias|harm|error|risk|pii|leak|perplex|distance|latency|cost|duration"
    r"|offens|profan|jailbreak|injection|refus|moderat|violat|loss|tokens?\b|count|length|retry"
    r"|retries|attempt|iteration|num\b|number|seconds|calls?\b|size|(?:wer|steps?|turns?|m?s)$)"
)
_PROBABILITY_OF_HARM = re.compile(
    r"\b(?:hallucinat|toxic|bias|harm|leak|jailbreak|injection|violat)"
)
"""Beginnings of words of a name in lower case: `pharmacist_review` speaks of no harm."""
_WORDS = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+")
_BAD_CATEGORIES = word_set("bad poor fail failed incorrect wrong negative")
_GOOD_CATEGORIES = word_set("good excellent pass passed correct right positive great")
_NAME_READ = 200  # characters


def is_bad_score(score: FeedbackScore) -> bool:
    """Whether a score says that something is wrong; only scores from 0 to 1 can be judged."""
    if (score.category_name or "").lower() in _BAD_CATEGORIES:
        return True
    if score.value is None or not 0 <= score.value <= 1:
        return False
    name = _spell_name(score)
    if _LOWER_IS_BETTER.search(name):
        return is_harm_score(score) and score.value >= 1 - _LOW
    return score.value <= _LOW


def is_harm_score(score: FeedbackScore) -> bool:
    """Whether a score is the probability of something bad, so that high is bad."""
    return _PROBABILITY_OF_HARM.search(_spell_name(score)) is not None


def is_good_score(score: FeedbackScore) -> bool:
    """Whether a score says that the whole was good."""
    if (score.category_name or "").lower() in _GOOD_CATEGORIES:
        return True
    if score.value is None or not 0 <= score.value <= 1:
        return False
    return score.value >= _HIGH and not _LOWER_IS_BETTER.search(_spell_name(score))


def _spell_name(score: FeedbackScore) -> str:
    """The words of a name: `isToxic` and `is_toxic` are `is toxic`."""
    return " ".join(_WORDS.findall(score.name[:_NAME_READ])).lower()
