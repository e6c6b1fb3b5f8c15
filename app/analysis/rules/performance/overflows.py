"""Requests that were too long for their model, with the result that filled them."""

from collections.abc import Iterator
from itertools import islice

from app.analysis.error_origins import error_message, find_error_origins
from app.analysis.finding import Category, Finding, build_finding
from app.analysis.rules.error_wording import OVERFLOW_ERROR
from app.analysis.rules.performance.prompt_growth import measure_output
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_CONFIDENCE = 0.85
_ERRORS_READ = 20
_MESSAGE_READ = 2_000  # characters
_STEPS_READ = 400  # spans before the request: a long run of an agent
_LEAST = 4_000  # characters: a thousand tokens fill no model's window
_SHARE = 0.5  # of all that the steps before returned, for one of them to have filled it


def find_overflows(analysis: TraceAnalysis) -> Iterator[Finding]:
    """For each request that was refused as too long, the step whose result is most of all that had
    been returned before."""
    for item in islice(analysis.once(find_error_origins), _ERRORS_READ):
        message = error_message(item.error)[:_MESSAGE_READ]
        if not (item.fatal and OVERFLOW_ERROR.search(message)):
            continue
        largest = _find_largest_result(item.origin, analysis)
        if largest is not None:
            cut = "more than " * largest.view.output.is_cut
            sentence = (
                f"{largest.title} returned {cut}{measure_output(largest):,} characters, most of"
                f" what {item.origin.title} was given, which failed with"
                f" {one_line(message, limit=160)}."
            )
            nodes = [largest, *item.path]
            yield build_finding(Category.CAUSE_OF_ERROR, _CONFIDENCE, sentence, nodes)


def _find_largest_result(request: Node, analysis: TraceAnalysis) -> Node | None:
    steps = [
        node
        for _, node in islice(analysis.tree.earlier(request), _STEPS_READ)
        if node.size == 1 and not node.view.is_model_call and analysis.was_read(node)
    ]
    largest = max(steps, key=measure_output, default=None)
    if largest is None:
        return None
    length = measure_output(largest)
    is_most = length >= _SHARE * sum(map(measure_output, steps)) or largest.view.output.is_cut
    return largest if length >= _LEAST and is_most else None
