"""Whether a trace is unlike the others of its name."""

from collections.abc import Iterator
from dataclasses import replace

from app.analysis.baseline import FEW, Usual, milliseconds, quantiles_text
from app.analysis.finding import Category, Finding
from app.analysis.text.one_line import counted, dollars, one_line
from app.analysis.trace_analysis import Examination

_SLOW = 2.0
_VERY_SLOW = 4.0
_LEAST_EXCESS_MS = 100
_COSTLY = 4.0
_LEAST_COST = 0.001


def with_usual(seen: Examination, usual: Usual) -> Examination:
    """The examination with what is usual for its name in it, and with what that lets one find."""
    found = sorted(
        [*seen.findings, *_unusual(seen, usual)],
        key=lambda finding: (-finding.rank, finding.category, finding.spans),
    )
    return replace(seen, usual=usual, findings=tuple(found))


def usual_line(seen: Examination) -> str | None:
    """What is usual for this name, on one line of the outline; None where it is not known."""
    usual = seen.usual
    if usual is None or usual.duration is None or usual.count < 2:
        return None
    name = one_line(seen.trace.name or "unnamed", limit=60)
    times = quantiles_text(usual.duration, milliseconds)
    few = "; too few to conclude from" if usual.count < FEW else ""
    return (
        f"usual in this project: {counted(usual.count, 'trace')} named {name},"
        f" {usual.window.text()}, took {times}{few}"
    )


def _unusual(seen: Examination, usual: Usual) -> Iterator[Finding]:
    if usual.count < FEW:
        return
    if (slow := _slower(seen, usual)) is not None:
        yield slow
    if (costly := _costlier(seen, usual)) is not None:
        yield costly


def _slower(seen: Examination, usual: Usual) -> Finding | None:
    """Above the p99, or far above the p90, and by enough to matter."""
    took, times = seen.trace.duration, usual.duration
    if took is None or times is None or took - times.p50 < _LEAST_EXCESS_MS:
        return None
    far = took > times.p90 and took >= _VERY_SLOW * times.p50
    if not far and not (took > times.p99 and took >= _SLOW * times.p50):
        return None
    sentence = (
        f"The whole trace took {milliseconds(took)}; of {counted(usual.count, 'trace')} of its name"
        f" half took at most {milliseconds(times.p50)}, and nine in ten at most"
        f" {milliseconds(times.p90)}."
    )
    longest = max(seen.profile.on_path, key=lambda id: seen.profile.on_path[id], default=None)
    numbers = {"ms": took, "p50_ms": times.p50, "p90_ms": times.p90, "traces": usual.count}
    spans = () if longest is None else (longest,)
    confidence = 0.9 if far else 0.75
    return Finding(Category.SLOWER_THAN_USUAL, confidence, sentence, spans, numbers)


def _costlier(seen: Examination, usual: Usual) -> Finding | None:
    cost, mean = seen.trace.total_estimated_cost, usual.mean_cost
    if cost is None or not mean or cost < _LEAST_COST or cost < _COSTLY * mean:
        return None
    sentence = (
        f"The whole trace cost {dollars(cost)}, {cost / mean:.0f} times the average of"
        f" {counted(usual.count, 'trace')} of its name ({dollars(mean)})."
    )
    own = seen.profile.own_spend
    dearest = max(seen.tree.nodes, key=lambda node: own[node.index].cost, default=None)
    numbers = {"cost": cost, "mean_cost": mean, "traces": usual.count}
    spans = () if dearest is None else (dearest.id,)
    return Finding(Category.COSTLIER_THAN_USUAL, 0.8, sentence, spans, numbers)
