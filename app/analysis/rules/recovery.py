"""What made good for a failed call: the same call again, a correction by a model, or a fallback."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice

from app.analysis.recorded.body import BodyState
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_LATER_READ = 50  # calls after a failed one that are looked at: what makes good for it comes soon
_EARLIER_READ = 60  # spans before a call in which the request for it is looked for: it is near


def find_recovery(node: Node, analysis: TraceAnalysis) -> Node | None:
    """A later span that made good for a failed one, or None.

    It is a call of the same name and place that worked and either had the same input, or was asked
    for anew by a model that had seen the failure; or a model call with the same messages.
    """
    asked = asking_call(node, analysis)
    for later in islice(_after(analysis.peers_of(node), node), _LATER_READ):
        if _worked(later, node) and (
            _same_request(node, later) or _asked_anew(asked, node, later, analysis)
        ):
            return later
    if node.view.is_model_call:
        siblings = node.parent.children if node.parent else analysis.tree.roots
        for later in islice(_after(siblings, node), _LATER_READ):
            if later.view.is_model_call and _worked(later, node) and _same_request(node, later):
                return later
    return None


def asking_call(node: Node, analysis: TraceAnalysis) -> Node | None:
    """The nearest earlier model call whose reply asked for the tool of this span, if any."""
    for _, earlier in islice(analysis.tree.earlier(node), _EARLIER_READ):
        if earlier.view.is_model_call and _asks_for(earlier, node):
            return earlier
    return None


def _asks_for(call: Node, node: Node) -> bool:
    """Whether the reply holds a call of the tool that the span is named after."""
    names = {each.name for each in call.view.reply.calls if each.name}
    return any(node.name == name or node.name.endswith((f" {name}", f".{name}")) for name in names)


def _after(nodes: Sequence[Node], node: Node) -> Iterator[Node]:
    """Those of the nodes, sorted by start, that started when this one had ended."""
    first = bisect_left(nodes, node.end, key=lambda each: each.start)
    return (nodes[place] for place in range(first, len(nodes)) if nodes[place] is not node)


def _worked(later: Node, node: Node) -> bool:
    """Whether the later call did not fail, and gave something where the first gave nothing."""
    if later.error is not None or not later.finished or later.view.failure:
        return False
    gave_nothing = node.error is None and node.view.returned_nothing
    return not (gave_nothing and later.view.returned_nothing)


def _same_request(node: Node, later: Node) -> bool:
    a, b = node.view, later.view
    if a.is_model_call and a.request.messages:
        return a.request.messages == b.request.messages
    unknown = BodyState.PRESENT not in (a.input.state, b.input.state)
    if unknown or a.input.is_cut or b.input.is_cut:
        return node.parent is later.parent
    return a.input.resembles(b.input)


def _asked_anew(asked: Node | None, node: Node, later: Node, analysis: TraceAnalysis) -> bool:
    """Whether a model asked for the first call, and for the later one when the first had ended."""
    if asked is None:
        return False
    again = asking_call(later, analysis)
    return again is not None and again.start >= node.end
