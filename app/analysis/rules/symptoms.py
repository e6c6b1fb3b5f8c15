"""Signs at the end of a trace that something went wrong before."""

from app.analysis.llm_output import (
    extract_text,
    find_reported_failure,
    is_model_call,
    reply_gives_up,
)
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis


def find_symptom(analysis: TraceAnalysis) -> str:
    """A sign of an earlier failure at the end of the trace, or an empty text."""
    roots = [node for node in analysis.tree.roots if analysis.was_read(node)]
    outputs = [analysis.trace.output, *(node.span.output for node in roots[-1:])]
    if analysis.trace.error_info or any(node.error is not None for node in analysis.tree.roots):
        return "the trace failed"
    for output in outputs:
        failure = find_reported_failure(output)
        if failure:
            return f"the final output says “{one_line(failure, limit=100)}”"
        text = extract_text(output)
        if reply_gives_up(text):
            return f"the final answer is “{one_line(text, limit=100)}”"
    calls = [
        node for node in analysis.tree.nodes if is_model_call(node) and analysis.was_read(node)
    ]
    if calls:
        text = extract_text(max(calls, key=lambda node: (node.end, node.index)).span.output)
        if reply_gives_up(text):
            return f"the last reply is “{one_line(text, limit=100)}”"
    return ""
