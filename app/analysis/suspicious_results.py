"""Results that look wrong although their spans are not marked as failed."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.analysis.json_values import find_empty_keys, innermost_key, iterate_leaves, word_set
from app.analysis.llm_output import (
    find_broken_json,
    find_finish_reason,
    find_reported_failure,
    has_empty_output,
    is_model_call,
)
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import PeerKey, TraceAnalysis, peer_key
from app.analysis.tree import Node

_LOOKUP_NAME = re.compile(
    r"(?:^|[_\W]|(?<=[a-z]))(?:retriev\w*|search\w*|fetch\w*|look_?up\w*|quer(?:y|ies)|find|read|load"
    r"|get|select|sql|scrap\w*|crawl\w*|recall|rag|knn|vector\w*|download|extract\w*|browse\w*)"
    r"(?:$|[_\W]|(?=[A-Z]))",
    re.IGNORECASE,
)
_OFTEN_EMPTY_NAME = re.compile(
    r"cache|check|valid|moderat|guard|filter|detect|violation|warn|dedup|history|log|save|store"
    r"|notify|send|delete|update|write|ping|close|init|setup|memory",
    re.IGNORECASE,
)
_CUT_REASONS = word_set("length max_tokens max_output_tokens model_length")
_BLOCKED_REASONS = word_set("content_filter safety recitation refusal prohibited_content")
WEAK_STRENGTH = 0.25  # suspects below this mean something only beside an error that they explain

_FEW_PEERS = 4  # with fewer comparable calls "the others returned something" is chance
_PEERS_BY_MISSING_KEY = 10  # for each other without the key: where more lack it, it is optional
# Share of the peers that returned something, for an empty result to be an exception. Steps inside
# the program return nothing more often than tools, so more peers have to differ.
_MOST_PEERS = 0.75
_NEARLY_ALL_PEERS = 0.9

# Strengths, from what a result states to what it only suggests. The provider states that a reply
# was cut; other statements are read from texts and keys. A lookup may find nothing rightly, and a
# null may be a function that returns nothing; tools often return nothing, other steps mostly do.
_STATED_CUT = 0.9
_STATED_FAULT = 0.85
_STATED_PARTIAL = 0.6
_MISSING_KEYS = 0.5
_EMPTY_UNLIKE_PEERS = 0.9
_EMPTY_STEP_UNLIKE_PEERS = 0.7
_EMPTY_LOOKUP = 0.8
_NULL_LOOKUP = 0.6
_EMPTY_TOOL_RESULT = 0.3
_EMPTY_STEP = 0.1
_PARTIAL_FLAGS = word_set("partial is_partial incomplete truncated is_truncated")


class Fault(StrEnum):
    EMPTY = "empty"
    PARTIAL = "partial"
    FAILURE = "failure"
    CUT = "cut"
    BLOCKED = "blocked"
    BROKEN_JSON = "broken JSON"


@dataclass(frozen=True, slots=True)
class SuspiciousResult:
    """`strength` from 0 (only together with a symptom) to 1 (sure by itself)."""

    node: Node
    fault: Fault
    strength: float
    reason: str


@dataclass(slots=True)
class _PeerFigures:
    """Comparable spans whose bodies were read and that did not fail: how many there are, how many
    returned something, and how many have a hole (a null or an empty value) under each key."""

    read: int = 0
    full: int = 0
    holes: Counter[str] = field(default_factory=Counter)


class _PeerStatistics:
    """The figures of each group of peers."""

    def __init__(self, analysis: TraceAnalysis) -> None:
        self._figures: dict[PeerKey, _PeerFigures] = {}
        for node in analysis.tree.nodes:
            if analysis.was_read(node) and node.error is None:
                figures = self._figures.setdefault(peer_key(node), _PeerFigures())
                figures.read += 1
                figures.full += not has_empty_output(node)
                figures.holes.update(find_empty_keys(node.span.output))

    def of(self, node: Node) -> _PeerFigures:
        """The figures of the group of a span that was read; the span itself counts in them."""
        return self._figures[peer_key(node)]


def find_suspicious_results(analysis: TraceAnalysis) -> dict[str, SuspiciousResult]:
    """The suspects among the read spans by span id, in the order they ended.

    A wrapper that passes on the result of a span below it is not a suspect of its own.
    """
    peers = _PeerStatistics(analysis)
    found: dict[str, SuspiciousResult] = {}
    below: dict[int, set[Fault]] = {}
    for node in reversed(analysis.tree.nodes):
        inside = below.pop(node.index, set())
        if analysis.was_read(node) and node.error is None and node.finished:
            suspect = _judge_result(node, peers)
            if suspect is not None and not _passes_on(suspect, inside):
                found[node.id] = suspect
                if suspect.strength >= WEAK_STRENGTH:
                    inside.add(suspect.fault)
        if node.parent is not None and inside:
            below.setdefault(node.parent.index, set()).update(inside)
    return dict(sorted(found.items(), key=lambda item: _end_order(item[1].node)))


def _end_order(node: Node) -> tuple[int, int, int]:
    return node.end, -node.depth, node.index


def _passes_on(suspect: SuspiciousResult, inside: set[Fault]) -> bool:
    """Whether a span below has the same fault, or any where this one only returned nothing."""
    return suspect.fault in inside or (suspect.fault is Fault.EMPTY and bool(inside))


def _judge_result(node: Node, peers: _PeerStatistics) -> SuspiciousResult | None:
    span = node.span
    if is_model_call(node):
        reason = find_finish_reason(span.output, span.metadata)
        if reason in _CUT_REASONS:
            return SuspiciousResult(node, Fault.CUT, _STATED_CUT, f"finish reason {reason}")
        if reason in _BLOCKED_REASONS:
            return SuspiciousResult(node, Fault.BLOCKED, _STATED_FAULT, f"finish reason {reason}")
    if span.type == "guardrail":
        return None
    failure = find_reported_failure(span.output)
    if failure is not None:
        message = one_line(failure, limit=120)
        return SuspiciousResult(node, Fault.FAILURE, _STATED_FAULT, f"its output says “{message}”")
    if is_model_call(node):
        broken = find_broken_json(span)
        if broken:
            return SuspiciousResult(node, Fault.BROKEN_JSON, _STATED_FAULT, broken)
    if has_empty_output(node):
        return _judge_empty(node, peers)
    return _judge_partial(node, peers)


def _judge_partial(node: Node, peers: _PeerStatistics) -> SuspiciousResult | None:
    """A result that is flagged as partial, or that lacks keys that its peers have.

    Many results have optional parts, so missing keys alone need a symptom.
    """
    output = node.span.output
    if is_model_call(node) or not isinstance(output, Mapping | list):
        return None
    for path, leaf in iterate_leaves(output, most=200):
        if leaf is True and innermost_key(path) in _PARTIAL_FLAGS:
            return SuspiciousResult(
                node, Fault.PARTIAL, _STATED_PARTIAL, f"its output says {innermost_key(path)}: true"
            )
    holes = find_empty_keys(output)
    kind = peers.of(node)
    others = kind.read - 1
    if not holes or others < _FEW_PEERS:
        return None
    unusual = [
        key for key in sorted(holes) if kind.holes[key] - 1 <= others // _PEERS_BY_MISSING_KEY
    ]
    if not unusual:
        return None
    names = ", ".join(one_line(key, limit=40) for key in unusual[:3])
    return SuspiciousResult(
        node, Fault.PARTIAL, _MISSING_KEYS, f"it lacks {names}, which other calls gave"
    )


def _judge_empty(node: Node, peers: _PeerStatistics) -> SuspiciousResult | None:
    span = node.span
    outside = span.type == "tool" or is_retrieval(node) or is_model_call(node)
    kind = peers.of(node)
    few, share = (_FEW_PEERS, _MOST_PEERS) if outside else (2 * _FEW_PEERS, _NEARLY_ALL_PEERS)
    if kind.read >= few and kind.full >= share * kind.read:
        reason = f"{kind.full} of {kind.read} calls of this name that were read returned something"
        return SuspiciousResult(
            node, Fault.EMPTY, _EMPTY_UNLIKE_PEERS if outside else _EMPTY_STEP_UNLIKE_PEERS, reason
        )
    if is_model_call(node):
        return SuspiciousResult(
            node, Fault.EMPTY, _STATED_FAULT, "a reply without text or tool calls"
        )
    if _OFTEN_EMPTY_NAME.search(node.name):
        return None
    if is_retrieval(node) and span.input not in (None, {}, [], ""):
        strength = _NULL_LOOKUP if _is_null(span.output) else _EMPTY_LOOKUP
        return SuspiciousResult(node, Fault.EMPTY, strength, "a lookup that returned nothing")
    if span.type == "tool":
        return SuspiciousResult(
            node, Fault.EMPTY, _EMPTY_TOOL_RESULT, "a tool that returned nothing"
        )
    if not node.children and not _is_null(span.output):
        return SuspiciousResult(node, Fault.EMPTY, _EMPTY_STEP, "a step that returned nothing")
    return None


def is_retrieval(node: Node) -> bool:
    """Whether a span looks something up, by its name."""
    return _LOOKUP_NAME.search(node.name) is not None


def _is_null(output: Any) -> bool:
    """Whether it is null, also inside the object that SDKs wrap around a function's result."""
    return output is None or (
        isinstance(output, Mapping) and all(inner is None for inner in output.values())
    )
