"""How well the findings of a case name its fault, and the figures over many cases."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from app.agent.citations import Aliases
from app.analysis.finding import Finding
from app.analysis.text.outline import build_outline
from app.token_estimate import estimate_tokens
from evals.case_records import FileLabel, analyse_records, parse_case, read_case_records
from evals.labelled_case import InvalidCase

COUNTED = 3  # findings that count as the first ones: as many as a person reads before the tree
SURE = 0.8  # confidence from which on a reader takes a finding for true
_BANDS = (0.9, SURE, 0.7, 0.6, 0.0)


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What the analysis says of a case.

    `names` are the names of spans by id. `milliseconds` are those of CPU, from the structure of
    the spans to the text of the outline. `crash` says why there is no analysis, or not of all
    records.
    """

    name: str
    category: str = ""
    right: frozenset[str] = frozenset()
    healthy: bool = False
    findings: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    outline: str = ""
    milliseconds: float = 0.0
    crash: str = ""

    @property
    def outline_tokens(self) -> int:
        return estimate_tokens(self.outline)

    def named_within(self, findings: int) -> bool:
        """Whether one of the first so many findings names a right span."""
        return any(self.holds_right(found) for found in self.findings[:findings])

    @property
    def only_noted(self) -> bool:
        """Whether there is no finding at all, but a note that names a right span."""
        return not self.findings and any(self.holds_right(note) for note in self.notes)

    @property
    def wrong(self) -> bool:
        """Whether the first finding misses, a healthy trace has one, or something crashed."""
        missed = bool(self.right) and not self.named_within(1)
        return missed or (self.healthy and bool(self.findings)) or bool(self.crash)

    def holds_right(self, found: Finding) -> bool:
        return not self.right.isdisjoint(found.spans)

    def as_json(self) -> dict[str, Any]:
        return {
            "case": self.name,
            "findings": [_finding_as_json(found) for found in self.findings],
            "notes": [_finding_as_json(note) for note in self.notes],
            "outline_tokens": self.outline_tokens,
            "ms": round(self.milliseconds, 1),
        }


def _finding_as_json(found: Finding) -> dict[str, Any]:
    return {
        "category": found.category.value,
        "confidence": found.confidence,
        "spans": list(found.spans),
        "sentence": found.sentence,
    }


def run_case(path: Path, label: FileLabel | None) -> CaseResult:
    """Analyses a file; a file that cannot be read or analysed is a result with a `crash`."""
    name = path.name.removesuffix(".gz").removesuffix(".json")
    known = label or FileLabel()
    category, right, healthy = known.category, known.culprits, known.healthy
    try:
        records = read_case_records(path, label)
        category, right, healthy = records.category, records.right, records.healthy
        case = parse_case(records)
        began = time.process_time()
        analysis = analyse_records(case)
        outline = build_outline(analysis, alias=Aliases().name_span)
        spent = (time.process_time() - began) * 1_000
    except InvalidCase as error:
        return CaseResult(name, category, right, healthy, crash=str(error))
    except Exception as error:  # whatever a rule raises: the other cases are still measured
        crash = f"{type(error).__name__}: {error}"
        return CaseResult(name, category, right, healthy, crash=crash)
    return CaseResult(
        name,
        category,
        right,
        healthy,
        analysis.findings,
        analysis.notes,
        {node.id: node.name for node in analysis.tree.nodes},
        outline,
        spent,
        f"{case.unreadable} unreadable spans left out" if case.unreadable else "",
    )


def format_summary(results: Sequence[CaseResult]) -> str:
    """The line with all figures; scripts read it, so its form never changes."""
    faulty = [result for result in results if result.right]
    healthy = [result for result in results if result.healthy]
    times = [result.milliseconds for result in results] or [0.0]
    return ", ".join(
        [
            f"cases {len(results)}",
            f"first {_percent(result.named_within(1) for result in faulty)} %",
            f"three {_percent(result.named_within(COUNTED) for result in faulty)} %",
            f"false {sum(bool(result.findings) for result in healthy)}/{len(healthy)}",
            f"notes-only {sum(result.only_noted for result in faulty)}",
            f"outline tokens max {max((r.outline_tokens for r in results), default=0)}",
            f"ms median {median(times):.0f} max {max(times):.0f}",
            f"crashed {sum(bool(result.crash) for result in results)}",
        ]
    )


def list_category_rows(results: Sequence[CaseResult]) -> list[str]:
    """A row for each category: faulty cases, how many of them are named by the first finding and
    by the first three, healthy cases, and how many of them have a finding."""
    grouped: dict[str, list[CaseResult]] = {}
    for result in results:
        grouped.setdefault(result.category or "(no category)", []).append(result)
    rows = [_format_row("category", "faulty", "first", "three", "healthy", "false")]
    for category, members in sorted(grouped.items()):
        faulty = [member for member in members if member.right]
        healthy = [member for member in members if member.healthy]
        counts = (
            len(faulty),
            sum(member.named_within(1) for member in faulty),
            sum(member.named_within(COUNTED) for member in faulty),
            len(healthy),
            sum(bool(member.findings) for member in healthy),
        )
        rows.append(_format_row(category[:31], *counts))
    return rows


def _format_row(label: str, *cells: object) -> str:
    return f"{label:24}" + "".join(f"{cell!s:>9}" for cell in cells)


@dataclass(frozen=True, slots=True)
class Band:
    """The findings with a confidence of at least `least`, below the band before: how many there
    are, and how many of them name a right span."""

    least: float
    findings: int
    right: int


def measure_calibration(results: Iterable[CaseResult]) -> list[Band]:
    """The findings of labelled cases by confidence; those of healthy cases are wrong."""
    found = [
        (finding.confidence, result.holds_right(finding))
        for result in results
        if result.right or result.healthy
        for finding in result.findings
    ]
    bands = []
    above = float("inf")
    for least in _BANDS:
        hits = [right for confidence, right in found if least <= confidence < above]
        bands.append(Band(least, len(hits), sum(hits)))
        above = least
    return bands


def measure_sureness(results: Iterable[CaseResult]) -> float:
    """Share of right ones among the findings of labelled cases that are sure; 1 of none."""
    sure = [band for band in measure_calibration(results) if band.least >= SURE]
    findings = sum(band.findings for band in sure)
    return sum(band.right for band in sure) / findings if findings else 1.0


def list_calibration_rows(results: Iterable[CaseResult]) -> list[str]:
    """A row for each band of confidence."""
    rows = [_format_row("confidence", "findings", "right", "share")]
    for band in measure_calibration(results):
        share = f"{band.right / band.findings:.0%}" if band.findings else "-"
        label = f"{band.least:.1f} and above" if band.least else "less"
        rows.append(_format_row(label, band.findings, band.right, share))
    return rows


def _percent(hits: Iterable[bool]) -> int:
    """The share in percent, 0 of none."""
    found = list(hits)
    return round(100 * sum(found) / len(found)) if found else 0
