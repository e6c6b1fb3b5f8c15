"""What became known of a trace after the model had read its outline."""

from app.analysis.baseline_findings import format_baseline
from app.analysis.text.lines import format_finding
from app.analysis.text.token_budget import Alias
from app.analysis.trace_analysis import TraceAnalysis


def describe_late_findings(analysis: TraceAnalysis, known: TraceAnalysis, *, alias: Alias) -> str:
    """The baseline and the findings that `known`, an earlier analysis of the trace, had not."""
    lines = []
    if known.baseline is None and (baseline := format_baseline(analysis)):
        lines.append(baseline)
    lines += [
        f"finding: {format_finding(each, alias=alias)}"
        for each in analysis.findings
        if each not in known.findings
    ]
    return "\n".join(["[known since the outline was written]", *lines]) if lines else ""
