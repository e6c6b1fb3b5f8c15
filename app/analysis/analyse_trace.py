"""From the spans of a trace to its analysis, in one step or, while it loads, in two.

Loading reads the structure of all spans first, `measure_trace` builds tree and profile from it,
`select_bodies` chooses whose bodies to read, and `add_bodies` judges what then is known.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from app.analysis.profile import build_profile
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import build_tree, newest_by_id
from app.opik.records import Span, Trace


def measure_trace(trace: Trace, spans: Sequence[Span]) -> TraceAnalysis:
    """Tree and profile, without findings; no body counts as read."""
    tree = build_tree(spans)
    return TraceAnalysis(trace, tree, build_profile(trace, tree))


def add_bodies(measured: TraceAnalysis, spans: Iterable[Span]) -> TraceAnalysis:
    """The analysis with findings; `spans` are records with bodies.

    Puts the records into the nodes of the given tree, so it is for an analysis that is not shared.
    Places and times stay as they were measured; tokens and errors are counted anew, since metadata
    holds some of them.
    """
    bodies = newest_by_id(spans)
    read = frozenset(bodies) & measured.tree.by_id.keys()
    for span_id in read:
        measured.tree.by_id[span_id].add_bodies(bodies[span_id])
    return _judged(replace(measured, bodies=read, profile=replace(measured.profile)))


def analyse_trace(
    trace: Trace, spans: Sequence[Span], *, bodies: Collection[str] | None = None
) -> TraceAnalysis:
    """The analysis of spans as they are. `bodies` are the ids of those whose bodies were read;
    None means every span that has one. Neither the trace nor the spans are changed."""
    measured = measure_trace(trace, spans)
    if bodies is None:
        bodies = [span.id for span in spans if _has_body(span)]
    return _judged(replace(measured, bodies=frozenset(bodies) & measured.tree.by_id.keys()))


def prepare_rules() -> None:
    """Imports the rules, a sixth of the start: nothing needs them before the first trace."""
    import app.analysis.ranking  # noqa: F401


def _judged(measured: TraceAnalysis) -> TraceAnalysis:
    from app.analysis.ranking import judge_trace

    findings, notes = judge_trace(measured)
    return replace(measured, findings=findings, notes=notes)


def _has_body(span: Span) -> bool:
    return not (span.input is None and span.output is None and span.metadata is None)
