"""Findings about a trace that is slower or costlier than the others of its name."""

from dataclasses import replace

from app.analysis.baseline import FEW_TRACES, Baseline, format_milliseconds, format_quantiles
from app.analysis.finding import Category, Finding, build_finding
from app.analysis.text.one_line import format_count, format_ratio, format_usd, one_line
from app.analysis.trace_analysis import TraceAnalysis

_SLOW = 2.0  # times the median, for a trace above the p99: rare, and slow enough to be noticed
_VERY_SLOW = 4.0  # times the median, for a trace above the p90 only, which one trace in ten is
_LEAST_EXCESS_MS = 100  # milliseconds above the median: a user hardly notices less
_COSTLY = 4.0  # times the mean: costs are skewed, two or three times the mean are common
_LEAST_COST = 0.001  # USD: below a tenth of a cent a multiple is of no interest
_CONFIDENCE_VERY_SLOW = 0.9  # a fact, but a larger input may explain it
_CONFIDENCE_SLOW = 0.75  # one trace in a hundred is above the p99
_CONFIDENCE_COSTLY = 0.8  # a mean, with which costs are compared, says less than percentiles


def add_baseline_findings(analysis: TraceAnalysis, usual: Baseline) -> TraceAnalysis:
    """The analysis with the baseline of its name, and the findings that follow from it."""
    found = list(analysis.findings)
    if usual.count >= FEW_TRACES:
        unusual = (_find_slower(analysis, usual), _find_costlier(analysis, usual))
        found += [finding for finding in unusual if finding is not None]
    found.sort(key=lambda finding: (-finding.rank, finding.category, finding.spans))
    return replace(analysis, baseline=usual, findings=tuple(found))


def format_baseline(analysis: TraceAnalysis) -> str | None:
    """The baseline as one line of the outline; None where it is not known."""
    usual = analysis.baseline
    if usual is None or usual.duration is None or usual.count < 2:
        return None
    name = one_line(analysis.trace.name or "unnamed", limit=60)
    times = format_quantiles(usual.duration, format_milliseconds)
    few = "; too few to conclude from" if usual.count < FEW_TRACES else ""
    return (
        f"baseline in this project: {format_count(usual.count, 'trace')} named {name},"
        f" {usual.window.text()}, took {times}{few}"
    )


def _find_slower(analysis: TraceAnalysis, usual: Baseline) -> Finding | None:
    """Above the p99, or far above the p90, and by enough to matter."""
    took, times = analysis.trace.duration, usual.duration
    if took is None or times is None or took - times.p50 < _LEAST_EXCESS_MS:
        return None
    far = took > times.p90 and took >= _VERY_SLOW * times.p50
    if not far and not (took > times.p99 and took >= _SLOW * times.p50):
        return None
    sentence = (
        f"The whole trace took {format_milliseconds(took)};"
        f" of {format_count(usual.count, 'trace')} of its name"
        f" the median took {format_milliseconds(times.p50)}, 90 % at most"
        f" {format_milliseconds(times.p90)}."
    )
    on_path = analysis.profile.on_path
    longest = max(on_path, key=lambda span_id: on_path[span_id], default=None)
    numbers = {"ms": took, "p50_ms": times.p50, "p90_ms": times.p90, "traces": usual.count}
    nodes = [] if longest is None else [analysis.tree.by_id[longest]]
    confidence = _CONFIDENCE_VERY_SLOW if far else _CONFIDENCE_SLOW
    return build_finding(Category.SLOWER_THAN_USUAL, confidence, sentence, nodes, numbers)


def _find_costlier(analysis: TraceAnalysis, usual: Baseline) -> Finding | None:
    cost, mean = analysis.trace.total_estimated_cost, usual.mean_cost
    if cost is None or not mean or cost < _LEAST_COST or cost < _COSTLY * mean:
        return None
    sentence = (
        f"The whole trace cost {format_usd(cost)}, {format_ratio(cost / mean)} times the average of"
        f" {format_count(usual.count, 'trace')} of its name ({format_usd(mean)})."
    )
    own = analysis.profile.own_spend
    priced = [node for node in analysis.tree.nodes if own[node.index].cost > 0]
    nodes = [max(priced, key=lambda node: own[node.index].cost)] if priced else []
    numbers = {"cost": cost, "mean_cost": mean, "traces": usual.count}
    category = Category.COSTLIER_THAN_USUAL
    return build_finding(category, _CONFIDENCE_COSTLY, sentence, nodes, numbers)
