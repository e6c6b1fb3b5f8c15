"""Searching values: that looking at many at once finds what looking at each one finds."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.opik.records import Span
from app.tools import search_scan
from app.tools.search_pattern import SearchPattern
from app.tools.search_scan import Hit, HitCounter, scan_bodies

TEXTS = st.text("ab1: \n.x", max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 20) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
PATTERNS = [
    *("a", "^a", "a$", "a: 1", "^b: [^2]", r"\[1\]: ", r"\Aa", r"b\z", "(?s)a.b", r"\bab\b", ": $"),
    *("(?-m)^b", r"x\nx", "^$", "a*", r"[^a]\.", r"\Ba"),
]


def find_hits(pattern: str, value: Any) -> list[Hit]:
    span = Span(id="a", trace_id="t", input=value, output=[value, 7])
    counter = HitCounter()
    scan_bodies(SearchPattern(pattern, regex=True), span, ["input", "output"], counter)
    return counter.hits


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON, st.sampled_from(PATTERNS))
def test_a_batch_without_a_match_holds_no_value_with_one(
    monkeypatch: pytest.MonkeyPatch, value: Any, pattern: str
) -> None:
    found = find_hits(pattern, value)
    with monkeypatch.context() as patch:
        patch.setattr(search_scan._KeyMatcher, "may_match", lambda *_: True)
        assert found == find_hits(pattern, value)


def test_a_value_in_ten_thousand_lists_is_searched() -> None:
    value: Any = "needle"
    for _ in range(10_000):
        value = [value]
    assert len(find_hits("needle", value)) == 2
    while isinstance(value, list):
        value = value[0]
