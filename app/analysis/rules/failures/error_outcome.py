"""What came of an error that did not end its trace."""

import re
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from app.analysis.error_origins import (
    ErrorOrigin,
    error_message,
    find_error_origins,
    is_cancellation,
)
from app.analysis.finding import Standing
from app.analysis.recorded.body import Body
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.kind import SpanKind
from app.analysis.recorded.names import match_names, spell_name
from app.analysis.recorded.spellings import word_set
from app.analysis.rules.error_wording import DATA_ERROR, REFUSED_ERROR
from app.analysis.rules.failures.swallowed_failures import kept_quiet
from app.analysis.rules.failures.tolerated import says_tolerated
from app.analysis.rules.further_tries import given_pairs
from app.analysis.rules.recovery import Recovery, asking_call, find_other_tool, find_recovery
from app.analysis.rules.symptoms import find_symptom, was_rated_well
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_refines = match_names(
    r"(?:re ?)?rank|rewrit|expan|enrich|sentiment|moderat|telemetr|metric|analytic|notif|cach"
    r"|progress|pre ?fetch|warm ?up|suggest|heart ?beat|snapshot|audit(?!or)|monitor|logg|log\b"
)
"""Whether a call improves or watches a result by its name: programs do without it on purpose."""
_adds = match_names(
    r"recommend|related\b|similar|personali[sz]|also ?(?:bought|liked|viewed|read)|cross ?sell"
    r"|up ?sell|promo(?:s|tions?)?\b|advert|avatar|thumbnail|trivia|fun ?facts?\b"
)
"""Whether a call gives what stands beside an answer, unless the trace is about that."""
_LEAST_ITEMS = 5  # equal calls: fewer are steps of their own, each needed
_MOST_FAILED = 0.25  # of the items: where more fail, the result rests on what is made up
_PEERS_READ = 20
_LIKE_SHARE = 0.5  # of the peers whose result has the shape: results of items may vary
_PROSE_BLANKS = 3  # in a text that was written about an item: it is no value of it
_INSIDE_READ = 50  # spans below a step in which a model call is looked for
_SIBLINGS_READ = 8  # steps after a failed one: what fills in for it follows soon
_ENDS_RUN = word_set(
    "finish finished final_answer finalanswer final done task_done task_complete complete_task"
    " finish_task attempt_completion end end_run end_turn terminate exit stop finalize answer"
    " final_result return_result give_answer submit_answer submit_final_answer report_result"
    " finish_run finish_agent agent_finish complete"
)
"""Names of tools by which an agent ends its run: DSPy, smolagents, Cline, OpenHands, SWE-agent,
browser-use, Letta, Pydantic AI."""
_ABSENT = re.compile(r"not ?found|no ?such ?(?:file|key)|does ?not ?exist|\b404\b", re.IGNORECASE)
"""Errors of lookups: of files (errno 2), keys of a store, records (HTTP)."""
_ADDRESSES = ("http://", "https://")
_MESSAGE_READ = 300  # characters of a message, which begins with what happened


class ErrorOutcome(NamedTuple):
    """`standing` is what the error is worth, `recovery` what made good for it,
    `swallowed_by` the call of a tool that returned nothing for it, as if it had worked."""

    standing: Standing
    recovery: Recovery | None = None
    swallowed_by: Node | None = None


def judge_outcome(item: ErrorOrigin, analysis: TraceAnalysis) -> ErrorOutcome:
    """An error that ended the trace is a finding, one that was made good for a note.

    Of the others, one in a call that a model asked for and answered without, and one in a model
    call, is a finding: what it should have given is missing; so is one below a tool that returned
    nothing for it, which a model takes for an answer. It is a weak sign where a model went
    on with another tool that worked, where the step that caught it gave a result of its own, as a
    fallback does, where one item of many got a value all the same, where what was looked up is not
    there, which may be the answer, where one of several pages may not be read, and where nothing of
    the task depends on the call (telemetry, a log, what stands beside an answer); so is an error
    inside the program. Where another error ended the trace, that one is what went wrong.
    """
    if item.fatal:
        return ErrorOutcome(Standing.FINDING)
    if is_cancellation(item.error) or _was_outlived(item, analysis):
        return ErrorOutcome(Standing.NOTE)
    recovery = next((found for node in item.path if (found := find_recovery(node, analysis))), None)
    if recovery is not None:
        return ErrorOutcome(Standing.NOTE, recovery)
    if was_rated_well(analysis) or says_tolerated(item.error.message or ""):
        return ErrorOutcome(Standing.NOTE)
    if _ended_run(item.origin, analysis):
        return ErrorOutcome(Standing.NOTE)
    message = error_message(item.error)[:_MESSAGE_READ]
    if _ABSENT.search(message) or (
        REFUSED_ERROR.search(message) and _reads_other_pages(item.origin, analysis)
    ):
        return ErrorOutcome(Standing.WEAK)
    if asking_call(item.origin, analysis) is not None:
        other = find_other_tool(item.origin, analysis)
        return ErrorOutcome(Standing.FINDING if other is None else Standing.WEAK)
    if _refines(item.origin.name) or _is_addition(item.origin, analysis):
        return ErrorOutcome(Standing.WEAK)
    above = item.caught_by
    if above is not None and kept_quiet(above, analysis):
        recovery = find_recovery(above, analysis)
        if recovery is not None:
            return ErrorOutcome(Standing.NOTE, recovery)
        other = find_other_tool(above, analysis)
        standing = Standing.FINDING if other is None else Standing.WEAK
        return ErrorOutcome(standing, swallowed_by=above)
    if item.origin.view.calls_outside and not _gave_data(item.caught_by, analysis):
        filled = _was_filled_in(item, analysis)
        return ErrorOutcome(Standing.WEAK if filled else Standing.FINDING)
    return ErrorOutcome(Standing.WEAK)


def _ended_run(node: Node, analysis: TraceAnalysis) -> bool:
    """Whether a failed call was that by which an agent ends its run, which ended with a result all
    the same: nothing but the answer was to come of it."""
    if spell_name(node.function_name).replace(" ", "_").removeprefix("tool_") not in _ENDS_RUN:
        return False
    used_later = any(
        other.view.calls_tool and other.start >= node.end for other in analysis.tree.nodes
    )
    return not used_later and not analysis.once(find_symptom) and _has_answer(analysis)


def _has_answer(analysis: TraceAnalysis) -> bool:
    outputs = [analysis.returned, *(root.view.output for root in analysis.tree.roots[:1])]
    return any(output.state is BodyState.PRESENT for output in outputs)


def _was_outlived(item: ErrorOrigin, analysis: TraceAnalysis) -> bool:
    """Whether the program went on after an error, and a later one of another kind ended it; one
    that misses data may miss what the first call should have given."""
    return any(
        other.fatal
        and other.origin.start >= item.path[-1].end
        and not DATA_ERROR.search(error_message(other.error)[:_MESSAGE_READ])
        for other in analysis.once(find_error_origins)
    )


def _is_addition(node: Node, analysis: TraceAnalysis) -> bool:
    """Whether a call adds something to an answer by its name, and no step around it is named so."""
    around = [analysis.trace.name or "", *(each.name for each in node.path()[:-1])]
    return _adds(node.name) and not any(map(_adds, around))


def _reads_other_pages(node: Node, analysis: TraceAnalysis) -> bool:
    """Whether a call that was given an address is one of several, and another one worked."""
    if not any(text.startswith(_ADDRESSES) for text in node.view.input.first_texts):
        return False
    peers = analysis.peers_of(node)[:_PEERS_READ]
    return any(not peer.view.has_failed for peer in peers if peer is not node)


def _gave_data(node: Node | None, analysis: TraceAnalysis) -> bool:
    """Whether a step below the top, and no agent, returned a list or an object, below what SDKs put
    around a result. An agent's result is its answer, with or without what the call should give."""
    if node is None or node.view.kind is SpanKind.AGENT_STEP:
        return False
    if node.parent is None and len(analysis.tree.roots) == 1:
        return False
    if node.view.output.state is not BodyState.PRESENT:
        return False
    value = node.view.output.opened
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
    return isinstance(value, (list, dict)) and bool(value)


def _was_filled_in(item: ErrorOrigin, analysis: TraceAnalysis) -> bool:
    """Whether a failed call was one of many equal ones and its item got a value all the same: the
    step that caught the error returned what its peers return, or a later step that no other item
    needed was given the same."""
    peers = analysis.peers_of(item.origin)
    failed = sum(node.error is not None for node in peers)
    if len(peers) < _LEAST_ITEMS or failed > _MOST_FAILED * len(peers):
        return failed < len(peers) and any(
            _stands_in(later, item.origin, failed, analysis) and _gave_the_like(later, peers)
            for later in islice(_steps_after(item.origin, analysis), _SIBLINGS_READ)
        )
    return _returned_alike(item.caught_by, analysis) or any(
        _stands_in(later, item.origin, failed, analysis)
        for later in islice(_steps_after(item.origin, analysis), _SIBLINGS_READ)
    )


def _returned_alike(node: Node | None, analysis: TraceAnalysis) -> bool:
    if node is None or node.error is not None or not analysis.was_read(node):
        return False
    others = [peer for peer in analysis.peers_of(node) if peer is not node]
    if len(others) < _LEAST_ITEMS - 1 or node.view.output.state is not BodyState.PRESENT:
        return False
    if any(below.view.is_model_call for below in analysis.tree.below(node)[:_INSIDE_READ]):
        return False
    shape = _shape_of(node.view.output)
    read = others[:_PEERS_READ]
    alike = sum(_shape_of(peer.view.output) == shape for peer in read if peer.error is None)
    return bool(shape) and alike >= _LIKE_SHARE * len(read)


def _shape_of(body: Body) -> frozenset[tuple[str, type, bool]]:
    """The keys of a result with the types of their values, and which values are empty or zero: a
    zero where the others have a number is none of the same kind. Empty where a text is prose."""
    leaves = body.first_leaves
    if any(
        isinstance(leaf.value, str) and leaf.value.count(" ") >= _PROSE_BLANKS for leaf in leaves
    ):
        return frozenset()
    return frozenset((leaf.key, type(leaf.value), bool(leaf.value)) for leaf in leaves)


def _steps_after(node: Node, analysis: TraceAnalysis) -> list[Node]:
    siblings = analysis.tree.siblings(node)
    return [other for other in siblings if other.start >= node.end and other.name != node.name]


def _stands_in(later: Node, node: Node, failed: int, analysis: TraceAnalysis) -> bool:
    """Whether a step that worked was given what a failed one was given, and ran for failed items
    only: a step that each item goes through makes up for none."""
    if later.error is not None or later.view.is_model_call or not analysis.was_read(later):
        return False
    if later.view.output.state is not BodyState.PRESENT:
        return False
    if len(analysis.peers_of(later)) > failed:
        return False
    own = set(given_pairs(node)) - _shared_values(node, analysis)
    return not own.isdisjoint(given_pairs(later))


def _gave_the_like(later: Node, peers: Sequence[Node]) -> bool:
    """Whether a step returned a field or a kind of text as those did that worked of the calls for
    which it may stand in, besides what it was given."""
    given = {leaf.key for leaf in later.view.input.first_leaves}
    own = _shape_of(later.view.output)
    return any(
        key not in given and full and (key, kind, full) in own
        for peer in peers[:_PEERS_READ]
        if peer.error is None
        for key, kind, full in _shape_of(peer.view.output)
    )


def _shared_values(node: Node, analysis: TraceAnalysis) -> frozenset[tuple[str, str]]:
    """What other calls were given, too."""
    peers = [peer for peer in analysis.peers_of(node) if peer is not node]
    return frozenset(value for peer in peers[:_PEERS_READ] for value in given_pairs(peer))
