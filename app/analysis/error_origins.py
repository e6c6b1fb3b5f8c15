"""Where errors began: the spans that raised them, and those that only passed them on."""

import heapq
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from app.analysis.recorded.spellings import word_set
from app.analysis.recorded.stack import read_message, read_stack_message
from app.analysis.recorded.stack_frames import find_library, find_raising_place
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node
from app.opik.records import ErrorInfo

_NUMBERS_AND_IDS = re.compile(r"0x[0-9a-fA-F]+|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|\d+")
_TRACEBACK_FRAME = re.compile(
    r'^[ \t]*+File "([^"]{1,300})", line (\d+), in (\S{1,80})', re.MULTILINE
)
_CANCELLATION_TYPES = word_set("CancelledError Cancelled KeyboardInterrupt AbortError")
_LEAST_PASSING = 50_000  # microseconds in which an exception leaves the spans around it
_PASSING_SHARE = 0.05  # the same as a share of the whole: what takes longer is work
_WORDS_OF_WRAPPER = 5  # `Triage of the ticket failed`: more words may tell of another cause
_SPECIFIC = re.compile(r"[\d'\"`“”«:=(]|\b(?:null|none|undefined|empty|missing|invalid)\b", re.I)
"""What a message has that tells more than that something failed."""
_LEAST_REPEATED = 24  # characters: shorter reports, such as `ok: false`, are equal by chance
_MOST_CLEANING = 2  # steps after a failure that report it or set a state


@dataclass(slots=True)
class ErrorOrigin:
    """One error: the deepest span that shows it, and the spans it passed through.

    `path` runs from the origin to the last span that failed with it. `caught_by` is the first span
    above that did not fail (None if there is none). `fatal` says that it ended the
    trace.
    """

    origin: Node
    path: list[Node] = field(default_factory=list)
    caught_by: Node | None = None
    fatal: bool = False

    @property
    def error(self) -> ErrorInfo:
        """The error of the origin; where that was only cancelled, the first real one above it."""
        errors = [node.error for node in self.path if node.error is not None]
        return next((each for each in errors if not is_cancellation(each)), errors[0])


def error_message(error: ErrorInfo) -> str:
    """`Type: message`; without a message that of the traceback stands in."""
    kind, message = error.exception_type or "", read_message(error.message)
    if not message and error.traceback:
        message = read_stack_message(error.traceback)
    if kind and message.startswith(kind):
        return message
    return f"{kind}: {message}" if kind and message else kind or message or "error"


def error_signature(error: ErrorInfo, *, given: Iterable[str] = ()) -> str:
    """What equal errors share: type and message without numbers, ids and what a span was given."""
    message = error_message(error)
    for text in given:
        message = message.replace(text, "#")
    return _NUMBERS_AND_IDS.sub("#", message).casefold()


def find_first_of_equal_errors(
    failed: Sequence[tuple[str, ErrorInfo]],
) -> dict[str, tuple[str, bool]]:
    """For records with an error that an earlier one has: that one, and whether the message is the
    same to the number. Equal errors were raised at one place; `failed` has ids, origins first."""
    first: dict[tuple[str, str], tuple[str, ErrorInfo]] = {}
    found = {}
    for record_id, error in failed:
        key = (error_signature(error), find_raising_place(error.traceback or ""))
        origin, its_error = first.setdefault(key, (record_id, error))
        if origin != record_id:
            found[record_id] = (origin, error_message(its_error) == error_message(error))
    return found


def last_own_frame(traceback: str | None) -> str:
    """Where the program's own code stood: `file:line in function`, or an empty text."""
    frames = _TRACEBACK_FRAME.findall(traceback or "")
    own = [frame for frame in frames if not find_library(frame[0])]
    if not own:
        return ""
    file, line, function = own[-1]
    return f"{file.rpartition('/')[2]}:{line} in {function}"


def is_cancellation(error: ErrorInfo) -> bool:
    """Whether the span was stopped from outside."""
    kind = (error.exception_type or "").rpartition(".")[2]
    return kind in _CANCELLATION_TYPES


def find_error_origins(analysis: TraceAnalysis) -> list[ErrorOrigin]:
    """Every error of the trace, in the order of time, cancelled spans last; for `once`."""
    failed = [node for node in analysis.tree.nodes if node.error is not None]
    passed_on = {
        node.id: child for node in failed if (child := _find_source_child(node)) is not None
    }
    ending = _Ending(analysis)
    origins = [_follow_upwards(node, passed_on) for node in failed if node.id not in passed_on]
    for item in origins:
        item.fatal = ending.is_caused_by(item)
    origins.sort(key=lambda item: (item.origin.end, item.origin.index))
    return sorted(origins, key=lambda item: is_cancellation(item.error))


def find_reported_origins(analysis: TraceAnalysis) -> dict[str, Node]:
    """For spans whose output only repeats the failure of a span below: the first of the deepest
    spans with it; for `once`."""
    by_text: dict[str, list[Node]] = {}
    for node in analysis.tree.nodes:
        text = node.view.failure if node.error is None else read_message(node.error.message)
        if text:
            by_text.setdefault(text, []).append(node)
    origins: dict[str, Node] = {}
    for text, nodes in by_text.items():
        for node, inner in reversed(list(pairwise(nodes))):
            if not node.index < inner.index < node.index + node.size:
                continue
            if len(text) >= _LEAST_REPEATED or node.view.output.equals(inner.view.output):
                origins[node.id] = origins.get(inner.id, inner)
    return {key: node for key, node in origins.items() if analysis.tree.by_id[key].error is None}


def _find_source_child(node: Node) -> Node | None:
    """The child whose error this span passed on: the same error, one that its own error
    quotes, or the first after which nothing else was started."""
    error = node.error
    assert error is not None
    failed = [child for child in node.children if child.error is not None]
    failed.sort(key=lambda child: (child.end, child.index))
    failed = [child for child in failed if not _was_cancelled(child)] or failed
    own = error_signature(error)
    for child in failed:
        if child.error is not None and error_signature(child.error) == own:
            return child
    quoting = (error.traceback or "") + (error.message or "")
    for child in reversed(failed):
        inner = child.error.message if child.error is not None else None
        if inner and len(inner) > 3 and inner in quoting:
            return child
    starts = _last_starts(node)
    ending = next((child for child in failed if not _parent_continued(child, starts)), None)
    return ending or _find_wrapped(node, failed)


def _find_wrapped(node: Node, failed: Sequence[Node]) -> Node | None:
    """The last failed child, where this span only says that it failed, after little but a message
    to somebody: no model was asked and nothing below the steps that followed."""
    own = read_message(node.error.message) if node.error else ""
    if not own or len(own.split()) > _WORDS_OF_WRAPPER or _SPECIFIC.search(own):
        return None
    for child in failed[-1:]:
        later = [other for other in node.children if other.start >= child.end]
        plain = not any(other.view.is_model_call or other.children for other in later)
        if len(later) <= _MOST_CLEANING and plain and not _was_cancelled(child):
            return child
    return None


def _last_starts(node: Node) -> list[tuple[int, str | None]]:
    """When the last child of each name began, the two latest; failed children by their name, the
    others under none, since a retry of the same call does not count as continuing."""
    latest: dict[str | None, int] = {}
    for child in node.children:
        key = child.name if child.error is not None else None
        latest[key] = max(latest.get(key, child.start), child.start)
    return heapq.nlargest(2, ((start, key) for key, start in latest.items()), key=lambda it: it[0])


def _parent_continued(child: Node, starts: list[tuple[int, str | None]]) -> bool:
    """Whether the parent went on with something else after this child had failed."""
    return any(start >= child.end and key != child.name for start, key in starts)


def _was_cancelled(node: Node) -> bool:
    return node.error is not None and is_cancellation(node.error)


def _follow_upwards(origin: Node, passed_on: Mapping[str, Node]) -> ErrorOrigin:
    item = ErrorOrigin(origin, [origin])
    node = origin
    while node.parent is not None:
        above = node.parent
        if above.error is None or passed_on.get(above.id) is not node:
            item.caught_by = above
            break
        item.path.append(above)
        node = above
    return item


class _Ending:
    """How a trace ended: which of its errors ended it."""

    def __init__(self, analysis: TraceAnalysis) -> None:
        tree = analysis.tree
        self._analysis = analysis
        self._named = self._signature_at_top(tree.roots)
        self._root_starts = sorted(root.start for root in tree.roots)
        self._starts = sorted(node.start for node in tree.nodes)
        self._has_outputs = any(
            node.error is None and not _is_unrecorded(node.span.output) for node in tree.nodes
        )

    def is_caused_by(self, item: ErrorOrigin) -> bool:
        """It reached the top, and nothing of the trace started afterwards; or it was recorded at
        the innermost span only, and all around it ended at once with nothing to show."""
        if item.caught_by is not None:
            return self._passed_unrecorded(item)
        if self._analysis.error is not None:
            error = item.path[-1].error
            return not self._named or (error is not None and error_signature(error) == self._named)
        return not _any_started_after(item.path[-1], self._root_starts)

    def _signature_at_top(self, roots: Sequence[Node]) -> str:
        """The error of the trace, where it has several roots and one of them failed with it; else
        empty."""
        error = self._analysis.error
        if error is None or not roots[1:]:
            return ""
        own = error_signature(error)
        errors = [root.error for root in roots if root.error is not None]
        return own if any(error_signature(each) == own for each in errors) else ""

    def _passed_unrecorded(self, item: ErrorOrigin) -> bool:
        """Whether the spans around an error, none of which failed, have no output and ended with
        it, as the trace did, while another span shows that outputs were recorded."""
        top = item.path[-1]
        around = top.path()[:-1]
        if not _is_unrecorded(self._analysis.trace.output) or is_cancellation(item.error):
            return False
        if any(not node.finished or not _is_unrecorded(node.span.output) for node in around):
            return False
        at_once = max(_LEAST_PASSING, _PASSING_SHARE * around[0].duration)
        if any(node.end - top.end > at_once for node in around):
            return False
        return self._has_outputs and not _any_started_after(top, self._starts)


def _any_started_after(node: Node, starts: Sequence[int]) -> bool:
    """Whether any other span began when this one had ended; `starts` are in order, with its own."""
    after = len(starts) - bisect_left(starts, node.end)
    return after > (node.start >= node.end)


def _is_unrecorded(output: object) -> bool:
    return output is None or output == {}
