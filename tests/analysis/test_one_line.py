"""How numbers are written for a model and a person."""

import pytest

from app.analysis.text.one_line import format_ratio, format_usd


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (0, "$0"),
        (1234.5, "$1,234.50"),
        (0.5, "$0.5"),
        (0.0123, "$0.012"),
        (0.000035, "$0.000035"),
        (0.000000012, "$0.000000012"),
        (3e-30, "$3.0e-30"),
        (-0.00042, "$-0.00042"),
    ],
)
def test_a_cost_has_two_significant_digits(amount: float, written: str) -> None:
    assert format_usd(amount) == written


@pytest.mark.parametrize(
    ("ratio", "written"),
    [
        (0.54, "0.5"),
        (2.43, "2.4"),
        (9.97, "10"),
        (846.2, "850"),
        (33_058.8, "33,000"),
    ],
)
def test_a_ratio_has_two_significant_digits(ratio: float, written: str) -> None:
    assert format_ratio(ratio) == written
