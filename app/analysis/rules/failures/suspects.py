"""Results that look wrong although their spans are not marked as failed."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from app.analysis.finding import Standing
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.spellings import RESULT_WRAPPERS, plain_key
from app.analysis.recorded.tool_records import FailedTool
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import PeerKey, TraceAnalysis, peer_key
from app.analysis.tree import Node

_STATED_BY_TOOL = 0.85  # strength: read from a list of tools that were used


class Fault(StrEnum):
    EMPTY = "empty"
    PARTIAL = "partial"
    LOSS = "loss"
    DOUBT = "doubt"
    FAILURE = "failure"
    CUT = "cut"
    BLOCKED = "blocked"
    BROKEN_JSON = "broken JSON"
    BAD_CALL = "bad call"
    REFUSAL = "refusal"


FAULTS_OF_MISSING_DATA = frozenset([Fault.EMPTY, Fault.PARTIAL])
FAULT_PHRASES = {
    Fault.EMPTY: "returned nothing",
    Fault.PARTIAL: "returned a partial result",
    Fault.LOSS: "dropped a part of what it was given",
    Fault.DOUBT: "returned a doubtful result",
    Fault.FAILURE: "failed without being marked as failed",
    Fault.CUT: "was cut off at its token limit",
    Fault.BLOCKED: "was stopped by the provider",
    Fault.BROKEN_JSON: "returned no valid JSON",
    Fault.BAD_CALL: "wrote an invalid tool call",
    Fault.REFUSAL: "refused what it was asked for",
}


@dataclass(frozen=True, slots=True)
class Suspect:
    """A result that looks wrong.

    `strength` from 0 to 1 says how sure it is that something is wrong with the result itself.
    `standing` is what it is worth alone: None means nothing, unless it explains an error.
    `writer` is the model call that wrote what failed, `made_good_by` a later span, `limited_by` a
    span around the call that set its limit of tokens, where they are known.
    """

    node: Node
    fault: Fault
    strength: float
    reason: str
    standing: Standing | None = Standing.FINDING
    writer: Node | None = None
    made_good_by: Node | None = None
    limited_by: Node | None = None


@dataclass(slots=True)
class PeerFigures:
    """Comparable spans whose bodies were recorded and read and that did not fail: how many there
    are, how many returned something, and how many have a null or an empty value under each key."""

    read: int = 0
    full: int = 0
    empties: Counter[str] = field(default_factory=Counter)


class PeerStatistics:
    """The figures of each group of peers, counted when they are first asked for."""

    def __init__(self, analysis: TraceAnalysis) -> None:
        self.analysis = analysis
        self._figures: dict[PeerKey, PeerFigures] = {}

    def of(self, node: Node) -> PeerFigures:
        """The figures of the group of a span that was read; the span itself counts in them."""
        key = peer_key(node)
        if key not in self._figures:
            self._figures[key] = self._count(self.analysis.peers_of(node))
        return self._figures[key]

    def _count(self, peers: Iterable[Node]) -> PeerFigures:
        figures = PeerFigures()
        for node in peers:
            read = self.analysis.was_read(node) and not node.view.is_unrecorded
            if read and node.error is None:
                figures.read += 1
                figures.full += not node.view.returned_nothing
                figures.empties.update(node.view.output.empty_keys)
        return figures


def suspect_tool_inside(node: Node, tool: FailedTool | None) -> Suspect | None:
    """The suspect of a tool that failed inside a span; where another one worked after it, that may
    have done what was needed."""
    if tool is None:
        return None
    reason = f"its tool {one_line(tool.name, limit=60)} says “{one_line(tool.reason, limit=120)}”"
    standing = Standing.FINDING if tool.is_last else Standing.WEAK
    return Suspect(node, Fault.FAILURE, _STATED_BY_TOOL, reason, standing)


def is_null(node: Node) -> bool:
    """Whether the output is a null or was not recorded; an empty object under a key of its own is
    neither."""
    output = node.view.output
    if output.state is not BodyState.ABSENT:
        return False
    value = output.opened
    return not isinstance(value, dict) or not any(
        inner == {} and plain_key(key) not in RESULT_WRAPPERS for key, inner in value.items()
    )


def came_to_nothing(node: Node) -> bool:
    """Whether a call raised, reported a failure or returned nothing."""
    return node.view.has_failed or node.view.returned_nothing


def is_empty_table(node: Node) -> bool:
    """Whether an output has an empty object and beside it single values only, as a status or a
    time: whatever is looked up in it is missing."""
    value = node.view.output.opened
    if not isinstance(value, dict):
        return False
    inner = [each for each in value.values() if isinstance(each, dict | list)]
    return {} in inner and not any(inner)
