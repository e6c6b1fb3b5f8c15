"""One trace, looked at from all sides once; every text about it is written from this."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.analysis.baseline import Baseline
from app.analysis.body_selection import select_bodies
from app.analysis.finding import Finding
from app.analysis.profile import Profile, build_profile
from app.analysis.ranking import find_findings
from app.analysis.tree import Tree, build_tree
from app.opik.records import Span, Trace


@dataclass(frozen=True, slots=True)
class TraceAnalysis:
    """`bodies` are the ids of the spans whose input, output and metadata were read; `usual` is how
    the traces of this name are in their project, None where that was not asked or not told."""

    trace: Trace
    tree: Tree
    profile: Profile
    findings: tuple[Finding, ...]
    bodies: frozenset[str]
    usual: Baseline | None = None


def choose_bodies(trace: Trace, spans: Sequence[Span], *, most: int = 200) -> tuple[str, ...]:
    """Ids of the spans whose bodies to read before `examine`: all up to 300, else `most`."""
    tree = build_tree(spans)
    return select_bodies(tree, build_profile(trace, tree), most=most)


def analyse_trace(
    trace: Trace, spans: Sequence[Span], *, bodies: Collection[str] | None = None
) -> TraceAnalysis:
    """Tree, profile and findings. `bodies` says whose bodies were read; None means every span
    that has one. Neither the trace nor the spans are changed."""
    tree = build_tree(spans)
    profile = build_profile(trace, tree)
    if bodies is None:
        bodies = [span.id for span in spans if _has_body(span)]
    read = frozenset(bodies) & tree.by_id.keys()
    return TraceAnalysis(
        trace, tree, profile, find_findings(trace, tree, profile, bodies=read), read
    )


def _has_body(span: Span) -> bool:
    return not (span.input is None and span.output is None and span.metadata is None)
