"""Steps that chose from a list what no longer holds, though others of the list do.

A list of prices has one of last year and one of this year, and a step takes the first. Which one
was chosen shows by its id, or another value that only this entry has.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.leaves import Leaf
from app.analysis.rules.data_flow.outdated_sources import (
    day_of,
    explain_mark,
    group_by_item,
    may_be_marked,
)
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_read_steps
from app.analysis.tree import Node, by_end

_CONFIDENCE = 0.8  # a list may be there for what has ended; then others are taken too, or asked for
_FEWEST = 2  # entries of a list
_SHORTEST, _LONGEST = 3, 60  # characters of a value that names an entry
_STEPS_READ = 60  # after a list


class _Entry(NamedTuple):
    """An entry of a list: the values that only it has, and why it no longer holds, if so."""

    names: frozenset[str]
    reason: str


def find_outdated_choices(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one: the step that took such an entry, and the one that had listed it."""
    steps = sorted(analysis.once(list_read_steps), key=by_end)
    for node in steps:
        entries = _list_entries(node) if may_be_marked(node.view.output) else ()
        ended = [each for each in entries if each.reason and each.names]
        if not ended or all(each.reason for each in entries):
            continue
        later = [each for each in steps if each.start >= node.end]
        chosen = _find_choice(ended, entries, list(islice(later, _STEPS_READ)))
        if chosen is not None and not _is_asked_for(chosen[1], analysis):
            step, entry, name = chosen
            sentence = (
                f"{step.title} took {one_line(name, limit=60)}, which no longer holds"
                f" ({entry.reason}), from what {node.title} had listed; others of the list hold."
            )
            yield build_finding(Category.DOUBTFUL_RESULT, _CONFIDENCE, sentence, [step, node])
            return


def _list_entries(node: Node) -> list[_Entry]:
    """The entries of the first list of a result, with the values that no other one has."""
    items = group_by_item(node)
    items.pop((), None)
    if len(items) < _FEWEST:
        return []
    now = day_of(node)
    entries = [_read_entry(leaves, now) for leaves in items.values()]
    counts = Counter(name for each in entries for name in each.names)
    return [
        _Entry(frozenset(name for name in each.names if counts[name] == 1), each.reason)
        for each in entries
    ]


def _read_entry(leaves: Sequence[Leaf], now: str) -> _Entry:
    reasons = [explain_mark(leaf, now) for leaf in leaves]
    texts = [
        str(leaf.value)
        for leaf, reason in zip(leaves, reasons, strict=True)
        if not reason and type(leaf.value) in (int, str)
    ]
    names = frozenset(text for text in texts if _SHORTEST <= len(text) <= _LONGEST)
    return _Entry(names, next(filter(None, reasons), ""))


def _find_choice(
    ended: Sequence[_Entry], entries: Sequence[_Entry], later: Sequence[Node]
) -> tuple[Node, _Entry, str] | None:
    """The first step that has a name of an ended entry, where none has one of those that hold."""
    holding = {name for each in entries if not each.reason for name in each.names}
    by_name = {name: each for each in ended for name in each.names}
    chosen: tuple[Node, _Entry, str] | None = None
    for step in later:
        for value in (*step.view.input.first_values, *step.view.output.first_values):
            name = str(value) if type(value) in (int, str) else ""
            if name in holding:
                return None
            if name in by_name and chosen is None:
                chosen = step, by_name[name], name
    return chosen


def _is_asked_for(entry: _Entry, analysis: TraceAnalysis) -> bool:
    """Whether the trace was asked about this entry."""
    asked = analysis.given.canonical
    return any(name.casefold() in asked for name in entry.names)
