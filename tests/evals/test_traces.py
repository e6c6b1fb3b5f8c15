"""The analysis on traces of programs that were written without knowing its rules."""

from pathlib import Path

import pytest

from evals.case_records import list_case_files, read_labels
from evals.case_scores import CaseResult, measure_sureness, run_case

TRACES = Path(__file__).parents[2] / "evals" / "traces"


def run_folder(name: str) -> list[CaseResult]:
    folder = TRACES / name
    labels = read_labels(folder)
    return [run_case(path, labels[path.name]) for path in list_case_files(folder)]


@pytest.mark.parametrize(
    ("name", "least_first", "most_accused"),
    [
        ("developed", 0.67, 2),
        ("recorded", 0.84, 8),
        ("reported", 0.96, 1),
        ("kept-apart", 0.48, 1),
        ("recorded-kept-apart", 0.70, 1),
    ],
)
def test_the_analysis_finds_no_fewer_faults_and_accuses_no_more_healthy_traces(
    name: str, least_first: float, most_accused: int
) -> None:
    """The bounds lie a little below what was reached, so that a rule may change a few traces."""
    results = run_folder(name)
    faulty = [result for result in results if result.right]
    accused = [result.name for result in results if result.healthy and result.findings]
    assert not [result.name for result in results if result.crash]
    assert sum(result.named_within(1) for result in faulty) >= least_first * len(faulty)
    assert len(accused) <= most_accused, accused
    assert measure_sureness(results) >= 0.8
