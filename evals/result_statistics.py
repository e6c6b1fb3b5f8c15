"""What rows amount to: shares and means with their intervals, and pairs compared."""

import math
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean

from evals.grading import PASSED
from evals.results import Row

CONFIDENCE = 0.95
_RESAMPLES = 2_000
_SEED = 7


@dataclass(frozen=True)
class Interval:
    """A figure and the bounds of its 95 % interval."""

    value: float
    low: float
    high: float


def by_case(rows: Sequence[Row], of: Callable[[Row], float]) -> dict[tuple[str, int], float]:
    """The mean over the repeats, for each question: repeats say nothing about other cases, so a
    question counts once however often it was asked."""
    found: dict[tuple[str, int], list[float]] = defaultdict(list)
    for row in rows:
        found[row.case, row.turn].append(of(row))
    return {key: fmean(values) for key, values in found.items()}


def share(rows: Sequence[Row], of: Callable[[Row], bool]) -> Interval | None:
    """The share of questions, with Wilson's score interval (Wilson 1927); None without any.

    Repeats of a question make its own share a fraction; the formula takes it as it is.
    """
    values = by_case(rows, lambda row: float(of(row)))
    if not values:
        return None
    n, p = len(values), fmean(values.values())
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Interval(p, max(0.0, middle - half), min(1.0, middle + half))


def mean(rows: Sequence[Row], of: Callable[[Row], float]) -> Interval | None:
    """The mean over questions, with a percentile bootstrap interval; None without any."""
    values = list(by_case(rows, of).values())
    return _bootstrap(values) if values else None


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


def compare(first: Sequence[Row], second: Sequence[Row]) -> Comparison | None:
    """The paired comparison; None where no question was asked of both."""
    passed = _differences(first, second, lambda row: float(row.verdict in PASSED))
    if not passed:
        return None
    better, worse = sum(each > 0 for each in passed), sum(each < 0 for each in passed)
    return Comparison(
        len(passed),
        better,
        worse,
        sign_test(better, worse),
        _bootstrap(passed),
        _of_answered(first, second, tokens_of),
        _of_answered(first, second, lambda row: row.seconds),
    )


def answered(rows: Sequence[Row]) -> list[Row]:
    """The rows of answers that did not fail."""
    return [row for row in rows if row.verdict != "failed"]


def _of_answered(
    first: Sequence[Row], second: Sequence[Row], of: Callable[[Row], float]
) -> Interval | None:
    values = _differences(answered(first), answered(second), of)
    return _bootstrap(values) if values else None


def tokens_of(row: Row) -> float:
    return float(row.prompt_tokens + row.completion_tokens)


def sign_test(better: int, worse: int) -> float:
    """The chance of a split at least this uneven where either side is equally likely."""
    n, few = better + worse, min(better, worse)
    splits = sum(math.comb(n, k) for k in range(few + 1))
    return min(1.0, 2 * splits / (1 << n))


def _differences(
    first: Sequence[Row], second: Sequence[Row], of: Callable[[Row], float]
) -> list[float]:
    before: Mapping[tuple[str, int], float] = by_case(first, of)
    after = by_case(second, of)
    return [after[key] - before[key] for key in before if key in after]


def _bootstrap(values: Sequence[float]) -> Interval:
    """The mean, and the middle 95 % of the means of resamples (Efron 1979); equal input, equal
    result."""
    rng = random.Random(_SEED)
    means = sorted(fmean(rng.choices(values, k=len(values))) for _ in range(_RESAMPLES))
    edge = round(_RESAMPLES * (1 - CONFIDENCE) / 2)
    return Interval(fmean(values), means[edge], means[-edge - 1])
