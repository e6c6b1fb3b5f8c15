"""Bodies that mean the same have one fingerprint, whatever it leaves out."""

import random
from typing import Any

import pytest

from app.analysis.recorded.body import Body

EQUAL: list[tuple[Any, Any]] = [
    ({"city": "Berlin", "page": 2}, {"page": 2, "city": "Berlin"}),
    ({"city": "Berlin"}, {"city": "BERLIN"}),
    ({"city": "Straße"}, {"city": "STRASSE"}),
    ({"q": "two  blanks and\u2003more"}, {"q": "two blanks  and more"}),
    ({"q": "Order 7", "attempt": 1}, {"q": "Order 7", "attempt": 2}),
    ({"q": "attempt 1 of the order"}, {"q": "attempt 2 of the order"}),
    ({"at": "2026-01-01T10:00:00Z", "n": 1}, {"at": "2026-01-02T11:30:00Z", "n": 1}),
    ({"result": '{"rows": [1, 2]}'}, {"result": {"rows": [1, 2]}}),
]
DIFFERENT: list[tuple[Any, Any]] = [
    ({"city": "Berlin"}, {"city": "Paris"}),
    ({"id": 1}, {"id": 2}),
    ({"rows": [1, 2]}, {"rows": [1, 2, 3]}),
    ({"messages": [{"content": "one"}]}, {"messages": [{"content": "two"}]}),
]


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_equal_bodies_have_one_fingerprint(one: Any, other: Any) -> None:
    assert Body(one).timeless == Body(other).timeless
    assert Body(one).fingerprint == Body(other).fingerprint


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_first_values_have_different_fingerprints(one: Any, other: Any) -> None:
    assert Body(one).fingerprint != Body(other).fingerprint


@pytest.mark.parametrize("nothing", [None, {}, "", {"text": "[REDACTED]"}])
def test_fingerprint_of_an_absent_or_blank_body_is_false(nothing: Any) -> None:
    assert not Body(nothing).timeless
    assert not Body(nothing).fingerprint


def test_fingerprints_of_texts_that_differ_in_blanks_and_case_are_equal() -> None:
    rng = random.Random(3)
    parts = ["a", "B", " ", "  ", "\n", "\u00a0", "ß", "word", "12", "3.5", "\t", "İ", "x,"]
    equal = 0
    for _ in range(3_000):
        written = [rng.choice(parts) for _ in range(rng.randint(1, 40))]
        other = ["  " if part == " " and rng.random() < 0.5 else part.lower() for part in written]
        one, two = Body({"k": "".join(written)}), Body({"k": "".join(other)})
        if one.timeless == two.timeless:
            equal += 1
            assert one.fingerprint == two.fingerprint, written
    assert equal > 1_000
