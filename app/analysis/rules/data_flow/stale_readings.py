"""Readings that are days old, beside others of the same thing that were taken just now.

Six gauges of one tank are read; five answers are minutes old, and one is of last week, as of a
sensor that has stopped. The step after them takes all six for the state of now.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.grouping import group_by
from app.analysis.recorded.leaves import Leaf, Path
from app.analysis.text.one_line import format_count, format_duration, one_line
from app.analysis.trace_analysis import TraceAnalysis, list_read_steps
from app.analysis.tree import Node, to_microseconds

_CONFIDENCE = 0.8  # a value that changes once a week may lie among them
_FEWEST = 4  # readings: of three, one of the two that differ may be the usual one
_LATEST = 3_600_000_000  # microseconds: what was taken within the hour is a reading of now
_STALE = 24 * _LATEST  # before the others: no sensor of their kind is read once a day
_DAY = 10  # characters of a date
_LONGEST_DATE = 40  # characters


def find_stale_readings(analysis: TraceAnalysis) -> Iterator[Finding]:
    """One finding for each group of readings of which exactly one is stale."""
    calls = (node for node in analysis.once(list_read_steps) if node.view.calls_outside)
    groups = group_by(calls, lambda node: (node.parent and node.parent.id, node.function_name))
    for nodes in groups.values():
        if len(nodes) >= _FEWEST and _read_one_thing(nodes):
            yield from _judge_readings(nodes, analysis)


def _read_one_thing(nodes: Sequence[Node]) -> bool:
    """Whether the calls were all given one value, as the name of a tank, and each another one."""
    given = [
        {(leaf.path, leaf.value) for leaf in node.view.input.first_by_type.texts} for node in nodes
    ]
    shared = set.intersection(*given)
    return bool(shared) and len({frozenset(each - shared) for each in given}) == len(given)


def _judge_readings(nodes: Sequence[Node], analysis: TraceAnalysis) -> Iterator[Finding]:
    times: dict[Path, list[tuple[int, Leaf, Node]]] = {}
    for node in nodes:
        by_type = node.view.output.first_by_type
        for leaf in by_type.texts if by_type.numbers else ():
            time = _read_time(leaf.value)
            if time is not None:
                times.setdefault(leaf.path, []).append((time, leaf, node))
    for found in times.values():
        found.sort(key=lambda each: each[0])
        (oldest, leaf, node), *others = found
        if len(found) != len(nodes) or leaf.value[:_DAY] in analysis.returned.canonical:
            continue
        age = node.start - others[0][0]
        if age <= _LATEST and others[0][0] - oldest >= _STALE:
            stated = one_line(f"{leaf.path[-1]} {leaf.value}", limit=60)
            sentence = (
                f"{node.title} returned a value that was {format_duration(node.start - oldest)} old"
                f" ({stated}); {format_count(len(others), 'other call')} beside it returned values"
                f" of the last {format_duration(max(age, 0))}."
            )
            yield build_finding(Category.DOUBTFUL_RESULT, _CONFIDENCE, sentence, [node])
            return


def _read_time(text: str) -> int | None:
    """Microseconds since 1970 of an ISO time, UTC where it names no zone; None for another text."""
    if not _DAY < len(text) <= _LONGEST_DATE or not text[:4].isdecimal() or text[4] != "-":
        return None
    try:
        return to_microseconds(datetime.fromisoformat(text))
    except ValueError:
        return None
