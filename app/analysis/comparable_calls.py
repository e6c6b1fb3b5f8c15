"""Calls that can be compared with one another: by name, by what they got, by what they returned."""

import json
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from app.analysis.recorded.body import Body, BodyState
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_NAME_READ = 200  # characters of a name; frameworks put whole arguments behind its beginning
_NAME_END = re.compile(r"[:(\[{#\"'=]")
_DIGITS = re.compile(r"\d+")
_COUNTER = re.compile(r"(?<![\w.])\d{1,6}(?![\w.])")
_LONGEST_CLOSING = '}]" '  # what ends a JSON text of messages, before which a longer one goes on


class Call(NamedTuple):
    """A span with its input and output as texts that are equal where they mean the same.

    `result` is empty where no output was recorded; an output that the backend cut is compared by
    its beginning.
    """

    node: Node
    given: str
    result: str


def comparable_call(node: Node, analysis: TraceAnalysis) -> Call | None:
    """The call of a span that did not fail and whose input says something and is whole."""
    if not analysis.was_read(node) or node.error is not None:
        return None
    given = node.view.input
    if not given.says_something or not given.canonical:
        return None
    return Call(node, given.canonical, result_text(node.view.output))


def result_text(output: Body) -> str:
    """The canonical text of an output, or its beginning where the backend cut it; empty where
    nothing was recorded."""
    if output.state is BodyState.ABSENT:
        return ""
    if not output.is_cut:
        return output.canonical
    value = output.value
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def name_stem(name: str) -> str:
    """What the names of equal steps share: `page 3` and `page 4`, `fetch: a` and `fetch: b`."""
    name = name[:_NAME_READ]
    stem = _NAME_END.split(name, maxsplit=1)[0].strip() or name
    return _DIGITS.sub("#", stem)


def without_counters(text: str) -> str:
    """A canonical text without numbers that stand alone, as rounds, pages and steps do."""
    return _COUNTER.sub("#", text)


def continues_text(before: str, after: str) -> bool:
    """Whether one canonical text begins with the other, as a history does that grows."""
    start = before.rstrip(_LONGEST_CLOSING)
    return len(start) > 1 and after.startswith(start)


def run_in_turn(nodes: Sequence[Node]) -> bool:
    """Whether none of them started before the one before it had ended."""
    return all(b.start >= a.end for a, b in pairwise(nodes))


def common_parent(nodes: Iterable[Node]) -> Node | None:
    """The deepest span around all of them; None where they have none in common."""
    ways = [node.path()[:-1] for node in nodes]
    found: Node | None = None
    for steps in zip(*ways, strict=False):
        if any(step is not steps[0] for step in steps):
            break
        found = steps[0]
    return found


def work_share(nodes: Iterable[Node], analysis: TraceAnalysis) -> float:
    """The share of the trace's time that the spans take together; by their number in a trace
    without times."""
    nodes = list(nodes)
    if analysis.profile.duration > 0:
        return sum(node.duration for node in nodes) / analysis.profile.duration
    return len(nodes) / max(1, len(analysis.tree.nodes))
