"""Shares and means over rows with their intervals, and paired comparisons of variants."""

import math
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean

from evals.grading import PASSED
from evals.results import ResultRow

CONFIDENCE = 0.95
_RESAMPLES = 2_000
_SEED = 7


@dataclass(frozen=True)
class Interval:
    """A figure and the bounds of its 95 % interval."""

    value: float
    low: float
    high: float


def average_by_question(
    rows: Sequence[ResultRow], of: Callable[[ResultRow], float]
) -> dict[tuple[str, int], float]:
    """The mean over the repeats, for each question: repeats say nothing about other cases, so a
    question counts once however often it was asked."""
    found: dict[tuple[str, int], list[float]] = defaultdict(list)
    for row in rows:
        found[row.case, row.turn].append(of(row))
    return {key: fmean(values) for key, values in found.items()}


def compute_share(rows: Sequence[ResultRow], of: Callable[[ResultRow], bool]) -> Interval | None:
    """The share of questions, with Wilson's score interval (Wilson 1927); None without any.

    Repeats of a question make its own share a fraction; the formula takes it as it is.
    """
    values = average_by_question(rows, lambda row: float(of(row)))
    if not values:
        return None
    n, p = len(values), fmean(values.values())
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Interval(p, max(0.0, middle - half), min(1.0, middle + half))


def compute_mean(rows: Sequence[ResultRow], of: Callable[[ResultRow], float]) -> Interval | None:
    """The mean over questions, with a percentile bootstrap interval; None without any."""
    values = list(average_by_question(rows, of).values())
    return _bootstrap_mean(values) if values else None


@dataclass(frozen=True)
class Comparison:
    """Two variants on the questions that both were asked: second minus first.

    Tokens and seconds are of the questions that both answered, None where there is none.
    `better` and `worse` count the questions that the second answered rightly more often, or less;
    `chance` is the two-sided sign test's: how likely such a split is where there is no difference.
    """

    questions: int
    better: int
    worse: int
    chance: float
    passed: Interval
    tokens: Interval | None
    seconds: Interval | None


def compare_variants(first: Sequence[ResultRow], second: Sequence[ResultRow]) -> Comparison | None:
    """The paired comparison; None where no question was asked of both."""
    passed = _question_differences(first, second, lambda row: float(row.verdict in PASSED))
    if not passed:
        return None
    better, worse = sum(each > 0 for each in passed), sum(each < 0 for each in passed)
    return Comparison(
        len(passed),
        better,
        worse,
        sign_test(better, worse),
        _bootstrap_mean(passed),
        _answered_differences(first, second, count_tokens),
        _answered_differences(first, second, lambda row: row.seconds),
    )


def without_failures(rows: Sequence[ResultRow]) -> list[ResultRow]:
    """The rows of answers that did not fail."""
    return [row for row in rows if row.verdict != "failed"]


def _answered_differences(
    first: Sequence[ResultRow], second: Sequence[ResultRow], of: Callable[[ResultRow], float]
) -> Interval | None:
    values = _question_differences(without_failures(first), without_failures(second), of)
    return _bootstrap_mean(values) if values else None


def count_tokens(row: ResultRow) -> float:
    return float(row.prompt_tokens + row.completion_tokens)


def sign_test(better: int, worse: int) -> float:
    """The chance of a split at least this uneven where either side is equally likely."""
    n, few = better + worse, min(better, worse)
    splits = sum(math.comb(n, k) for k in range(few + 1))
    return min(1.0, 2 * splits / (1 << n))


def _question_differences(
    first: Sequence[ResultRow], second: Sequence[ResultRow], of: Callable[[ResultRow], float]
) -> list[float]:
    before: Mapping[tuple[str, int], float] = average_by_question(first, of)
    after = average_by_question(second, of)
    return [after[key] - before[key] for key in before if key in after]


def _bootstrap_mean(values: Sequence[float]) -> Interval:
    """The mean, and the middle 95 % of the means of resamples (Efron 1979); equal input, equal
    result."""
    rng = random.Random(_SEED)
    means = sorted(fmean(rng.choices(values, k=len(values))) for _ in range(_RESAMPLES))
    edge = round(_RESAMPLES * (1 - CONFIDENCE) / 2)
    return Interval(fmean(values), means[edge], means[-edge - 1])
