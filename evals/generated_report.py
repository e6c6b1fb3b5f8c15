"""Prints how well the findings name the culprits of generated cases."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from app.agent.citations import Aliases
from app.analysis.text.outline import build_outline
from evals.analysis_only import analyse_case
from evals.case_scores import COUNTED, CaseResult, list_calibration_rows
from evals.cases import CaseParameters
from evals.labelled_case import format_case_name

_SHOWN = 3  # findings of a wrong case that are printed


@dataclass(frozen=True, slots=True)
class GeneratedResult:
    """The result of a generated case; `named_first` says that the culprit is the first span of the
    first finding, `read` that its body was read."""

    parameters: CaseParameters
    result: CaseResult
    named_first: bool
    read: bool


def run_generated(parameters: CaseParameters) -> GeneratedResult:
    """Analyses a generated case."""
    case = parameters.make()
    began = time.process_time()
    analysis = analyse_case(case.trace, case.spans)
    outline = build_outline(analysis, alias=Aliases().name_span)
    spent = (time.process_time() - began) * 1_000
    result = CaseResult(
        format_case_name(parameters),
        right=frozenset([case.culprit] if case.culprit else []),
        healthy=not case.culprit,
        findings=analysis.findings,
        notes=analysis.notes,
        outline=outline,
        milliseconds=spent,
    )
    first = bool(analysis.findings) and analysis.findings[0].spans[:1] == (case.culprit,)
    return GeneratedResult(parameters, result, first, case.culprit in analysis.bodies)


def print_report(title: str, cases: Sequence[CaseParameters], *, verbose: bool) -> None:
    """Analyses the cases and prints what they give: each wrong one, or with `verbose` each."""
    generated = []
    for parameters in cases:
        generated.append(run_generated(parameters))
        _print_case(generated[-1], verbose=verbose)
    faulty = [each for each in generated if each.result.right]
    missed = [each for each in faulty if not each.result.named_within(COUNTED)]
    results = [each.result for each in generated]
    healthy = [result for result in results if result.healthy]
    print(title)
    first = (each.result.named_within(1) for each in faulty)
    three = (each.result.named_within(COUNTED) for each in faulty)
    print(f"  culprit in the first finding   {_format_share(first)}")
    print(f"  culprit named first in it      {_format_share(each.named_first for each in faulty)}")
    print(f"  culprit in the first three     {_format_share(three)}")
    unread = sum(not each.read for each in missed)
    print(f"  missed with body unread        {unread} (of large traces 200 bodies are read)")
    print(f"  healthy traces with findings   {_format_share(bool(r.findings) for r in healthy)}")
    print(f"  outline tokens, most           {max(result.outline_tokens for result in results):,}")
    for size in sorted({each.parameters.size for each in generated}):
        times = [e.result.milliseconds for e in generated if e.parameters.size == size]
        print(f"  milliseconds at {size:5,} spans    {median(times):,.0f} (most {max(times):,.0f})")
    for row in list_calibration_rows(results):
        print(f"  {row}")


def _print_case(generated: GeneratedResult, *, verbose: bool) -> None:
    result = generated.result
    if not (verbose or result.wrong):
        return
    places = [i for i, found in enumerate(result.findings, 1) if result.holds_right(found)]
    place = places[0] if places else 0
    print(f"  {generated.parameters}: culprit in finding {place} of {len(result.findings)}")
    for found in result.findings[:_SHOWN] if result.wrong else ():
        print(f"      {found.category} {found.rank:.0f}: {found.sentence}")


def _format_share(hits: Iterable[bool]) -> str:
    found = list(hits)
    return f"{sum(found)} of {len(found)} = {sum(found) / len(found):.0%}"
