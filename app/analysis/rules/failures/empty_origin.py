"""Where an empty result came from: the call inside a step, or before it, that had found nothing."""

from collections.abc import Iterator
from itertools import islice

from app.analysis.error_origins import is_cancellation
from app.analysis.recorded.body_state import BodyState
from app.analysis.rules.lookups import leaves_program
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_INSIDE_READ = 200  # spans below an empty step
_EARLIER_READ = 200  # spans before it, the nearest first
_NOTHING: tuple[object, ...] = (None, "", 0, [], {})


def find_empty_origin(node: Node, analysis: TraceAnalysis) -> Node:
    """The last span that failed inside a step, else the last call of something outside that
    returned nothing there; for a step of the program the nearest one before it under whose key it
    was given nothing; else the step itself."""
    inside = list(islice(analysis.tree.below(node), 1, _INSIDE_READ))
    found = [each for each in inside if each.error and not is_cancellation(each.error)]
    found = found or [each for each in inside if _found_nothing(each, analysis)]
    if found:
        return max(found, key=lambda each: (each.end, each.depth))
    lacked = set(_keys_of_nothing(node))
    if not lacked or (leaves_program(node) and node.view.input.state is BodyState.PRESENT):
        return node
    for _, each in islice(analysis.tree.earlier(node), _EARLIER_READ):
        if _found_nothing(each, analysis) and any(
            leaf.key in lacked and leaf.value in _NOTHING for leaf in each.view.output.first_leaves
        ):
            return each
    return node


def _found_nothing(node: Node, analysis: TraceAnalysis) -> bool:
    """Whether a call of something outside ended well with an empty list or object."""
    if node.error is not None or not analysis.was_read(node) or node.view.is_model_call:
        return False
    if not leaves_program(node):
        return False
    return node.view.returned_nothing or any(
        leaf.value in ([], {}) for leaf in node.view.output.first_leaves
    )


def _keys_of_nothing(node: Node) -> Iterator[str]:
    """The keys under which a step was given null, a blank text, zero or an empty list."""
    for leaf in node.view.input.first_leaves:
        if leaf.key and leaf.value in _NOTHING and leaf.value is not False:
            yield leaf.key
