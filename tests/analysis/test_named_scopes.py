"""Periods, figures, and values with a fixed set of spellings, as texts name them."""

from datetime import date
from typing import Any

from app.analysis.recorded.body import Body
from app.analysis.recorded.result_envelope import find_result
from app.analysis.recorded.scope_words import ScopeWord, find_scope_words, read_scope_value
from app.analysis.text.asked_periods import find_asked_periods, find_asked_ranges
from app.analysis.text.figures import can_come_from, find_figures
from app.analysis.text.named_periods import Period, find_argument_period, find_periods
from testkit.case_tables import each_case


def days(first: str, last: str) -> Period:
    """From the first day to the last one, both included."""
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return Period(start.toordinal(), end.toordinal() + 1)


@each_case(
    "text, first, last",
    [
        ("What happened on 2026-05-04?", "2026-05-04", "2026-05-04"),
        ("der Umsatz im März 2026", "2026-03-01", "2026-03-31"),
        ("on 14 May 2026, please", "2026-05-14", "2026-05-14"),
        ("on May 14th, 2026", "2026-05-14", "2026-05-14"),
        ("am 4.5.2026", "2026-05-04", "2026-05-04"),
        ("for Q3 2025", "2025-07-01", "2025-09-30"),
        ("in the third quarter of 2025", "2025-07-01", "2025-09-30"),
        ("2026年3月的收入", "2026-03-01", "2026-03-31"),
        ("How many claims in 2024?", "2024-01-01", "2024-12-31"),
    ],
)
def test_a_period_is_read_in_any_of_several_languages(text: str, first: str, last: str) -> None:
    assert find_periods(text) == [days(first, last)]


_NEAR = date(2026, 5, 4)


@each_case(
    "text, first, last",
    [
        ("lørdag 16. mai med bil", "2026-05-16", "2026-05-16"),
        ("na 12. června pro dvě osoby", "2026-06-12", "2026-06-12"),
        ("17 maja", "2026-05-17", "2026-05-17"),
        ("17. toukokuuta", "2026-05-17", "2026-05-17"),
        ("6 Haziran'da", "2026-06-06", "2026-06-06"),
        ("17 мая", "2026-05-17", "2026-05-17"),
        ("8月14日（金）に", "2026-08-14", "2026-08-14"),
        ("5월 20일", "2026-05-20", "2026-05-20"),
        ("on May 17th at 3", "2026-05-17", "2026-05-17"),
        ("les recettes de juin", "2026-06-01", "2026-06-30"),
        ("toukokuussa", "2026-05-01", "2026-05-31"),
        ("from 12 to 14 November", "2026-11-12", "2026-11-14"),
        ("8月14日〜16日", "2026-08-14", "2026-08-16"),
        ("3 nights from 9 June", "2026-06-06", "2026-06-12"),
    ],
)
def test_a_question_may_name_days_without_a_year(text: str, first: str, last: str) -> None:
    assert days(first, last) in find_asked_periods(text, near=_NEAR)


@each_case("text", ["room 12 may be used", "3か月", "3개월", "we march on", "about 12 guests"])
def test_what_is_no_day_of_a_question_is_none(text: str) -> None:
    assert find_asked_periods(text, near=_NEAR) == []


@each_case(
    "text, first, last",
    [
        ("in den ersten vier Monaten 2026", "2026-01-01", "2026-04-30"),
        ("de eerste negen maanden", "2026-01-01", "2026-09-30"),
        ("les neuf premiers mois de 2025", "2025-01-01", "2025-09-30"),
        ("January to June 2025", "2025-01-01", "2025-06-30"),
        ("januari tot en met september", "2026-01-01", "2026-09-30"),
        ("Q1 à Q3 2025", "2025-01-01", "2025-09-30"),
        ("erstes Halbjahr 2025", "2025-01-01", "2025-06-30"),
        ("1月から9月まで", "2026-01-01", "2026-09-30"),
    ],
)
def test_a_range_of_months_is_read_whole(text: str, first: str, last: str) -> None:
    assert days(first, last) in find_asked_ranges(text, near=_NEAR)


@each_case(
    "text",
    [
        "May I bring my dog?",
        "order 20260504-1",
        "version 2.2024.1",
        "the 31.2.2026",
        "0000-00 and 2026-13",
    ],
)
def test_what_is_no_period_is_none(text: str) -> None:
    assert find_periods(text) == []


@each_case(
    "given, first, last",
    [
        ({"from": "2026-02-01", "to": "2026-03-01"}, "2026-02-01", "2026-02-28"),
        ({"year": 2025, "quarter": "Q2"}, "2025-04-01", "2025-06-30"),
        ({"year": "2025", "month": "June"}, "2025-06-01", "2025-06-30"),
        ({"since": "2026-02-01"}, "2026-02-01", "9999-12-30"),
        ({"sql": "SELECT 1 FROM t WHERE day < '2026-02-01'"}, "0001-01-01", "2026-02-01"),
    ],
)
def test_the_arguments_of_a_call_name_one_period(given: Any, first: str, last: str) -> None:
    assert find_argument_period(Body(given).leaves) == days(first, last)


def test_when_a_call_was_made_is_not_what_it_is_about() -> None:
    assert find_argument_period(Body({"timestamp": "2026-02-01", "id": 7}).leaves) is None


@each_case(
    "text, expected",
    [
        ("1,204.55 EUR and 184.200,50 €", [[1204.55], [184200.5]]),
        ("1,893 claims", [[1893, 1.893]]),
        ("since 2024, at 19:40, on 2026-05-04", []),
        ("1. first\n2. second\n12. last", []),
        ("9" * 60, []),
    ],
)
def test_figures_are_read_as_written(text: str, expected: list[list[float]]) -> None:
    assert [list(figure.values) for figure in find_figures(text)] == expected


@each_case(
    "text, numbers, expected",
    [
        ("about 1,205", [1204.55], True),
        ("42 in all", [12, 30], True),
        ("25 %", [30, 120], True),
        ("5.4 km", [5400], True),
        ("2,310.10", [1204.55], False),
        ("14 pieces", [2, 2], False),
    ],
)
def test_a_figure_comes_from_numbers(text: str, numbers: list[float], expected: bool) -> None:
    (figure,) = find_figures(text)
    assert can_come_from(figure, numbers) is expected


def test_scope_words_are_found_in_texts_and_fields() -> None:
    portugal = ScopeWord("country", "PT")
    assert find_scope_words("our guests in Portugal") == {portugal}
    assert find_scope_words("in PT, it is in") == frozenset()
    assert read_scope_value("countrycode", "PT") == {portugal}
    assert read_scope_value("initials", "PT") == frozenset()
    assert find_scope_words("in Swiss francs (CHF)") == {ScopeWord("currency", "CHF")}


@each_case(
    "value, expected",
    [
        ({"output": {"content": "[]", "type": "tool", "tool_call_id": "1"}}, "[]"),
        ({"content": "x", "tool_name": "t", "raw_output": {"a": 1}}, "x"),
        ({"tool_call_id": "1", "content": [{"type": "text", "text": "x"}]}, "x"),
        ({"output": {"rows": []}}, {"output": {"rows": []}}),
        ("text", "text"),
    ],
)
def test_the_result_is_taken_out_of_the_message_of_a_framework(value: Any, expected: Any) -> None:
    assert find_result(value) == expected
