"""Calls of tools that the model was not offered."""

from collections.abc import Iterator

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis

_CONFIDENCE = 0.85  # the list of offered tools may have been recorded in part only


def find_unknown_tools(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Model calls that name a tool missing from the tools that their request offered.

    Where the request offers hosted tools without a name, nothing can be concluded.
    """
    for node in analysis.tree.nodes:
        if not (node.view.is_model_call and analysis.was_read(node)):
            continue
        request = node.view.request
        if not request.tools or request.has_hosted_tools:
            continue
        called = {call.name for call in node.view.reply.calls if call.name}
        unknown = sorted(called - request.tools)
        if unknown:
            named = ", ".join(one_line(name, limit=60) for name in unknown[:3])
            sentence = (
                f"{one_line(node.name, limit=60)} called {named}, which is not among the"
                f" {len(request.tools)} tools it was offered."
            )
            numbers = {"offered": len(request.tools), "unknown": len(unknown)}
            yield build_finding(Category.UNKNOWN_TOOL, _CONFIDENCE, sentence, [node], numbers)
