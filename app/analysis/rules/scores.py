"""Which feedback scores are bad, which are good."""

from app.analysis.recorded.names import match_names
from app.analysis.recorded.spellings import word_set
from app.opik.records import FeedbackScore

_LOW = 0.35  # of scores from 0 to 1: clearly below the middle, as 0.5 is often "undecided"
_HIGH = 0.8  # of the same: what people call good, four stars of five
_is_lower_better = match_names(
    r"hallucinat|toxic|bias|harm|error|risk|pii|leak|perplex|distance|latency|cost|duration"
    r"|offens|profan|jailbreak|injection|refus|moderat|violat|loss|tokens?\b|count|length|retry"
    r"|retries|attempt|iteration|num\b|number|seconds|calls?\b|size|(?:wer|steps?|turns?|m?s)$"
)
_is_probability_of_harm = match_names("hallucinat|toxic|bias|harm|leak|jailbreak|injection|violat")
_BAD_CATEGORIES = word_set("bad poor fail failed incorrect wrong negative")
_GOOD_CATEGORIES = word_set("good excellent pass passed correct right positive great")


def is_bad_score(score: FeedbackScore) -> bool:
    """Whether a score says that something is wrong; only scores from 0 to 1 can be judged."""
    if (score.category_name or "").lower() in _BAD_CATEGORIES:
        return True
    if score.value is None or not 0 <= score.value <= 1:
        return False
    if _is_lower_better(score.name):
        return is_harm_score(score) and score.value >= 1 - _LOW
    return score.value <= _LOW


def is_harm_score(score: FeedbackScore) -> bool:
    """Whether a score is the probability of something bad, so that high is bad."""
    return _is_probability_of_harm(score.name)


def is_good_score(score: FeedbackScore) -> bool:
    """Whether a score says that the whole was good."""
    if (score.category_name or "").lower() in _GOOD_CATEGORIES:
        return True
    if score.value is None or not 0 <= score.value <= 1:
        return False
    return score.value >= _HIGH and not _is_lower_better(score.name)
