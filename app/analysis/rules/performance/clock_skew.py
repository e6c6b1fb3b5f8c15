"""Spans whose times cannot be those of their parents' clock."""

from collections.abc import Iterator

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.text.one_line import format_duration
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node, TreeWarning

_LEAST_SKEW = 1_000_000  # microseconds (1 s): synchronised clocks differ by milliseconds
_LEAST_DELAY = 60_000_000  # microseconds (1 min) after the parent's end: queues are mostly quicker
_BEFORE_CONFIDENCE = 0.8  # nothing begins before the span that started it
_AFTER_CONFIDENCE = 0.5  # a queue may have delayed it as long


def find_clock_skew(analysis: TraceAnalysis) -> Iterator[Finding]:
    """A note on the span that lies farthest outside its parent's time."""
    warned = analysis.tree.ids_by_warning
    outside = {*warned.get(TreeWarning.EARLY, ()), *warned.get(TreeWarning.LATE, ())}
    odd = [
        (distance, node)
        for node in analysis.tree.nodes
        if node.id in outside
        and node.parent is not None
        and (distance := _measure_distance(node, node.parent))
    ]
    if not odd:
        return
    distance, worst = max(odd, key=lambda pair: (abs(pair[0]), -pair[1].index))
    where = "before its parent began" if distance < 0 else "after its parent had ended"
    why = "their clocks differ" if distance < 0 else "a queue delayed it, or their clocks differ"
    more = f" ({len(odd) - 1} more spans lie outside their parents' times)" if len(odd) > 1 else ""
    sentence = (
        f"{worst.title} started {format_duration(abs(distance))} {where}"
        f"{more}: {why}; it lengthens nothing that is measured here."
    )
    yield build_finding(
        Category.CLOCK_SKEW,
        _BEFORE_CONFIDENCE if distance < 0 else _AFTER_CONFIDENCE,
        sentence,
        [worst, *(node for _, node in odd)],
        {"off_ms": distance / 1_000, "spans": len(odd)},
        standing=Standing.NOTE,
    )


def _measure_distance(node: Node, parent: Node) -> int:
    """Microseconds from the parent's beginning back to the span's (negative), or from the parent's
    end to the span's beginning; 0 where the times can be of one clock."""
    untimed = TreeWarning.UNTIMED
    if not parent.finished or untimed in node.warnings or untimed in parent.warnings:
        return 0
    if node.start <= parent.start - _LEAST_SKEW:
        return node.start - parent.start
    return node.start - parent.end if node.start >= parent.end + _LEAST_DELAY else 0
