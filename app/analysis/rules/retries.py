"""Calls that failed and were tried again."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from app.analysis.error_origins import error_message
from app.analysis.finding import Category, Finding, build_finding
from app.analysis.json_values import are_alike, to_canonical_json, without_numbers
from app.analysis.llm_output import find_reported_failure
from app.analysis.text.one_line import format_duration, one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_RATE_LIMIT = re.compile(
    r"rate.?limit|too many requests|\b429\b|quota|throttl|resource.?exhausted|overloaded|\b529\b",
    re.IGNORECASE,
)
_TRANSIENT_ERROR = re.compile(
    r"time.?out|timed out|connection|unavailable|\b50[0234]\b|temporar|try again|reset|overload",
    re.IGNORECASE,
)
_GROWING_WAIT = 1.2  # times the wait before: a program that backs off, rather than chance


def find_retries(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Failed calls followed by the same call again: several failures in a row, or rate limits."""
    for siblings in _sibling_groups(analysis):
        places = {node.id: place for place, node in enumerate(siblings)}
        for run in _failing_runs(siblings, analysis):
            after = places[run[-1][0].id] + 1
            finding = _build_retry_finding(run, siblings[after : after + 1], analysis)
            if finding is not None:
                yield finding


def _sibling_groups(analysis: TraceAnalysis) -> Iterator[list[Node]]:
    """Children of one parent with the same name but for numbers (`attempt 2`), at least two, in
    the order they started."""
    for children in analysis.tree.sibling_groups():
        if len(children) < 2:
            continue
        named: dict[str, list[Node]] = {}
        for child in children:
            named.setdefault(without_numbers(child.name), []).append(child)
        yield from (nodes for nodes in named.values() if len(nodes) > 1)


def _failure_message(node: Node, analysis: TraceAnalysis) -> str:
    if node.error is not None:
        return error_message(node.error)
    if analysis.was_read(node):
        return find_reported_failure(node.span.output) or ""
    return ""


def _failing_runs(
    siblings: Sequence[Node], analysis: TraceAnalysis
) -> Iterator[list[tuple[Node, str]]]:
    """Failures that follow one another, none of which overlaps the one before."""
    run: list[tuple[Node, str]] = []
    for node in siblings:
        reason = _failure_message(node, analysis)
        apart = bool(run) and node.start < run[-1][0].end
        if run and (not reason or apart or not _same_input(run[0][0], node, analysis)):
            yield run
            run = []
        if reason:
            run.append((node, reason))
    if run:
        yield run


def _same_input(a: Node, b: Node, analysis: TraceAnalysis) -> bool:
    """False only where both inputs were read and differ in more than a few words."""
    if not (analysis.was_read(a) and analysis.was_read(b)):
        return True
    return are_alike(to_canonical_json(a.span.input), to_canonical_json(b.span.input))


def _build_retry_finding(
    run: Sequence[tuple[Node, str]], following: Sequence[Node], analysis: TraceAnalysis
) -> Finding | None:
    nodes = [node for node, _ in run]
    reasons = [reason for _, reason in run]
    limited = any(_RATE_LIMIT.search(reason) for reason in reasons)
    again = following[0] if following else None
    if again is not None and (
        again.start < nodes[-1].end or not _same_input(nodes[0], again, analysis)
    ):
        again = None
    calls = [*nodes, *([again] if again else [])]
    attempts = len(calls)
    if attempts < 2 or (attempts == 2 and not limited and not _TRANSIENT_ERROR.search(reasons[0])):
        return None
    gaps = [b.start - a.end for a, b in pairwise(calls)]
    growing = len(gaps) > 1 and all(b >= a * _GROWING_WAIT for a, b in pairwise(gaps))
    lost = (again.start if again else nodes[-1].end) - nodes[0].start
    kind = "hit a rate limit" if limited else "failed"
    waits = " with growing waits" if growing else ""
    end = "then worked" if again else "and never worked"
    sentence = (
        f"{one_line(nodes[0].name, limit=60)} {kind} {len(nodes)} times in a row and was tried"
        f" {attempts} times{waits}, {end}; {format_duration(lost)} lost"
        f" ({one_line(reasons[0], limit=120)})."
    )
    sentence = sentence.replace(" 1 times in a row", " once")
    # Two equal calls may be chance; each of a third attempt, a rate limit in the message and
    # growing waits shows the intention to retry. Retries that never worked are the graver ones.
    confidence = 0.65 + 0.1 * (attempts > 2) + 0.1 * limited + 0.1 * growing + 0.05 * (not again)
    numbers = {"attempts": attempts, "failures": len(nodes), "lost_ms": lost / 1_000}
    return build_finding(Category.RETRIES, confidence, sentence, calls, numbers)
