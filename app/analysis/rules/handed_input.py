"""Inputs that are the result of an earlier step, handed on as it is."""

from itertools import islice
from typing import Any

from app.analysis.recorded.body_state import BodyState
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_EARLIER_READ = 200  # spans before the failed one: what is handed on was made shortly before
_LEAST_VALUES = 2  # values of an input: a single one may be equal by chance


def find_giver(node: Node, analysis: TraceAnalysis) -> Node | None:
    """The nearest earlier step whose result is the whole input of this one, also where that holds
    it under a single key; None where there is none."""
    given = node.view.input
    if given.state is not BodyState.PRESENT or given.is_cut:
        return None
    inputs = [given.opened]
    if isinstance(given.opened, dict) and len(given.opened) == 1:
        inputs += given.opened.values()
    inputs = [each for each in inputs if _says_enough(each)]
    if not inputs:
        return None
    for _, earlier in islice(analysis.tree.earlier(node), _EARLIER_READ):
        if earlier.finished and earlier.error is None and analysis.was_read(earlier):
            output = earlier.view.output
            if output.opened in inputs or output.result.opened in inputs:
                return earlier
    return None


def _says_enough(value: Any) -> bool:
    return isinstance(value, (dict, list)) and len(value) >= _LEAST_VALUES
