"""Fields that a step of the program read under a name that the result no longer has.

An API returns `netMassKg`, the step after it still maps `net_weight`, and all are null.
"""

from collections.abc import Iterator, Mapping
from itertools import islice

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.body import Body
from app.analysis.recorded.names import split_words
from app.analysis.recorded.spellings import plain_key
from app.analysis.rules.data_flow.named_values import PASSING_KEYS
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_read_steps
from app.analysis.tree import Node

_CONFIDENCE = 0.8  # the result has a field of a like name, and a later step lacked it
_SHORTEST_SHARED = 3  # letters of a word that two names share
_EARLIER_READ = 12  # results before the step: it maps what was fetched just before
_LATER_READ = 60
_LEAVES_READ = 80
_MOST_FOUND = 3


def find_renamed_fields(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most 3 steps that returned null for a field everywhere, with the result that they read
    and the first step that lacked it."""
    steps = analysis.once(list_read_steps)
    found = (_explain_step(node, analysis) for node in steps if _may_map(node))
    yield from islice(filter(None, found), _MOST_FOUND)


def _may_map(node: Node) -> bool:
    view = node.view
    return not view.calls_outside and bool(view.output.keys) and view.output.may_have_empty


def _explain_step(node: Node, analysis: TraceAnalysis) -> Finding | None:
    for key in sorted(node.view.output.empty_keys - PASSING_KEYS - node.view.input.empty_keys):
        spelled = _spell_nulled(key, node.view.output)
        source, name = _find_source(spelled, key, node, analysis) if spelled else (None, "")
        missed = _find_missing(key, node, analysis) if source is not None else None
        if source is not None and missed is not None:
            sentence = (
                f"{one_line(node.name, limit=60)} returned null for {one_line(spelled, limit=40)}"
                f" everywhere, where {one_line(source.name, limit=60)} had returned"
                f" {one_line(name, limit=40)}; {one_line(missed.name, limit=60)} then lacked it."
            )
            nodes = [node, source, missed]
            return build_finding(Category.LOST_VALUE, _CONFIDENCE, sentence, nodes)
    return None


def _spell_nulled(key: str, body: Body) -> str:
    """How a body spells a key that is null wherever it has it; empty where it has a value."""
    leaves = [leaf for leaf in body.first_leaves(_LEAVES_READ) if leaf.key == key]
    if not leaves or any(leaf.value is not None for leaf in leaves):
        return ""
    return str(leaves[0].path[-1])


def _find_source(
    spelled: str, key: str, node: Node, analysis: TraceAnalysis
) -> tuple[Node | None, str]:
    """The nearest result of a tool before a step that lacks the field and has one whose name shares
    a word with it, which the step does not return."""
    wanted = _long_words(spelled)
    for _, earlier in islice(analysis.tree.earlier(node), _EARLIER_READ):
        output = earlier.view.output
        if not earlier.view.calls_tool or earlier.error is not None or key in output.keys:
            continue
        for name, value in _list_fields(output).items():
            shares = wanted & _long_words(name)
            if shares and value and plain_key(name) not in node.view.output.keys:
                return earlier, name
    return None, ""


def _long_words(name: str) -> set[str]:
    return {word for word in split_words(name) if len(word) >= _SHORTEST_SHARED}


def _list_fields(body: Body) -> Mapping[str, object]:
    """The names of the fields of a result with their first value."""
    fields: dict[str, object] = {}
    for leaf in body.first_leaves(_LEAVES_READ):
        if leaf.path and isinstance(leaf.path[-1], str):
            fields.setdefault(leaf.path[-1], leaf.value)
    return fields


def _find_missing(key: str, node: Node, analysis: TraceAnalysis) -> Node | None:
    """The first later step that was given a null for the field."""
    later = (each for each in analysis.once(list_read_steps) if each.start >= node.end)
    return next(
        (each for each in islice(later, _LATER_READ) if key in each.view.input.empty_keys), None
    )
