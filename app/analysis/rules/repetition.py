"""Calls that repeat themselves without progress."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.json_values import are_alike, is_cut, to_canonical_json, without_numbers
from app.analysis.llm_output import is_model_call
from app.analysis.suspicious_results import is_retrieval
from app.analysis.text.one_line import format_duration, one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_POLLING_NAME = re.compile(
    r"poll|status|wait|health|heartbeat|sleep|tick|ping\b|watch", re.IGNORECASE
)
_LEAST_REPEATS = 3  # equal calls: twice is a retry or a check
_LEAST_ROUNDS = 3  # rounds of a cycle, for the same reason
_LEAST_POLLS = 6  # calls of a name that suggests polling, which repeats by design
_LEAST_SAME_INPUTS = 5  # equal inputs with different results, which may be sampling or paging
_LONGEST_PERIOD = 4  # calls in a cycle: longer ones look alike without being the same
_LEAST_SHARE = 0.01  # share of the trace that work inside the program must take, when repeated
_LEAST_SHARE_OF_PARENT = 0.1  # share of the parent that it must take otherwise
_LONG_RESULT = 40  # characters: short results (`ok`, `true`) are equal without being the same


@dataclass(frozen=True, slots=True)
class _Call:
    """A span that can be compared: input and output in canonical form."""

    node: Node
    given: str
    result: str


def find_loops(analysis: TraceAnalysis) -> Iterator[Finding]:
    """The same call with the same input and the same result, repeated: among siblings, in cycles of
    several calls, or once in each turn."""
    reported: set[str] = set()
    for children in analysis.tree.sibling_groups():
        calls = [call for child in children if (call := _comparable_call(child, analysis))]
        if len(calls) < _LEAST_REPEATS:
            continue
        found = _find_cycle(calls, analysis)
        if found is not None:
            reported.update(found.spans)
            yield found
    yield from _find_scattered(analysis, reported)


def _comparable_call(node: Node, analysis: TraceAnalysis) -> _Call | None:
    """A span whose input was read whole and is not blank, and that did not fail."""
    if not analysis.was_read(node) or is_cut(node.span.input) or node.error is not None:
        return None
    given = to_canonical_json(node.span.input)
    if not any(sign.isalnum() for line in given.split("\n") for sign in line.partition("=")[2]):
        return None
    return _Call(node, given, to_canonical_json(node.span.output))


def _is_repeat(a: _Call, b: _Call) -> bool:
    """Whether `b` repeats `a` with the same result."""
    if a.node.name != b.node.name or a.result != b.result or b.node.start < a.node.end:
        return False
    if a.given == b.given:
        return True
    if are_alike(a.given, b.given):
        return len(a.result) >= _LONG_RESULT
    return is_retrieval(a.node) and len(a.result) >= _LONG_RESULT and _same_numbers(a, b)


def _same_numbers(a: _Call, b: _Call) -> bool:
    """Other numbers mean another page, row or item."""
    return re.findall(r"\d+", a.given) == re.findall(r"\d+", b.given)


def _find_cycle(calls: Sequence[_Call], analysis: TraceAnalysis) -> Finding | None:
    """The longest run of siblings that repeats a cycle of one to four calls; calls that occur only
    once or twice in between do not break it."""
    counts = Counter((call.node.name, call.given, call.result) for call in calls)
    frequent = [
        call for call in calls if counts[call.node.name, call.given, call.result] >= _LEAST_REPEATS
    ]
    whole, sifted = _longest_cycle(calls), _longest_cycle(frequent)
    (nodes, period), picked = max(
        (whole, False), (sifted, True), key=lambda found: len(found[0][0])
    )
    if not nodes or not _is_significant(nodes, analysis, outside_counts=not picked):
        return None
    if period == 1 and _is_short_polling(nodes):
        return None
    return _build_cycle_finding(nodes, period)


def _longest_cycle(calls: Sequence[_Call]) -> tuple[list[Node], int]:
    """Its spans and how many calls go into one round; no spans where there is none."""
    best: tuple[int, int, int] = (0, 0, 1)
    for period in range(1, _LONGEST_PERIOD + 1):
        start = 0
        for i in range(period, len(calls) + 1):
            if i < len(calls) and _is_repeat(calls[i - period], calls[i]):
                continue
            length = i - start
            if length >= period * _LEAST_ROUNDS and length > best[0]:
                best = (length, start, period)
            start = i - period + 1
    length, start, period = best
    return [call.node for call in calls[start : start + length]], period


def _is_significant(
    nodes: Sequence[Node], analysis: TraceAnalysis, *, outside_counts: bool
) -> bool:
    """True for calls of tools or models in a row; for others only where they take some time."""
    if outside_counts and any(node.span.type == "tool" or is_model_call(node) for node in nodes):
        return True
    spent = sum(node.duration for node in nodes)
    parent = nodes[0].parent
    whole = parent.duration if parent is not None else analysis.profile.duration
    return (
        spent >= _LEAST_SHARE * analysis.profile.duration or spent >= _LEAST_SHARE_OF_PARENT * whole
    )


def _is_short_polling(nodes: Sequence[Node]) -> bool:
    """Whether the calls are polling, which repeats a few times by design."""
    return _POLLING_NAME.search(nodes[0].name) is not None and len(nodes) < _LEAST_POLLS


def _build_cycle_finding(nodes: Sequence[Node], period: int) -> Finding:
    rounds = len(nodes) // period
    names = " → ".join(one_line(node.name, limit=40) for node in nodes[:period])
    spent = sum(node.duration for node in nodes)
    given = one_line(to_canonical_json(nodes[0].span.input).partition("=")[2], limit=80)
    sentence = (
        f"{names} ran {rounds} times with the same input (“{given}”) and the same result;"
        f" {format_duration(spent)} spent without progress."
    )
    category = Category.LOOP if period == 1 else Category.PING_PONG
    numbers = {"rounds": rounds, "calls": len(nodes), "spent_ms": spent / 1_000}
    # It grows with each round, and is lower where all calls are inside the program, which repeats
    # more by design than calls of tools and models.
    inner = all(node.span.type != "tool" and not is_model_call(node) for node in nodes)
    confidence = min(0.95, 0.65 + 0.05 * rounds) - 0.1 * inner
    return build_finding(category, confidence, sentence, nodes, numbers)


def _find_scattered(analysis: TraceAnalysis, reported: set[str]) -> Iterator[Finding]:
    """Repeated calls of tools or models with others between them: once in each turn of an agent."""
    for peers in analysis.peer_groups().values():
        first = peers[0]
        outside = first.span.type == "tool" or is_model_call(first)
        if len(peers) < _LEAST_REPEATS or not outside or _POLLING_NAME.search(first.name):
            continue
        same: dict[str, list[_Call]] = {}
        for node in peers:
            call = None if node.id in reported else _comparable_call(node, analysis)
            if call is not None:
                same.setdefault(call.given, []).append(call)
        for calls in same.values():
            nodes = [call.node for call in calls]
            alternating = all(b.start >= a.end for a, b in pairwise(nodes))
            steady = len({call.result for call in calls}) == 1
            least = _LEAST_REPEATS if steady else _LEAST_SAME_INPUTS
            share = sum(node.duration for node in nodes) / max(1, analysis.profile.duration)
            if len(nodes) < least or not alternating or share < _LEAST_SHARE:
                continue
            if _belong_to_one_task(nodes, analysis):
                reported.update(node.id for node in nodes)
                yield _build_cycle_finding(nodes, 1)


def _belong_to_one_task(nodes: Sequence[Node], analysis: TraceAnalysis) -> bool:
    """Whether the repeats belong to one task: under one parent, or under turns whose
    inputs are the same but for numbers, or grow. Other tasks may ask the same with reason."""
    parents = {node.parent.id: node.parent for node in nodes if node.parent is not None}
    if len(parents) <= 1:
        return True
    if not all(analysis.was_read(parent) for parent in parents.values()):
        return False
    handed = [without_numbers(to_canonical_json(parent.span.input)) for parent in parents.values()]
    return all(are_alike(a, b) or b.startswith(a) for a, b in pairwise(handed))
