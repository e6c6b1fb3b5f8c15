"""Calls that did not keep to what they were given: a step that looks at another record inside than
it was called for, a search whose results contradict its own filter."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.spellings import key_set, plain_key
from app.analysis.rules.named_values import NamedValues, form_of_name, names_subject
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_read_steps
from app.analysis.tree import Node

_FILTERS = key_set(
    "filter filters where metadata_filter metadata_filters query_filter search_filter"
)
_DIGIT = re.compile(r"\d")
_DATE = re.compile(r"\d{4}-\d\d|\d\d?[.:/]\d\d")
"""Days and times are shifted on purpose, unlike names of records."""
_CHILDREN_READ = 20  # of one step: more of them are items of a list
_MOST_FOUND = 5
_SHORTEST_NAME = 3  # characters of a name with digits
_CONFIDENCE = 0.85


def find_unkept_scope(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most 5 of each, the earliest first."""
    read = analysis.once(list_read_steps)
    yield from islice(_find_other_records(read, analysis), _MOST_FOUND)
    yield from islice(_find_unfiltered(read), _MOST_FOUND)


def _find_other_records(read: Sequence[Node], analysis: TraceAnalysis) -> Iterator[Finding]:
    """Steps with one name of a record in their input, and another one in that of a step inside."""
    for node in read:
        given = NamedValues(node.view.input)
        inside = [child for child in node.children[:_CHILDREN_READ] if analysis.was_read(child)]
        if not any(_may_be_given(child, given) for child in inside):
            continue
        for key in given.full:
            old = given.only(key)
            if _names_record(key, old):
                found = _find_other(key, old, node, inside)
                if found is not None:
                    child, new = found
                    yield _build_other(given.spell(key), old, new, node, child)


def _may_be_given(child: Node, given: NamedValues) -> bool:
    """Whether a step may have a key of the one around it in its input; False is certain."""
    if child.view.is_model_call:
        return False
    return given.may_share_key(NamedValues(child.view.input))


def _names_record(key: str, value: str) -> bool:
    """Whether a value is a name with digits, or a number under a key for such names."""
    if len(value) < _SHORTEST_NAME or not _DIGIT.search(value) or _DATE.search(value):
        return False
    return names_subject(key) or (not value.isdigit() and " " not in value and value[0].isalpha())


def _find_other(key: str, old: str, node: Node, inside: list[Node]) -> tuple[Node, str] | None:
    """The first step inside with another name of the same form, where none was given the own one
    and nothing before shows the other."""
    shown = node.view.input.canonical
    found: tuple[Node, str] | None = None
    for child in inside:
        text = child.view.input.canonical
        if old.casefold() in text:
            return None
        if found is None and not child.view.is_model_call:
            values = NamedValues(child.view.input)
            new = values.only(key) if values.may_have({key}) else ""
            if new and form_of_name(new) == form_of_name(old) and new.casefold() not in shown:
                found = child, new
        shown += child.view.output.canonical
    return found


def _build_other(label: str, old: str, new: str, node: Node, child: Node) -> Finding:
    name, inner = (one_line(each.name, limit=60) for each in (node, child))
    sentence = (
        f"{name} was given {one_line(label, limit=40)} “{one_line(old, limit=40)}”, but {inner}"
        f" inside it was given “{one_line(new, limit=40)}”."
    )
    return build_finding(Category.LOST_VALUE, _CONFIDENCE, sentence, [child, node])


def _find_unfiltered(read: Sequence[Node]) -> Iterator[Finding]:
    """Searches with a filter, none of whose results has the wanted value."""
    for node in read:
        given = node.view.input
        if given.keys.isdisjoint(_FILTERS) or not isinstance(given.opened, dict):
            continue
        for name, wanted in given.opened.items():
            if plain_key(name) not in _FILTERS or not isinstance(wanted, dict):
                continue
            for field, value in wanted.items():
                other = _find_contradiction(node, plain_key(field), value)
                if other:
                    yield _build_unfiltered(node, field, str(value), other)


def _find_contradiction(node: Node, key: str, wanted: object) -> str:
    """A value that the results have for a field of the filter, where none has the wanted one."""
    if not isinstance(wanted, str) or not wanted or not node.view.output.may_have_key({key}):
        return ""
    values = [
        leaf.value
        for leaf in node.view.output.leaves
        if leaf.key == key and isinstance(leaf.value, str) and leaf.value
    ]
    if not values or any(wanted.casefold() in value.casefold() for value in values):
        return ""
    return values[0]


def _build_unfiltered(node: Node, field: str, wanted: str, other: str) -> Finding:
    name, label = one_line(node.name, limit=60), one_line(field, limit=40)
    sentence = (
        f"{name} was to find {label} “{one_line(wanted, limit=40)}” only, but what it returned has"
        f" {label} “{one_line(other, limit=40)}”."
    )
    return build_finding(Category.WRONG_SCOPE, _CONFIDENCE, sentence, [node])
