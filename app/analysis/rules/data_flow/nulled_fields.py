"""Fields that a lookup had filled and that a later step of the program has as null.

A hand-over names the quest and the landmark as they were looked up, but no direction, and the
next agent makes one up. That both are one record shows by the values that they share. A field that
a step was given itself, and returned as null in the same place, counts where a later call needs it.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.body import Body
from app.analysis.recorded.leaves import Leaf, Path
from app.analysis.recorded.spellings import plain_key
from app.analysis.rules.data_flow.named_values import PASSING_KEYS, removes_values
from app.analysis.rules.failures.suspects import came_to_nothing
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_read_steps
from app.analysis.tree import Node

_CONFIDENCE = 0.7  # a program may clear a field on purpose
_LEAVES_READ = 80  # of one body: what is handed on is short
_LEVELS_READ = 4
_SHORTEST_SHARED = 4  # characters of a shared value; shorter ones need a digit
_LONGEST_VALUE = 200  # characters
_FACTS_KEPT = 400  # records of lookups
_MOST_FOUND = 5
_NOTHING: tuple[object, ...] = (None, "")

_Fields = dict[str, str]


class _Record(NamedTuple):
    """The texts and numbers of one object under their plain keys, and its keys without a value."""

    full: _Fields
    empty: dict[str, str]


class _Fact(NamedTuple):
    node: Node
    fields: _Fields


def find_nulled_fields(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most 5 fields, each with the step that first lacked it and the lookup that had it."""
    steps = analysis.once(list_read_steps)
    may_lack = [node for node in steps if _may_lack(node)]
    if may_lack:
        found = list(islice(_compare_steps(may_lack, steps), _MOST_FOUND))
        yield from found
        named = {finding.spans[0] for finding in found}
        emptied = [node for node in may_lack if node.id not in named]
        yield from islice(_find_emptied(emptied, steps), _MOST_FOUND)


def _may_lack(node: Node) -> bool:
    view = node.view
    if view.calls_outside or removes_values(node.name):
        return False
    return any(body.keys and body.may_have_empty for body in (view.input, view.output))


def _compare_steps(may_lack: Sequence[Node], steps: Sequence[Node]) -> Iterator[Finding]:
    facts = _list_facts(steps)
    reported: set[str] = set()
    for at, body, node in sorted(_events(may_lack), key=lambda event: (event[0], event[2].index)):
        known = [fact for fact in facts if fact.node.end <= at and fact.node is not node]
        if not known or not body.may_have_empty:
            continue
        for record in _read_records(body):
            for key in sorted(record.empty.keys() - reported - PASSING_KEYS):
                fact = _find_fact(key, record, known)
                if fact is not None and fact.fields[key].casefold() not in body.canonical:
                    reported.add(key)
                    yield _build_finding(key, record, node, fact, body is node.view.input)


def _events(nodes: Sequence[Node]) -> Iterator[tuple[int, Body, Node]]:
    for node in nodes:
        yield node.start, node.view.input, node
        yield node.end, node.view.output, node


def _list_facts(steps: Sequence[Node]) -> list[_Fact]:
    """What tools had returned, by the order of their spans."""
    facts: list[_Fact] = []
    for node in steps:
        if node.view.calls_outside and not node.view.has_failed:
            given = next(_read_records(node.view.input), _Record({}, {})).full
            for record in _read_records(node.view.output):
                facts.append(_Fact(node, given | record.full))
                if len(facts) >= _FACTS_KEPT:
                    return facts
    return facts


def _read_records(body: Body) -> Iterator[_Record]:
    """The objects of a body that have values of their own."""
    records: dict[Path, _Record] = {}
    for path, key, value in body.list_leaves(_LEAVES_READ):
        if not key or len(path) > _LEVELS_READ or not isinstance(path[-1], str):
            continue
        record = records.setdefault(path[:-1], _Record({}, {}))
        if value is None or value == "":
            record.empty[key] = path[-1]
        elif type(value) in (str, int, float) and len(str(value)) <= _LONGEST_VALUE:
            record.full[key] = str(value)
    yield from records.values()


def _find_fact(key: str, record: _Record, facts: Sequence[_Fact]) -> _Fact | None:
    """The last lookup that had the field and agrees with all that the record has of it, where
    they share something that is not equal by chance, and no other value is known."""
    found = [fact for fact in facts if key in fact.fields and _agree(record.full, fact.fields)]
    return found[-1] if len({fact.fields[key] for fact in found}) == 1 else None


def _agree(fields: _Fields, others: _Fields) -> bool:
    shared = fields.keys() & others.keys()
    return all(fields[key] == others[key] for key in shared) and any(
        len(fields[key]) >= _SHORTEST_SHARED or any(map(str.isdigit, fields[key])) for key in shared
    )


def _build_finding(key: str, record: _Record, node: Node, fact: _Fact, was_given: bool) -> Finding:
    shared = next(name for name in record.full if name in fact.fields)
    sentence = (
        f"{node.title} {'was given' if was_given else 'returned'} no"
        f" {one_line(record.empty[key], limit=40)}, though {fact.node.title} had"
        f" returned “{one_line(fact.fields[key], limit=40)}” for the same record"
        f" ({one_line(shared, limit=40)} “{one_line(record.full[shared], limit=40)}”)."
    )
    return build_finding(Category.LOST_VALUE, _CONFIDENCE, sentence, [node, fact.node])


def _find_emptied(may_lack: Sequence[Node], steps: Sequence[Node]) -> Iterator[Finding]:
    """The first field of each step that it had been given at the same path and returned as null,
    if a later call was given null for it and came to nothing."""
    for node in may_lack:
        output = node.view.output
        if not output.may_have_empty:
            continue
        given = {leaf.path: leaf.value for leaf in node.view.input.list_leaves(_LEAVES_READ)}
        for leaf in output.list_leaves(_LEAVES_READ):
            had = given.get(leaf.path)
            if leaf.key in PASSING_KEYS or len(leaf.path) < 2 or leaf.value not in _NOTHING:
                continue
            user = _find_user(leaf, node, steps) if type(had) in (str, int) and had else None
            if user is not None:
                sentence = (
                    f"{node.title} was given"
                    f" “{one_line(str(had), limit=40)}” as {one_line(str(leaf.path[-1]), limit=40)}"
                    f" and returned none, and {user.title} came to nothing."
                )
                yield build_finding(Category.LOST_VALUE, _CONFIDENCE, sentence, [node, user])
                break


def _find_user(leaf: Leaf, node: Node, steps: Sequence[Node]) -> Node | None:
    """The first later call of something outside that was given null under the key of a field,
    alone or behind the key of its record (`customer_id` for the `id` of a `customer`), and came to
    nothing."""
    above = leaf.path[-2]
    names = {leaf.key, f"{plain_key(above)}{leaf.key}" if isinstance(above, str) else leaf.key}
    for step in steps:
        if step.start < node.end or not (step.view.calls_tool and step.view.input.may_have_empty):
            continue
        read = step.view.input.list_leaves(_LEAVES_READ)
        if any(each.key in names and each.value in _NOTHING for each in read):
            return step if came_to_nothing(step) else None
    return None
