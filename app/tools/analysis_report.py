"""The analysis of a trace as a JSON value, for clients that ask no model."""

from collections.abc import Iterable
from typing import Any

from app.analysis.finding import Finding
from app.analysis.text.lines import SENTENCE_SHOWN
from app.analysis.text.one_line import one_line
from app.analysis.text.token_budget import Alias
from app.analysis.trace_analysis import TraceAnalysis

_PATH_SHOWN = 20  # spans: below a twentieth of the whole time a span is no place to save time


def build_analysis_report(
    analysis: TraceAnalysis, *, alias: Alias, loaded_all: bool
) -> dict[str, Any]:
    """Findings and notes, the most important first, and the profile.

    A `confidence` lies between 0 and 1. Sentences and names are bounded plain text on one line, not
    Markdown. Durations are milliseconds, `cost` is US dollars, both without double counting.
    `critical_path` are the spans on whose own work the trace waited, the longest first: `ms` is the
    time of that work and `share` its part of the path's whole time, between 0 and 1.
    `complete` is false where spans (`loaded_all` is False) or bodies were left unread; a body that
    the backend cut counts as read.
    """
    read_all = len(analysis.bodies) >= len(analysis.tree.nodes)
    return {
        "findings": [_describe_finding(each, analysis, alias) for each in analysis.findings],
        "notes": [_describe_finding(each, analysis, alias) for each in analysis.notes],
        "profile": _describe_profile(analysis, alias),
        "complete": loaded_all and read_all,
    }


def list_reported_spans(analysis: TraceAnalysis) -> Iterable[str]:
    """The ids of the spans that the report names, in its order."""
    for finding in (*analysis.findings, *analysis.notes):
        yield from finding.spans
    yield from _longest_on_path(analysis)


def _describe_finding(finding: Finding, analysis: TraceAnalysis, alias: Alias) -> dict[str, Any]:
    return {
        "category": finding.category.value,
        "confidence": round(finding.confidence, 2),
        "sentence": one_line(finding.sentence, limit=SENTENCE_SHOWN),
        "spans": [_describe_span(span_id, analysis, alias) for span_id in finding.spans],
    }


def _describe_span(span_id: str, analysis: TraceAnalysis, alias: Alias) -> dict[str, Any]:
    name = one_line(analysis.tree.by_id[span_id].name)
    return {"id": span_id, "name": name, "alias": alias(span_id)}


def _describe_profile(analysis: TraceAnalysis, alias: Alias) -> dict[str, Any]:
    profile = analysis.profile
    path = [
        {
            **_describe_span(span_id, analysis, alias),
            "ms": profile.on_path[span_id] / 1_000,
            "share": round(profile.on_path[span_id] / profile.duration, 4),
        }
        for span_id in _longest_on_path(analysis)
    ]
    return {
        "duration_ms": analysis.wall_time / 1_000,
        "critical_path": path,
        "cost": profile.spend.cost,
        "tokens": round(profile.spend.tokens),
    }


def _longest_on_path(analysis: TraceAnalysis) -> list[str]:
    times = analysis.profile.on_path
    return sorted(times, key=lambda span_id: (-times[span_id], span_id))[:_PATH_SHOWN]
