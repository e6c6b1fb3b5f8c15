"""Calls of tools that the model was not offered, and routes to workers that do not exist."""

from collections.abc import Iterator

from app.analysis.error_origins import error_message
from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.body import Body
from app.analysis.recorded.spellings import key_set, word_set
from app.analysis.rules.recovery import is_named_after
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls, list_read_steps
from app.analysis.tree import Node

_MESSAGE_READ = 300  # characters of a message, which begins with what failed
_CONFIDENCE = 0.85  # the list of offered tools may have been recorded in part only
_ROUTE_CONFIDENCE = 0.8  # the list may hold examples
_ROUTE_KEYS = key_set(
    "next next_agent next_worker next_node next_speaker route goto destination handoff_to hand_off"
    " transfer_to selected_agent selected_worker worker agent assignee delegate_to"
)
_OPTION_KEYS = key_set(
    "workers agents options routes members team nodes available_agents available_workers"
    " destinations choices candidates speakers participants"
)
_ENDS = word_set("end finish finished stop done none __end__ exit terminate user human final")
"""Routes that end a run or hand over to a person."""
_FEWEST_OPTIONS = 2  # a list of one is rarely a list to choose from


def find_unknown_tools(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Model calls that name a tool missing from the tools that their request offered, and steps
    that chose a worker missing from those they were given.

    Where the request offers hosted tools without a name, nothing can be concluded.
    """
    for node in analysis.once(list_model_calls):
        yield from _find_unknown_tool(node, analysis)
    for node in analysis.once(list_read_steps):
        yield from _find_unknown_route(node)


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


def _find_unknown_route(node: Node) -> Iterator[Finding]:
    options = {
        text.casefold() for text in _texts_under(node.view.input, _OPTION_KEYS, in_lists=True)
    }
    if len(options) < _FEWEST_OPTIONS:
        return
    for text in _texts_under(node.view.output, _ROUTE_KEYS, in_lists=False):
        if text.casefold() not in options | _ENDS:
            sentence = (
                f"{node.title} chose “{one_line(text, limit=60)}”, which is not"
                f" among the {len(options)} it could choose from."
            )
            numbers = {"offered": len(options)}
            yield build_finding(Category.UNKNOWN_TOOL, _ROUTE_CONFIDENCE, sentence, [node], numbers)
            return


def _texts_under(body: Body, keys: frozenset[str], *, in_lists: bool) -> list[str]:
    """Texts directly under these keys, or in lists directly under them."""
    return [
        leaf.value
        for leaf in (body.leaves if body.may_have_key(keys) else ())
        if leaf.key in keys
        and isinstance(leaf.value, str)
        and leaf.value
        and isinstance(leaf.path[-1], int) is in_lists
    ]


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
