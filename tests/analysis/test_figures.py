"""Figures as texts name them."""

from app.analysis.rules.data_flow.figures import derive_numbers, find_figures, is_among
from testkit.case_tables import each_case


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
    assert is_among(figure, derive_numbers(numbers)) is expected
