"""What a trace was asked and answered, in the shapes that programs record."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.analysis.baseline import compute_quantiles
from app.analysis.user_question import find_answer, find_question

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("value", "question"),
    [
        ("How slow?", "How slow?"),
        ({"question": "How slow?", "k": 3}, "How slow?"),
        ({"context": "long " * 99, "query": "How slow?"}, "How slow?"),
        ({"args": {"message": "How slow?"}}, "How slow?"),
        (
            {
                "messages": [
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": "Hello"},
                    {"role": "user", "content": [{"type": "text", "text": "How slow?"}]},
                    {"role": "assistant", "content": "Very."},
                ]
            },
            "How slow?",
        ),
        ([{"type": "human", "content": "How slow?"}], "How slow?"),
        ({"number": 7}, "number: 7"),
        (None, ""),
        ({}, ""),
    ],
)
def test_the_question_is_found(value: Any, question: str) -> None:
    assert find_question(value, limit=100) == question


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"output": "Very."}, "Very."),
        ({"choices": [{"message": {"role": "assistant", "content": "Very."}}]}, "Very."),
        ({"reply": "Very."}, "Very."),
        ({"speed": "very"}, "speed: very"),
        ('{"output": "' + "x" * 9_989, '{"output": "' + "x" * 87 + "…"),
        (None, ""),
    ],
)
def test_the_answer_is_found(value: Any, said: str) -> None:
    assert find_answer(value, limit=100) == said


@given(JSON)
def test_any_value_becomes_one_bounded_line(value: Any) -> None:
    for text in (find_question(value, limit=80), find_answer(value, limit=80)):
        assert len(text) <= 80
        assert len(text.splitlines()) <= 1


@given(st.lists(st.none() | st.floats(allow_nan=True, allow_infinity=True)))
def test_percentiles_lie_among_the_values_in_their_order(values: list[float | None]) -> None:
    found = compute_quantiles(values)
    known = [value for value in values if value is not None and 0 <= value < float("inf")]
    if not known:
        assert found is None
    else:
        assert found is not None
        assert min(known) <= found.p50 <= found.p90 <= found.p99 <= max(known)
        steps = len(known) - 1
        for value, share in ((found.p50, 0.5), (found.p90, 0.9), (found.p99, 0.99)):
            assert sum(each <= value for each in known) >= share * steps
            assert sum(each >= value for each in known) >= (1 - share) * steps


def test_percentiles_are_interpolated() -> None:
    found = compute_quantiles([40.0, None, 10.0, 30.0, 20.0])
    assert found is not None
    assert (found.p50, found.p90, found.p99) == pytest.approx((25.0, 37.0, 39.7))
