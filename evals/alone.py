"""The analysis without a model: what its first finding names is the answer."""

import time
from collections.abc import Sequence

import anyio.to_thread

from app.analysis.body_selection import READ_ALL
from app.analysis.trace_analysis import TraceAnalysis, analyse_trace, choose_bodies
from app.opik.records import Span, Trace
from evals.asked_case import AskedCase
from evals.outcome import Answered


def examined(trace: Trace, spans: Sequence[Span]) -> TraceAnalysis:
    """A trace as the service examines it: without the bodies that it would not have read."""
    if len(spans) <= READ_ALL:
        return analyse_trace(trace, spans)
    read = set(choose_bodies(trace, spans))
    known = [span if span.id in read else _without_body(span) for span in spans]
    return analyse_trace(trace, known, bodies=read)


def _without_body(span: Span) -> Span:
    return span.model_copy(update={"input": None, "output": None, "metadata": None})


class FirstFinding:
    """Says the first finding, whatever it is asked; nothing where there is none."""

    async def talk(self, case: AskedCase, *, workspace: str, token: str) -> Sequence[Answered]:
        """See `Asker`."""
        began = time.monotonic()
        seen = await anyio.to_thread.run_sync(examined, case.trace, case.spans)
        seconds = time.monotonic() - began
        if not seen.findings:
            return [Answered(seconds=seconds) for _ in case.turns]
        first = seen.findings[0]
        return [Answered(first.sentence, first.spans, seconds=seconds) for _ in case.turns]
