"""The analysis without a model: what its first finding names is the answer."""

import time
from collections.abc import Sequence

import anyio.to_thread

from app.analysis.analyse_trace import add_bodies, measure_trace
from app.analysis.body_selection import select_bodies
from app.analysis.trace_analysis import TraceAnalysis
from app.opik.records import Span, Trace
from evals.labelled_case import LabelledCase
from evals.results import Answer


def analyse_case(trace: Trace, spans: Sequence[Span]) -> TraceAnalysis:
    """Analyses a trace as the service does: without the bodies that it would not have read."""
    measured = measure_trace(trace, [_without_body(span) for span in spans])
    read = set(select_bodies(measured))
    return add_bodies(measured, (span for span in spans if span.id in read))


def _without_body(span: Span) -> Span:
    return span.model_copy(update={"input": None, "output": None, "metadata": None})


class FirstFindingAsker:
    """Answers every question with the first finding, or with nothing if there is none."""

    async def talk(self, case: LabelledCase, *, workspace: str, token: str) -> Sequence[Answer]:
        """See `Asker`."""
        began = time.monotonic()
        analysis = await anyio.to_thread.run_sync(analyse_case, case.trace, case.spans)
        seconds = time.monotonic() - began
        if not analysis.findings:
            return [Answer(seconds=seconds) for _ in case.turns]
        first = analysis.findings[0]
        return [Answer(first.sentence, first.spans, seconds=seconds) for _ in case.turns]
