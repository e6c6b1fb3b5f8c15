"""Set-up that a program does again before each of its steps: a connection, a login, an
installation."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.grouping import group_by
from app.analysis.recorded.body import Body
from app.analysis.recorded.names import name_stem
from app.analysis.recorded.spellings import key_set
from app.analysis.rules.recovery import asking_call
from app.analysis.rules.repeated_work.comparable_calls import nodes_given_alike
from app.analysis.rules.repeated_work.duplicated_work import looks_at_changes
from app.analysis.rules.waiting_names import is_polling_name, waits_for_others
from app.analysis.text.one_line import format_duration, format_percent, one_line
from app.analysis.trace_analysis import TraceAnalysis, list_read_steps
from app.analysis.tree import Node, by_start

_LEAST_REPEATS = 3  # a second time may have its reason, as a lost connection
_LEAST_SHARE = 0.3  # of the trace: else the steps themselves are what takes the time
_MOST_CALLS = 500  # of one name: so many are the work itself
_INSIDE_READ = 40  # spans below one, among which a model call shows that it is the work itself
_NAMES_SHOWN = 3
_CONFIDENCE = 0.85  # equal work that nobody asked for again; what it leaves behind is not recorded
_RPC_KEY = "jsonrpc"  # beside an id that only counts the calls of a connection
_WITH_DIGIT = re.compile(r"[\w.:-]*\d[\w.:-]*")  # amounts, times, and nearly all ids of sessions
_MEASURED = re.compile(r"\s*[-+]?\d{1,9}(?:[.,]\d{1,6})?\s?[^\s\d]{0,5}\s*")
_OF_THE_CALL = key_set(
    "ms milliseconds seconds secs duration duration_ms duration_s elapsed elapsed_ms took took_ms"
    " time time_ms latency latency_ms uptime timestamp ts created expires expires_in expires_at ttl"
    " id pid port session session_id connection connection_id token request_id sequence seq attempt"
    " number n step round turn index"
)
"""Keys of numbers that tell one call from another, not what it found."""


def list_repeated_setups(analysis: TraceAnalysis) -> list[tuple[Finding, list[Node]]]:
    """Steps of the program that ran at least three times in turn with the same input or the same
    steps inside and the same result but for numbers and ids, each time before other work, and that
    take much of the trace; of spans inside one another the outermost. With all their spans."""
    found: list[tuple[Finding, list[Node]]] = []
    covered: set[str] = set()
    for nodes in sorted(_list_groups(analysis), key=lambda group: group[0].depth):
        if nodes[0].id not in covered and _is_setup(nodes, analysis):
            covered.update(below.id for node in nodes for below in analysis.tree.below(node))
            found.append((_build_finding(nodes, analysis), nodes))
    return found


def _list_groups(analysis: TraceAnalysis) -> Iterator[list[Node]]:
    """Spans of one name and input that together take much of the trace, by start."""
    least = max(1.0, _LEAST_SHARE * analysis.profile.duration)
    alike = {node.id for node in analysis.once(nodes_given_alike)}
    named = group_by(analysis.once(list_read_steps), lambda node: name_stem(node.name))
    for stem, nodes in named.items():
        if not _LEAST_REPEATS <= len(nodes) <= _MOST_CALLS:
            continue
        if is_polling_name(stem) or waits_for_others(stem):
            continue
        if sum(node.duration for node in nodes) < least:
            continue
        compared = [
            node for node in nodes if node.id in alike or not _is_compared_as_is(node.view.input)
        ]
        groups = group_by(sorted(compared, key=by_start), _describe_given)
        groups.pop("", None)
        for group in groups.values():
            if len(group) >= _LEAST_REPEATS and sum(node.duration for node in group) >= least:
                yield group


def _is_compared_as_is(given: Body) -> bool:
    """Whether an input is compared as it is: it has no equal where none begins like it."""
    return given.is_comparable and _RPC_KEY not in given.keys


def _describe_given(node: Node) -> str:
    """What a step was given; where it was given nothing, what the steps inside were."""
    own = _describe_input(node)
    if own or node.view.input.says_something:
        return own
    inside = [(name_stem(child.name), _describe_input(child)) for child in node.children]
    has_input = any(given for _, given in inside[:_INSIDE_READ])
    return " ".join(map(" ".join, inside[:_INSIDE_READ])) if has_input else ""


def _describe_input(node: Node) -> str:
    given = node.view.input
    if not given.is_comparable:
        return ""
    return given.uncounted if _RPC_KEY in given.keys else given.canonical


def _is_setup(nodes: Sequence[Node], analysis: TraceAnalysis) -> bool:
    """Whether nodes by start are the same work in turn, which no model asked for, each time before
    other work."""
    if any(node.view.has_failed for node in nodes):
        return False
    if any(after.start < before.end for before, after in pairwise(nodes)):
        return False
    results = {_WITH_DIGIT.sub("#", node.view.output.canonical) for node in nodes}
    if len(results) > 1 or not _comes_before_other_work(nodes, analysis):
        return False
    if _read_values_change(nodes) or _inner_calls_differ(nodes):
        return False
    below = analysis.tree.below(nodes[0])[:_INSIDE_READ]
    if any(each.view.is_model_call for each in below) or looks_at_changes(nodes, analysis):
        return False
    return asking_call(nodes[0], analysis) is None and asking_call(nodes[1], analysis) is None


def _read_values_change(nodes: Sequence[Node]) -> bool:
    """Whether the results differ in a number, or a number with its unit, that is no measure of the
    call itself: then a value was read that changes, as that of a sensor or of a balance."""
    first, *others = (node.view.output.first_leaves for node in nodes)
    return any(
        one.value != other.value and one.key not in _OF_THE_CALL and _is_measured(one.value)
        for leaves in others
        for one, other in zip(first, leaves, strict=False)
    )


def _is_measured(value: object) -> bool:
    if isinstance(value, str):
        return _MEASURED.fullmatch(value) is not None
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _inner_calls_differ(nodes: Sequence[Node]) -> bool:
    """Whether the steps are spans around calls of tools, which were given something else each
    time."""
    inside = [
        [each.view.input.canonical for each in node.children[:_INSIDE_READ] if each.view.calls_tool]
        for node in nodes
    ]
    return len({" ".join(given) for given in inside}) == len(nodes)


def _comes_before_other_work(nodes: Sequence[Node], analysis: TraceAnalysis) -> bool:
    """Whether the steps around the nodes have different inputs or, where the nodes have one parent,
    calls of others run between them."""
    if len({node.parent.id if node.parent else "" for node in nodes}) > 1:
        return _count_inputs_around(nodes) >= _LEAST_REPEATS
    others = [
        node.start
        for node in analysis.tree.siblings(nodes[0])
        if node.view.calls_outside and name_stem(node.name) != name_stem(nodes[0].name)
    ]
    return all(
        bisect_left(others, after.start) > bisect_left(others, before.end)
        for before, after in pairwise(nodes)
    )


def _count_inputs_around(nodes: Sequence[Node]) -> int:
    """How many different inputs the parents of the nodes have."""
    parents = {node.parent.id: node.parent for node in nodes if node.parent is not None}
    return len({parent.view.input.canonical for parent in parents.values()} - {""})


def _build_finding(nodes: Sequence[Node], analysis: TraceAnalysis) -> Finding:
    name = nodes[0].title
    spent = sum(node.duration for node in nodes)
    if _describe_input(nodes[0]):
        given = f"input (“{one_line(nodes[0].view.input.canonical, limit=80)}”)"
    else:
        inside = [one_line(child.name, limit=40) for child in nodes[0].children[:_NAMES_SHOWN]]
        given = f"steps inside ({', '.join(inside)})"
    steps = {node.parent.id for node in nodes if node.parent is not None}
    where = f"in {len(steps)} steps" if len(steps) > 1 else "with other calls between"
    sentence = (
        f"{name} ran {len(nodes)} times with the same {given}, {where}, and returned the same each"
        f" time, numbers and ids aside; {format_duration(spent)},"
        f" {format_percent(spent, analysis.profile.duration)} of the trace."
    )
    numbers = {"calls": len(nodes), "spent_ms": spent / 1_000}
    return build_finding(Category.DUPLICATED_WORK, _CONFIDENCE, sentence, nodes, numbers)
