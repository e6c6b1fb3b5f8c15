"""The summary of a run, as its reader sees it."""

from collections.abc import Sequence
from dataclasses import replace

from evals.grading import Verdict
from evals.results import ResultRow
from evals.summary_table import format_summary
from tests.evals.test_result_statistics import row

# One line a question: the verdict and the place of the culprit, of each variant. The last three
# are about healthy traces.
ANSWERS: Sequence[tuple[tuple[Verdict, int], tuple[Verdict, int]]] = [
    (("culprit", 1), ("culprit", 1)),
    (("culprit", 2), ("culprit", 1)),
    (("symptom", 0), ("culprit", 1)),
    (("wrong", 0), ("culprit", 3)),
    (("wrong", 0), ("symptom", 0)),
    (("wrong", 0), ("symptom", 0)),
    (("nothing", 0), ("failed", 0)),
    (("quiet", 0), ("quiet", 0)),
    (("false_alarm", 0), ("quiet", 0)),
    (("quiet", 0), ("false_alarm", 0)),
]
# Shares: Wilson's intervals as tabled, 1 of 7 is 2.6 to 51.3 %, 2 of 7 is 8.2 to 64.1 %, and so on.
SUMMARY = """\
|                                  | plain                  | taught                 |
| -------------------------------- | ---------------------- | ---------------------- |
| answers                          | 10                     | 10                     |
| right                            | 40% (17% to 69%)       | 60% (31% to 83%)       |
| faulty: culprit named            | 29% (8% to 64%)        | 57% (25% to 84%)       |
| faulty: culprit named first      | 14% (3% to 51%)        | 43% (16% to 75%)       |
| faulty: symptom named instead    | 14% (3% to 51%)        | 29% (8% to 64%)        |
| faulty: other span named instead | 43% (16% to 75%)       | 0% (0% to 35%)         |
| faulty: nothing named            | 14% (3% to 51%)        | 0% (0% to 35%)         |
| healthy: false alarm             | 33% (6% to 79%)        | 33% (6% to 79%)        |
| failed                           | 0% (0% to 28%)         | 10% (2% to 40%)        |
| tokens                           | 1,450 (1,280 to 1,620) | 2,433 (2,244 to 2,622) |
| seconds                          | 1.0 (1.0 to 1.0)       | 2.5 (2.5 to 2.5)       |
| steps                            | 1.0 (1.0 to 1.0)       | 3.0 (3.0 to 3.0)       |
| tool calls                       | 0.0 (0.0 to 0.0)       | 4.0 (4.0 to 4.0)       |

| against plain           | taught                    |
| ----------------------- | ------------------------- |
| questions asked of both | 10                        |
| right                   | +20 points (-20 to +60)   |
| better / worse          | 3 / 1                     |
| chance                  | 0.62                      |
| tokens                  | +1,000 (+1,000 to +1,000) |
| seconds                 | +1.5 (+1.5 to +1.5)       |

Failed answers:

- taught: cut (1 times)
"""


def rows() -> list[ResultRow]:
    found = []
    for number, (plain, taught) in enumerate(ANSWERS):
        for variant, (verdict, place), tokens in (
            ("plain", plain, 1_000),
            ("taught", taught, 2_000),
        ):
            failed = verdict == "failed"
            each = row(f"q{number}", verdict, tokens=0 if failed else tokens + 100 * number)
            change = {"variant": variant, "place": place, "healthy": number > 6}
            if variant == "taught":
                change |= {"seconds": 2.5, "steps": 3, "tool_calls": 4}
            found.append(replace(each, **change))
    return found


def test_the_summary_has_shares_intervals_the_comparison_and_failures() -> None:
    text, legend = format_summary(rows(), ["plain", "taught"]).split("\n\nShares and means")
    assert f"{text}\n" == SUMMARY
    assert legend


def test_against_the_better_variant_the_other_one_is_worse() -> None:
    text = format_summary(rows(), ["taught", "plain"])
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    assert ["right", "-20 points (-60 to +20)"] in lines
    assert ["better / worse", "1 / 3"] in lines


def test_one_variant_is_compared_with_nothing() -> None:
    assert "against" not in format_summary(rows()[::2], ["plain"])
