"""Shares, means and pairs."""

from dataclasses import replace

import pytest

from evals.grading import Verdict
from evals.result_statistics import (
    Interval,
    compare_variants,
    compute_mean,
    compute_share,
    count_tokens,
    sign_test,
)
from evals.results import ResultRow


def row(case: str, verdict: Verdict, *, repeat: int = 0, tokens: int = 100) -> ResultRow:
    return ResultRow(
        variant="v",
        case=case,
        turn=0,
        repeat=repeat,
        verdict=verdict,
        healthy=False,
        right=[],
        place=int(verdict == "culprit"),
        named=[],
        code="cut" if verdict == "failed" else "",
        failure="",
        prompt_tokens=tokens,
        completion_tokens=0,
        steps=1,
        tool_calls=0,
        seconds=1.0,
        question="Why?",
        answer="",
    )


def named(each: ResultRow) -> bool:
    return each.verdict == "culprit"


def test_a_share_has_wilsons_interval() -> None:
    rows = [row(str(n), "culprit" if n < 8 else "wrong") for n in range(10)]
    found = compute_share(rows, named)
    assert found is not None
    assert found.value == pytest.approx(0.8)
    # As tabled for 8 of 10: 0.4902 to 0.9433.
    assert (found.low, found.high) == (
        pytest.approx(0.4902, abs=1e-4),
        pytest.approx(0.9433, abs=1e-4),
    )


def test_repeats_of_a_question_make_the_interval_no_narrower() -> None:
    once = [row("a", "culprit"), row("b", "wrong")]
    often = [replace(each, repeat=repeat) for each in once for repeat in range(50)]
    assert compute_share(once, named) == compute_share(often, named)


def test_the_bootstrap_holds_the_mean_and_gives_the_same_twice() -> None:
    rows = [row(str(n), "culprit", tokens=n * 100) for n in range(1, 21)]
    found = compute_mean(rows, count_tokens)
    assert found is not None
    assert found.value == 1_050
    assert 700 < found.low < 1_050 < found.high < 1_400
    assert found == compute_mean(rows, count_tokens)


def test_a_bootstrapped_interval_is_the_binomials_where_each_value_is_0_or_1() -> None:
    """Of ten values with five ones the mean of a resample is a tenth of Binomial(10, 0.5): 1.1 %
    are at most 0.1, 5.5 % at most 0.2."""
    wrong = [row(str(n), "wrong") for n in range(10)]
    half = [row(str(n), "culprit" if n % 2 else "wrong") for n in range(10)]
    assert compute_mean(half, lambda each: float(named(each))) == Interval(0.5, 0.2, 0.8)
    better, worse = compare_variants(wrong, half), compare_variants(half, wrong)
    assert better is not None
    assert worse is not None
    assert better.passed == Interval(0.5, 0.2, 0.8)
    assert worse.passed == Interval(-0.5, -0.8, -0.2)


def test_no_rows_have_no_share_and_no_mean() -> None:
    assert compute_share([], named) is None
    assert compute_mean([], count_tokens) is None


def test_only_questions_asked_of_both_are_compared() -> None:
    first = [row("a", "wrong"), row("b", "culprit"), row("only-first", "wrong")]
    second = [row("a", "culprit", tokens=150), row("b", "culprit"), row("only-second", "culprit")]
    found = compare_variants(first, second)
    assert found is not None
    assert (found.questions, found.better, found.worse) == (2, 1, 0)
    assert found.tokens is not None
    assert (found.passed.value, found.tokens.value) == (0.5, 25)
    assert compare_variants(first[:1], second[1:]) is None


def test_a_failed_answer_counts_against_its_variant_but_not_in_its_tokens() -> None:
    found = compare_variants([row("a", "culprit")], [row("a", "failed", tokens=0)])
    assert found is not None
    assert found.worse == 1
    assert found.tokens is None


@pytest.mark.parametrize(("better", "worse", "chance"), [(0, 0, 1.0), (5, 0, 0.0625), (5, 5, 1.0)])
def test_the_sign_test_is_two_sided(better: int, worse: int, chance: float) -> None:
    assert sign_test(better, worse) == pytest.approx(chance)
