"""Errors that were caused by an earlier result: an empty, partial, failed or broken one."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice

from app.analysis.error_origins import ErrorOrigin, error_message, find_error_origins
from app.analysis.finding import Category, Finding, build_finding
from app.analysis.json_values import find_empty_keys, iterate_leaves
from app.analysis.suspicious_results import WEAK_STRENGTH, Fault, SuspiciousResult
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

FAULT_PHRASES = {
    Fault.EMPTY: "returned nothing",
    Fault.PARTIAL: "returned a partial result",
    Fault.FAILURE: "failed without being marked as failed",
    Fault.CUT: "was cut off at its token limit",
    Fault.BLOCKED: "was stopped by a content filter",
    Fault.BROKEN_JSON: "returned invalid JSON",
}
_DATA_ERROR = re.compile(
    r"NoneType|KeyError|IndexError|out of range|not found|missing|empty|no (?:\w+ )?(?:results?|"
    r"documents?|data|rows?|match|context|content|candidates?|items?)|StopIteration"
    r"|division by zero|required|no attribute|null"
    r"|subscript|not iterable|at least|nothing|without |needs?\b|needed|must (?:not )?(?:be|have)",
    re.IGNORECASE,
)
_FORMAT_ERROR = re.compile(
    r"JSON|Expecting|Unterminated|pars(?:e|er|ing)|Validation|decode|unexpected (?:token|end|char)"
    r"|invalid (?:format|literal|syntax)|SyntaxError|delimiter|schema|malformed",
    re.IGNORECASE,
)
_FAULTS_OF_DATA_ERRORS = frozenset([Fault.EMPTY, Fault.PARTIAL, Fault.FAILURE])
_MISSING_DATA_FAULTS = frozenset([Fault.EMPTY, Fault.PARTIAL])
_QUOTED = re.compile(r"""['"`]([^'"`]{2,80})['"`]""")
_MOST_ERRORS = 25  # distinct causes are few; a loop may raise thousands of equal errors
_MOST_SPANS_SEARCHED = 2_000  # bounds the search before one error; the nearest results come first
_HIGHEST_LEVEL = 40  # ancestors whose earlier siblings are searched: programs nest less deeply
_STRENGTH_LOST_BY_LEVEL = 0.1  # a result of the same parent is likelier than one of an ancestor
# A key that is null both in the result and in the failed input: stronger than an empty tool
# result (0.3), weaker than an empty reply (0.85).
_MISSING_KEY_STRENGTH = 0.6


def find_error_causes(
    analysis: TraceAnalysis, suspects: Mapping[str, SuspiciousResult]
) -> Iterator[Finding]:
    """For each error the earlier result that explains it, if there is one."""
    reported: set[tuple[str, str]] = set()
    for item in islice(find_error_origins(analysis.trace, analysis.tree), _MOST_ERRORS):
        cause = _find_cause(item, suspects, analysis)
        if cause is not None and (cause.node.id, item.origin.name) not in reported:
            reported.add((cause.node.id, item.origin.name))
            yield _build_cause_finding(cause, item)


def _find_cause(
    item: ErrorOrigin, suspects: Mapping[str, SuspiciousResult], analysis: TraceAnalysis
) -> SuspiciousResult | None:
    """The strongest and nearest earlier result whose fault fits the error, the earliest of equals.

    Where the input of the failed span has nulls, results with a null under the same key count too,
    and weak suspects count if they returned the same kind of empty value.
    """
    message = error_message(item.error)
    fits: frozenset[Fault] = frozenset()
    if _DATA_ERROR.search(message):
        fits |= _FAULTS_OF_DATA_ERRORS
    if _FORMAT_ERROR.search(message):
        fits |= frozenset(Fault)
    read = analysis.was_read(item.origin)
    if read and _quotes_own_input(message, item.origin):
        fits -= _MISSING_DATA_FAULTS
    if not fits:
        return None
    holes = find_empty_keys(item.origin.span.input) if read else frozenset()
    best: tuple[float, int, SuspiciousResult] | None = None
    for count, (level, node) in enumerate(analysis.tree.earlier(item.origin)):
        if count > _MOST_SPANS_SEARCHED or level > _HIGHEST_LEVEL:
            break
        suspect = suspects.get(node.id) or _judge_missing_key(node, holes, analysis)
        if suspect is None or suspect.fault not in fits:
            continue
        if suspect.strength < WEAK_STRENGTH and not _same_kind_of_empty(node, item.origin):
            continue
        score = (suspect.strength - _STRENGTH_LOST_BY_LEVEL * level, -node.end)
        if best is None or score > best[:2]:
            best = (*score, suspect)
    return best[2] if best else None


def _quotes_own_input(message: str, node: Node) -> bool:
    """Whether the error quotes a value of the span's own input, so that nothing was missing."""
    quoted = set(_QUOTED.findall(message))
    return bool(quoted) and any(str(leaf) in quoted for _, leaf in iterate_leaves(node.span.input))


def _same_kind_of_empty(giver: Node, taker: Node) -> bool:
    """Whether the output of `giver` and the input of `taker` share a kind of empty value: null,
    blank text, empty list or object."""
    given, taken = (
        {repr(leaf) for _, leaf in iterate_leaves(value) if leaf in (None, "", [], {})}
        for value in (giver.span.output, taker.span.input)
    )
    return bool(given & taken)


def _judge_missing_key(
    node: Node, holes: frozenset[str], analysis: TraceAnalysis
) -> SuspiciousResult | None:
    """A result in which one of these keys is empty, unless it already was in the input."""
    if not holes or not analysis.was_read(node) or node.error is not None:
        return None
    own = (find_empty_keys(node.span.output) - find_empty_keys(node.span.input)) & holes
    if not own:
        return None
    names = ", ".join(one_line(key, limit=40) for key in sorted(own)[:3])
    return SuspiciousResult(node, Fault.PARTIAL, _MISSING_KEY_STRENGTH, f"{names} missing")


def _build_cause_finding(cause: SuspiciousResult, item: ErrorOrigin) -> Finding:
    name, victim = (one_line(node.name, limit=60) for node in (cause.node, item.origin))
    sentence = (
        f"{name} {FAULT_PHRASES[cause.fault]} ({cause.reason}), and later {victim} failed with"
        f" {one_line(error_message(item.error), limit=160)}."
    )
    # A faulty result and a fitting error support each other, the more the surer the fault is; an
    # error that did not end the trace ranks below those that did.
    confidence = 0.75 + 0.2 * cause.strength - (0.0 if item.fatal else 0.25)
    waited = (item.origin.start - cause.node.end) / 1_000
    nodes = [cause.node, *item.path]
    return build_finding(
        Category.CAUSE_OF_ERROR, confidence, sentence, nodes, {"ms_between": waited}
    )
