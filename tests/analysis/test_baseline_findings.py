"""When a trace is unlike the others of its name: each threshold at its edge."""

from datetime import UTC, datetime

import pytest

from app.analysis.analyse_trace import analyse_trace
from app.analysis.baseline import FEW_TRACES, Baseline, BaselineWindow
from app.analysis.baseline_findings import add_baseline_findings
from app.opik.records import Quantiles
from tests.analysis.timeline import span, trace

WINDOW = BaselineWindow(datetime(2026, 11, 13, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC))


def found(usual: Baseline, *, ms: float = 1_000, cost: float | None = None) -> list[str]:
    """The categories of what is found of a trace of one span that took so long and cost so much."""
    whole = trace(end=ms, total_estimated_cost=cost)
    analysis = add_baseline_findings(analyse_trace(whole, [span("step", 0, ms)], bodies=()), usual)
    return [
        each.category.value for each in analysis.findings if "than_usual" in each.category.value
    ]


def times(p50: float, p90: float, p99: float, *, count: int = 100) -> Baseline:
    return Baseline(WINDOW, count, duration=Quantiles(p50=p50, p90=p90, p99=p99))


@pytest.mark.parametrize(
    ("usual", "most"),
    [
        pytest.param(times(1_000, 2_000, 9_000), 4_000, id="four times the median"),
        pytest.param(times(1_000, 5_000, 9_000), 5_001, id="above the p90"),
        pytest.param(times(1_000, 2_000, 2_400), 2_401, id="above the p99"),
        pytest.param(times(1_000, 1_500, 1_800), 2_000, id="twice the median above the p99"),
        pytest.param(times(10, 20, 30), 110, id="by a tenth of a second"),
    ],
)
def test_slow_trace_thresholds(usual: Baseline, most: int) -> None:
    assert found(usual, ms=most) == ["slower_than_usual"]
    assert found(usual, ms=most - 1) == []


def test_too_few_traces_give_no_finding() -> None:
    assert found(times(10, 20, 30, count=FEW_TRACES), ms=9_000) == ["slower_than_usual"]
    assert found(times(10, 20, 30, count=FEW_TRACES - 1), ms=9_000) == []


@pytest.mark.parametrize(
    ("mean", "least"),
    [
        pytest.param(0.01, 0.04, id="four times the average"),
        pytest.param(0.0001, 0.001, id="a tenth of a cent"),
    ],
)
def test_costly_trace_thresholds(mean: float, least: float) -> None:
    usual = Baseline(WINDOW, 100, mean_cost=mean)
    assert found(usual, cost=least) == ["costlier_than_usual"]
    assert found(usual, cost=least * 0.999) == []


def test_a_costly_trace_names_the_dearest_span_only_where_a_cost_was_recorded() -> None:
    usual = Baseline(WINDOW, 100, mean_cost=0.01)
    whole = trace(end=9, total_estimated_cost=0.5)
    for cost, named in ((None, ()), (0.4, ("call",))):
        call = span("call", 1, 2, parent_span_id="agent", total_estimated_cost=cost)
        analysis = analyse_trace(whole, [span("agent", 0, 9), call], bodies=())
        [finding] = add_baseline_findings(analysis, usual).findings
        assert finding.spans == named
