"""Failures without a failed span: empty, failed, cut and broken results, and errors they caused."""

from collections.abc import Iterator

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.rules.causes import FAULT_PHRASES, find_error_causes
from app.analysis.rules.symptoms import find_symptom
from app.analysis.suspicious_results import (
    WEAK_STRENGTH,
    Fault,
    SuspiciousResult,
    find_suspicious_results,
)
from app.analysis.text.one_line import format_count, one_line
from app.analysis.trace_analysis import TraceAnalysis

# Above a result with keys missing (0.5) and an empty tool result (0.3), which need a symptom;
# below an empty lookup (0.6).
_LEAST_ALONE = 0.55
_CERTAIN = 0.95  # strength that a symptom cannot raise further
_CATEGORIES = {
    Fault.EMPTY: Category.EMPTY_RESULT,
    Fault.FAILURE: Category.FAILURE_TEXT,
    Fault.CUT: Category.CUT_REPLY,
    Fault.BLOCKED: Category.CUT_REPLY,
    Fault.BROKEN_JSON: Category.BROKEN_JSON,
    Fault.PARTIAL: Category.PARTIAL_RESULT,
}


def find_silent_failures(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Suspicious results by fault and name, and errors with the result that caused them."""
    suspects = find_suspicious_results(analysis)
    yield from find_error_causes(analysis, suspects)
    symptom = find_symptom(analysis)
    groups: dict[tuple[Fault, str], list[SuspiciousResult]] = {}
    for suspect in suspects.values():
        groups.setdefault((suspect.fault, suspect.node.name), []).append(suspect)
    earlier: set[Fault] = set()
    for group in groups.values():
        finding = _judge_group(group, symptom, analysis, first=group[0].fault not in earlier)
        if finding is not None:
            earlier.add(group[0].fault)
            yield finding


def _judge_group(
    group: list[SuspiciousResult], symptom: str, analysis: TraceAnalysis, *, first: bool
) -> Finding | None:
    """A finding on suspects themselves, if they are strong enough or supported by a symptom.

    Later suspects of the same fault (not `first`) may be effects of the first.
    """
    head = group[0]
    strength = max(suspect.strength for suspect in group)
    backed = bool(symptom) and strength < _CERTAIN
    if strength < _LEAST_ALONE and (not symptom or (strength < WEAK_STRENGTH and not first)):
        return None
    calls = len(analysis.peers_of(head.node))
    name = one_line(head.node.name, limit=60)
    times = f" in {len(group)} of {format_count(calls, 'call')}" if calls > 1 else ""
    end = f"; {symptom}" if backed else ""
    sentence = f"{name} {FAULT_PHRASES[head.fault]}{times}: {head.reason}{end}."
    strongest = sorted(group, key=lambda suspect: -suspect.strength)
    # A symptom at the end supports the suspects; later ones may be effects of the first.
    confidence = min(_CERTAIN, strength + (0.15 if backed else 0.0)) - (0.0 if first else 0.2)
    nodes, numbers = [suspect.node for suspect in strongest], {"calls": len(group), "of": calls}
    return build_finding(_CATEGORIES[head.fault], confidence, sentence, nodes, numbers)
