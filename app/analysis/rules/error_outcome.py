"""What came of an error that did not end its trace."""

import re
from typing import NamedTuple

from app.analysis.error_origins import ErrorOrigin, error_message, is_cancellation
from app.analysis.finding import Standing
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.kind import SpanKind
from app.analysis.recorded.names import match_names
from app.analysis.rules.filled_items import was_filled_in
from app.analysis.rules.recovery import asking_call, find_other_tool, find_recovery
from app.analysis.rules.symptoms import was_rated_well
from app.analysis.rules.tolerated import says_tolerated
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_refines = match_names(
    r"(?:re ?)?rank|rewrit|expan|enrich|sentiment|moderat|telemetr|metric|analytic|notif|cach"
    r"|pre ?fetch|warm ?up|suggest|heart ?beat|snapshot|audit(?!or)|monitor|logg|log\b"
)
"""Whether a call improves or watches a result by its name: programs do without it on purpose."""


_ABSENT = re.compile(r"not ?found|no ?such ?(?:file|key)|does ?not ?exist|\b404\b", re.IGNORECASE)
"""Errors of lookups: of files (errno 2), keys of a store, records (HTTP)."""
_MESSAGE_READ = 300  # characters of a message, which begins with what happened


class ErrorOutcome(NamedTuple):
    """`standing` is what the error is worth, `recovery` the later call that made good for it."""

    standing: Standing
    recovery: Node | None = None


def judge_outcome(item: ErrorOrigin, analysis: TraceAnalysis) -> ErrorOutcome:
    """An error that ended the trace is a finding, one that was made good for a note.

    Of the others, one in a call that a model asked for and answered without, and one in a model
    call, is a finding: what it should have given is missing. It is a weak sign where a model went
    on with another tool that worked, where the step that caught it gave a result of its own, as a
    fallback does, where one item of many got a value all the same, where what was looked up is not
    there, which may be the answer, and where nothing of the task depends on the call (telemetry, a
    log); so is an error inside the program.
    """
    if item.fatal:
        return ErrorOutcome(Standing.FINDING)
    if is_cancellation(item.error):
        return ErrorOutcome(Standing.NOTE)
    recovery = next((found for node in item.path if (found := find_recovery(node, analysis))), None)
    if recovery is not None:
        return ErrorOutcome(Standing.NOTE, recovery)
    if was_rated_well(analysis) or says_tolerated(item.error.message or ""):
        return ErrorOutcome(Standing.NOTE)
    if _ABSENT.search(error_message(item.error)[:_MESSAGE_READ]):
        return ErrorOutcome(Standing.WEAK)
    if asking_call(item.origin, analysis) is not None:
        other = find_other_tool(item.origin, analysis)
        return ErrorOutcome(Standing.FINDING if other is None else Standing.WEAK)
    if _refines(item.origin.name):
        return ErrorOutcome(Standing.WEAK)
    if item.origin.view.calls_outside and not _gave_data(item.caught_by):
        filled = was_filled_in(item, analysis)
        return ErrorOutcome(Standing.WEAK if filled else Standing.FINDING)
    return ErrorOutcome(Standing.WEAK)


def _gave_data(node: Node | None) -> bool:
    """Whether a step below the top, and no agent, returned a list or an object, below what SDKs put
    around a result. An agent's result is its answer, with or without what the call should give."""
    if node is None or node.parent is None or node.view.kind is SpanKind.AGENT_STEP:
        return False
    if node.view.output.state is not BodyState.PRESENT:
        return False
    value = node.view.output.opened
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
    return isinstance(value, (list, dict)) and bool(value)
