"""The spans of a trace as the rows of a waterfall: place, time, error and critical path."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.analysis.critical_path import Segment, find_critical_path
from app.analysis.tree import Node, Tree, build_tree
from app.explorer.error_text import format_error
from app.opik.client import SpanList

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAME_SHOWN = 300
"""Characters of a name; a row shows some 60."""
_SMALLEST_GAP = 0.001
"""Of the whole time: segments of a path that are closer are drawn as one, being less than a pixel
apart on any screen."""

Stretch = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanRow:
    """A span in the order of the tree, parents first.

    Times are milliseconds; `start_ms` counts from the first span. `critical` are the stretches in
    which the trace waited for this span's own work. `unfinished` spans end where something below
    them was last seen to run. None stands for what is not known.
    """

    id: str
    parent: str | None = None
    name: str
    type: str
    start_ms: float
    duration_ms: float
    unfinished: bool | None = None
    error: str | None = None
    model: str | None = None
    tokens: float | None = None
    cost: float | None = None
    critical: Sequence[Stretch] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """The rows of a trace from `start_time` on; `complete` is False where spans are missing."""

    spans: Sequence[SpanRow]
    start_time: datetime | None = None
    duration_ms: float
    complete: bool


def build_waterfall(found: SpanList) -> Waterfall:
    """The waterfall of a list of spans."""
    tree = build_tree(found.spans)
    on_path = _collect_stretches(find_critical_path(tree), tree)
    return Waterfall(
        spans=[_build_row(node, tree.start, on_path.get(node.id)) for node in tree.nodes],
        start_time=_EPOCH + timedelta(microseconds=tree.start) if tree.nodes else None,
        duration_ms=(tree.end - tree.start) / 1_000,
        complete=not found.cut and not found.unreadable,
    )


def _collect_stretches(path: Iterable[Segment], tree: Tree) -> dict[str, list[Stretch]]:
    """The stretches of the path by span, in ms from the first span, near ones joined."""
    gap = (tree.end - tree.start) * _SMALLEST_GAP / 1_000
    stretches: dict[str, list[Stretch]] = {}
    for segment in path:
        if segment.node is None:
            continue
        start, end = (segment.start - tree.start) / 1_000, (segment.end - tree.start) / 1_000
        known = stretches.setdefault(segment.node.id, [])
        if known and start - known[-1][1] <= gap:
            known[-1] = (known[-1][0], end)
        else:
            known.append((start, end))
    return stretches


def _build_row(node: Node, start: int, critical: Sequence[Stretch] | None) -> SpanRow:
    span = node.span
    return SpanRow(
        id=span.id,
        parent=node.parent.id if node.parent else None,
        name=node.name[:_NAME_SHOWN],
        type=span.type or "general",
        start_ms=(node.start - start) / 1_000,
        duration_ms=node.duration / 1_000,
        unfinished=None if node.finished else True,
        error=format_error(node.error),
        model=span.model,
        tokens=span.usage.get("total_tokens"),
        cost=span.total_estimated_cost,
        critical=critical,
    )
