"""Prints how well the findings name the culprits of generated cases."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from app.analysis.text.outline import build_outline
from app.analysis.trace_analysis import TraceAnalysis
from app.token_estimate import estimate_tokens
from evals.analysis_only import analyse_case
from evals.cases import CaseParameters


@dataclass(frozen=True)
class CaseScore:
    """The result of one case; `place` is that of the first finding with the culprit, 0 for none."""

    parameters: CaseParameters
    place: int
    named_first: bool
    read: bool
    findings: int
    tokens: int
    milliseconds: float


def score_case(parameters: CaseParameters) -> tuple[CaseScore, TraceAnalysis]:
    """Analyses a case and measures what its findings and outline say of the culprit."""
    case = parameters.make()
    started = time.perf_counter()
    analysis = analyse_case(case.trace, case.spans)
    known: dict[str, str] = {}
    text = build_outline(
        analysis, alias=lambda span_id: known.setdefault(span_id, f"s{len(known) + 1}")
    )
    spent = (time.perf_counter() - started) * 1_000
    places = [i for i, found in enumerate(analysis.findings, 1) if case.culprit in found.spans]
    first = bool(analysis.findings) and analysis.findings[0].spans[:1] == (case.culprit,)
    place = places[0] if places else 0
    scored = CaseScore(
        parameters,
        place,
        first,
        case.culprit in analysis.bodies,
        len(analysis.findings),
        estimate_tokens(text),
        spent,
    )
    return scored, analysis


def print_report(title: str, cases: Sequence[CaseParameters], *, verbose: bool) -> None:
    scores = []
    for parameters in cases:
        scored, analysis = score_case(parameters)
        scores.append(scored)
        wrong = scored.findings > 0 if not parameters.fault else scored.place != 1
        if verbose or wrong:
            print(f"  {parameters}: culprit in finding {scored.place} of {scored.findings}")
            for found in analysis.findings[:3] if wrong else ():
                print(f"      {found.category} {found.rank:.0f}: {found.sentence}")
    faulty = [scored for scored in scores if scored.parameters.fault]
    healthy = [scored for scored in scores if not scored.parameters.fault]
    print(title)
    print(f"  culprit in the first finding   {_format_share(s.place == 1 for s in faulty)}")
    print(f"  culprit named first in it      {_format_share(s.named_first for s in faulty)}")
    print(f"  culprit in the first three     {_format_share(0 < s.place <= 3 for s in faulty)}")
    unread = sum(not s.read for s in faulty if not 0 < s.place <= 3)
    print(f"  missed with body unread        {unread} (of large traces 200 bodies are read)")
    print(f"  healthy traces with findings   {_format_share(s.findings > 0 for s in healthy)}")
    print(f"  outline tokens, most           {max(s.tokens for s in scores):,}")
    for size in sorted({s.parameters.size for s in scores}):
        times = [s.milliseconds for s in scores if s.parameters.size == size]
        print(f"  milliseconds at {size:5,} spans    {median(times):,.0f} (most {max(times):,.0f})")


def _format_share(hits: Iterable[bool]) -> str:
    found = list(hits)
    return f"{sum(found)} of {len(found)} = {sum(found) / len(found):.0%}"
