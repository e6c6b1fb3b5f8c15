"""Calls that failed and were made again: attempts of one call, wherever in the tree they lie."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.analysis.error_origins import error_message
from app.analysis.grouping import group_by
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.names import name_stem
from app.analysis.rules.further_tries import counts_tries
from app.analysis.rules.repeated_work.comparable_calls import (
    belong_to_one_task,
    group_equal,
    nodes_given_alike,
)
from app.analysis.rules.waiting_names import is_pause
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node, by_start

_RATE_LIMIT = re.compile(
    r"rate.?limit|too many requests|\b429\b|quota(?!ti)|throttl|resource.?exhausted|overloaded"
    r"|\b529\b|slow ?down|\b(?:at|over|model|insufficient|no) capacity\b",
    re.IGNORECASE,
)
_TRANSIENT_ERROR = re.compile(
    r"time.?out|timed out|connection|unavailable|\b50[0234]\b|temporar|try again|reset|overload",
    re.IGNORECASE,
)
_REASON_READ = 2_000  # characters of a reason
_SIBLINGS_BETWEEN = 20  # looked at between two attempts
_GROWING_WAIT = 1.2  # times the wait before: a program that backs off, rather than chance


@dataclass(frozen=True, slots=True)
class Attempts:
    """Failures of one call in a row, and the attempt that then worked, None if none did.

    `reasons` say why each failed.
    """

    failed: tuple[Node, ...]
    reasons: tuple[str, ...]
    worked: Node | None

    @property
    def nodes(self) -> tuple[Node, ...]:
        return (*self.failed, *([self.worked] if self.worked else []))

    @property
    def is_rate_limit(self) -> bool:
        return any(is_rate_limit_text(reason) for reason in self.reasons)

    @property
    def is_transient(self) -> bool:
        """Whether the first reason is one for which programs try again."""
        return _TRANSIENT_ERROR.search(self.reasons[0][:_REASON_READ]) is not None

    @property
    def lost(self) -> int:
        """Microseconds from the first attempt to the one that worked, or to the end of the last."""
        end = self.worked.start if self.worked else self.failed[-1].end
        return end - self.failed[0].start

    @property
    def has_growing_waits(self) -> bool:
        gaps = [b.start - a.end for a, b in pairwise(self.nodes)]
        return len(gaps) > 1 and all(b >= a * _GROWING_WAIT for a, b in pairwise(gaps))


def is_rate_limit_text(text: str) -> bool:
    """Whether the first 2,000 characters of a text speak of a rate limit."""
    return _RATE_LIMIT.search(text[:_REASON_READ]) is not None


def find_attempts(analysis: TraceAnalysis) -> list[Attempts]:
    """All calls of which at least two attempts were made, by start: first those with the same
    input, whatever their parents; then siblings of one name. Of spans inside one another the
    deepest."""
    covered: set[str] = set()
    found: list[Attempts] = []
    for group in (*_groups_by_input(analysis), *_groups_of_siblings(analysis)):
        nodes = [node for node in group if node.id not in covered]
        for attempts in _split_into_attempts(nodes, analysis):
            if any(node.id in covered for node in attempts.nodes):
                continue
            found.append(attempts)
            for node in attempts.nodes:
                covered.update(step.id for step in node.path())
                covered.update(below.id for below in analysis.tree.below(node))
    return sorted(found, key=lambda attempts: (attempts.failed[0].start, attempts.failed[0].index))


def _failure_reason(node: Node, analysis: TraceAnalysis) -> str:
    """Why a span failed: its error, or the failure its output reports; empty where it did not."""
    if node.error is not None:
        return error_message(node.error)
    if not analysis.was_read(node):
        return ""
    return node.view.failure


def _groups_by_input(analysis: TraceAnalysis) -> Iterator[list[Node]]:
    """Spans of one name with the same input, the deepest first."""
    nodes = analysis.once(nodes_given_alike)
    named = ((name_stem(node.name), node.view.input, node) for node in nodes)
    return _order_groups(group_equal(named))


def _groups_of_siblings(analysis: TraceAnalysis) -> Iterator[list[Node]]:
    """Children of one parent with the same name but for numbers (`attempt 2`), deepest first."""
    groups: list[list[Node]] = []
    for children in analysis.tree.sibling_groups():
        named = group_by(children, lambda child: name_stem(child.name))
        groups.extend(named.values())
    return _order_groups(groups)


def _order_groups(groups: Iterable[list[Node]]) -> Iterator[list[Node]]:
    large = [sorted(group, key=by_start) for group in groups if len(group) > 1]
    yield from sorted(large, key=lambda group: (-group[0].depth, group[0].index))


def _split_into_attempts(nodes: Sequence[Node], analysis: TraceAnalysis) -> Iterator[Attempts]:
    """Failures that follow one another with the same input, with what came after them."""
    run: list[tuple[Node, str]] = []
    for node in nodes:
        reason = _failure_reason(node, analysis)
        worked = _worked_between(run[-1][0], node, analysis) if run else None
        if run and (worked is not None or not _is_next_attempt(run, node, analysis)):
            yield from _build_attempts(run, worked)
            run = []
        if reason:
            run.append((node, reason))
        elif run:
            yield from _build_attempts(run, node)
            run = []
    if run:
        yield from _build_attempts(run, None)


def _is_next_attempt(run: Sequence[tuple[Node, str]], node: Node, analysis: TraceAnalysis) -> bool:
    """False where the spans overlap, serve different tasks, or both inputs were read and differ in
    more than words."""
    first, last = run[0][0], run[-1][0]
    if node.start < last.end or not belong_to_one_task(last, node, analysis):
        return False
    if not node.view.calls_tool and _others_between(last, node):
        return False
    if not (analysis.was_read(first) and analysis.was_read(node)):
        return True
    a, b = first.view.input, node.view.input
    if not (a.says_something or b.says_something) or a.resembles(b):
        return True
    return a.uncounted == b.uncounted and counts_tries([*(each for each, _ in run), node])


def _worked_between(last: Node, node: Node, analysis: TraceAnalysis) -> Node | None:
    """A sibling of the name that worked between two failures with one input, and was given the same
    but for a number, as that of the attempt: then the later failure is one of another call."""
    if last.parent is not node.parent or last.view.input.state is not BodyState.PRESENT:
        return None
    siblings = analysis.tree.siblings(last)
    first = bisect_left(siblings, last.end, key=lambda each: each.start)
    for each in siblings[first : first + _SIBLINGS_BETWEEN]:
        if each.start >= node.start:
            return None
        if (
            each.name == last.name
            and not _failure_reason(each, analysis)
            and each.view.input.uncounted == last.view.input.uncounted
        ):
            return each
    return None


def _others_between(last: Node, node: Node) -> bool:
    """Whether siblings other than waits ran between two attempts: turns of a conversation, not a
    program that tries again."""
    if last.parent is not node.parent or last.parent is None:
        return False
    siblings = last.parent.children
    first = bisect_left(siblings, last.end, key=lambda each: each.start)
    until = bisect_left(siblings, node.start, key=lambda each: each.start)
    stem = name_stem(node.name)
    return any(
        each.end <= node.start and name_stem(each.name) != stem and not is_pause(each.name)
        for each in siblings[first : min(until, first + _SIBLINGS_BETWEEN)]
    )


def _build_attempts(run: Sequence[tuple[Node, str]], worked: Node | None) -> Iterator[Attempts]:
    """Nothing for a single failure that was not followed by another attempt."""
    if len(run) + (worked is not None) > 1:
        yield Attempts(tuple(node for node, _ in run), tuple(reason for _, reason in run), worked)
