"""Calls of tools that the model was not offered."""

from collections.abc import Iterator

from app.analysis.error_origins import error_message
from app.analysis.finding import Category, Finding, build_finding
from app.analysis.rules.recovery import is_named_after
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls
from app.analysis.tree import Node

_MESSAGE_READ = 300  # characters of a message, which begins with what failed
_CONFIDENCE = 0.85  # the list of offered tools may have been recorded in part only


def find_unknown_tools(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Model calls that name a tool missing from the tools that their request offered.

    Where the request offers hosted tools without a name, nothing can be concluded.
    """
    for node in analysis.once(list_model_calls):
        yield from _find_unknown_tool(node, analysis)


def _find_unknown_tool(node: Node, analysis: TraceAnalysis) -> Iterator[Finding]:
    request = node.view.request
    if not request.tools or request.has_hosted_tools:
        return
    called = {call.name for call in node.view.reply.calls if call.name}
    unknown = [
        name for name in sorted(called - request.tools) if not _was_run(name, node, analysis)
    ]
    if unknown:
        named = ", ".join(one_line(name, limit=60) for name in unknown[:3])
        sentence = (
            f"{node.title} called {named}, which is not among the"
            f" {len(request.tools)} tools it was offered."
        )
        numbers = {"offered": len(request.tools), "unknown": len(unknown)}
        yield build_finding(Category.UNKNOWN_TOOL, _CONFIDENCE, sentence, [node], numbers)


def _was_run(tool: str, call: Node, analysis: TraceAnalysis) -> bool:
    """Whether a span of that tool worked after the call, or failed for a reason of its own: the
    list of tools was recorded in part."""
    return any(
        other.start >= call.start
        and other is not call
        and is_named_after(other, tool)
        and not _is_about_tool(other, tool)
        for other in analysis.tree.nodes
    )


def _is_about_tool(node: Node, tool: str) -> bool:
    """Whether a call failed with a message about the tool itself, as that it does not exist."""
    error = node.view.error
    message = node.view.failure if error is None else error_message(error)[:_MESSAGE_READ]
    return tool in message or "tool" in message.lower()
