"""An analysis report as plain text."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.terminal.display import clean

Report = Mapping[str, Any]


def format_report(report: Report, *, ignored: int = 0) -> str:
    """Findings, notes and profile of `GET …/analysis`, a line each.

    `ignored` findings were taken out of the report.
    """
    return clean("\n".join(_list_lines(report, ignored)))


def _list_lines(report: Report, ignored: int) -> Iterator[str]:
    findings, notes = report["findings"], report["notes"]
    if ignored:
        none = f"No findings that are sure enough; less sure ones: {ignored}."
    else:
        none = "No findings: nothing seems wrong in this trace."
    yield "Findings:" if findings else none
    for number, each in enumerate(findings, 1):
        sure = f"{each['confidence']:.0%} sure"
        yield f"{number}. {each['sentence']} ({each['category']}, {sure}{_name_spans(each)})"
    if notes:
        yield "Notes (unusual, but harmless):"
    for each in notes:
        yield f"- {each['sentence']} ({each['category']}{_name_spans(each)})"
    profile = report["profile"]
    cost = profile["cost"]
    yield (
        f"{profile['duration_ms'] / 1_000:,.2f} s, {profile['tokens']:,} tokens"
        + (f", ${cost:,.4f}" if cost else "")
    )
    for each in profile["critical_path"]:
        yield f"  {each['ms'] / 1_000:,.2f} s ({each['share']:.0%}) in {each['name']}"
    if not report["complete"]:
        yield "Parts of this trace were not read."


def _name_spans(finding: Mapping[str, Any]) -> str:
    spans: Sequence[Mapping[str, Any]] = finding["spans"]
    return "".join(f", {each['name']} {each['id']}" for each in spans[:1])
