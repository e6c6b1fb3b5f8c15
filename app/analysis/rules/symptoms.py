"""Signs at the end of a trace that something went wrong before."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.analysis.recorded.answer_text import gives_up
from app.analysis.recorded.body import Body, BodyState
from app.analysis.recorded.emptiness import is_empty_result
from app.analysis.recorded.error import effective_error
from app.analysis.recorded.outcome import find_failure
from app.analysis.recorded.reply import read_reply
from app.analysis.rules.scores import is_bad_score, is_good_score
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis

_NO_INPUT = Body(None)


def find_symptom(analysis: TraceAnalysis) -> str:
    """A sign of an earlier failure at the end of the trace, or an empty text.

    Where somebody rated the trace well, only an error counts.
    """
    roots = analysis.tree.roots
    if effective_error(analysis.trace) or any(node.error is not None for node in roots):
        return "the trace failed"
    bad = next((each for each in analysis.trace.feedback_scores if is_bad_score(each)), None)
    if bad is not None:
        value = "" if bad.value is None else f" {bad.value:g}"
        return f"the trace was scored {one_line(bad.name, limit=40)}{value}"
    if was_rated_well(analysis):
        return ""
    for output in _final_outputs(analysis):
        found = _read_symptom(output)
        if found:
            return found
    return _last_reply(analysis)


def was_rated_well(analysis: TraceAnalysis) -> bool:
    """Whether there is a good score of the trace and no bad one."""
    scores = analysis.trace.feedback_scores
    return any(map(is_good_score, scores)) and not any(map(is_bad_score, scores))


def _final_outputs(analysis: TraceAnalysis) -> Iterator[Body]:
    yield Body(analysis.trace.output)
    roots = [node for node in analysis.tree.roots if analysis.was_read(node)]
    yield from (node.view.output for node in roots[-1:])


def _read_symptom(output: Body) -> str:
    failure = find_failure(output.opened)
    if failure:
        return f"the final output says “{one_line(failure, limit=100)}”"
    text = read_reply(output.opened).text
    if gives_up(text):
        return f"the final answer is “{one_line(text, limit=100)}”"
    return "the final output is empty" if _is_empty_end(output) else ""


def _is_empty_end(output: Body) -> bool:
    """Whether a final output was recorded and holds nothing: blank, or a record without values."""
    value = output.opened
    if output.state is BodyState.ABSENT:
        return _has_only_nulls(value)
    return output.state is BodyState.EMPTY or is_empty_result(output, _NO_INPUT)


def _has_only_nulls(value: Any) -> bool:
    """Whether it is a record of several fields that are all null. One null is a function that
    returns nothing, in the object that SDKs put around it."""
    return (
        isinstance(value, Mapping)
        and len(value) > 1
        and all(inner is None for inner in value.values())
    )


def _last_reply(analysis: TraceAnalysis) -> str:
    calls = [
        node
        for node in analysis.tree.nodes
        if node.view.is_model_call and analysis.was_read(node) and node.view.reply.text
    ]
    if not calls:
        return ""
    text = max(calls, key=lambda node: (node.end, node.index)).view.reply.text
    return f"the last reply is “{one_line(text, limit=100)}”" if gives_up(text) else ""
