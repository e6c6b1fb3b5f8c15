"""Amounts with units as texts in several languages write them."""

from app.analysis.text.amounts import find_amounts, spells
from testkit.case_tables import each_case


@each_case(
    "text, unit, value",
    [
        ("EUR 1,150 per month", "eur", 1150.0),
        ("1.204,50 € im Monat", "eur", 1204.5),
        ("it is $22.40.", "usd", 22.4),
        ("2.310 kWh en mayo", "kwh", 2310.0),
        ("312,70 zł", "pln", 312.7),
        ("CHF 1'200.00", "chf", 1200.0),
    ],
)
def test_an_amount_is_read_with_its_unit(text: str, unit: str, value: float) -> None:
    assert [(each.unit, each.value) for each in find_amounts(text)] == [(unit, value)]


@each_case("text", ["12 listings", "2026-05-04", "v1.2", "step 3 of 5", "room EUR", "10 kmh"])
def test_what_has_no_unit_is_no_amount(text: str) -> None:
    assert find_amounts(text) == []


@each_case(
    "text, found",
    [
        ("1,150.00", True),
        ("1150", True),
        ('"cents": 115000', True),
        ("11505", False),
        ("0.1150", False),
    ],
)
def test_a_value_is_found_however_it_is_written(text: str, found: bool) -> None:
    assert (spells(1150.0).search(text) is not None) is found
