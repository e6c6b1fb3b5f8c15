"""Calls that can be compared with one another: by name, by what they got, by what they returned."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

from app.analysis.recorded.body import Body
from app.analysis.recorded.names import name_stem
from app.analysis.recorded.spellings import key_set, plain_key
from app.analysis.rules.waiting_names import is_polling_name
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_Item = TypeVar("_Item")

_NO_DIGITS = dict.fromkeys(map(ord, "0123456789"))
_LEAST_TRANSCRIPT = 60  # characters: shorter texts begin alike without being one that grows
_WAITING_STATE = re.compile(
    r"\b(?:pending|running|in[ _-]?progress|queued|processing|not[ _]ready|waiting|scheduled"
    r"|starting|building|submitted|accepted for)\b"
)
_STATE_READ = 300  # characters of a result in which it names its state; longer ones hold content
_CACHE_FLAGS = key_set("cache_hit from_cache cached served_from_cache")  # LiteLLM and gateways
_MACHINE_ID = re.compile(
    r"(?:cycle|step|run|iteration|turn|event|loop|checkpoint|span|invocation|execution|request"
    r"|trace)id\Z"
)
_REMARK_BLANKS = 2  # of a text that is a sentence, and no name or state
_REMARK_SHOWN = 120  # characters
_INSIDE_READ = 40  # spans read below one; what makes no call among so many hardly makes any


class Call(NamedTuple):
    """A span with the stem of its name."""

    node: Node
    stem: str

    @property
    def given(self) -> str:
        """Its input as a text that is equal where it means the same."""
        return self.node.view.input.canonical

    @property
    def result(self) -> str:
        """The same of its output, empty where none was recorded; one that the backend cut is
        compared by its beginning. Times and ids of requests do not matter."""
        return self.node.view.output.timeless

    @property
    def has_result(self) -> bool:
        return self.node.view.output.has_timeless

    def returned_the_same(self, other: "Call") -> bool:
        """Whether the results are equal, and so is what happened inside where the results say
        little: `{"ok": true}` is returned by any step."""
        output = self.node.view.output
        if output.fingerprint != other.node.view.output.fingerprint or self.result != other.result:
            return False
        if output.is_long or not (self.node.children and other.node.children):
            return True
        return _describe_inside(self.node) == _describe_inside(other.node)


def _describe_inside(node: Node) -> list[int]:
    """What the tools returned and what the models were given that a step called itself."""
    return [
        (child.view.input if child.view.is_model_call else child.view.output).fingerprint
        for child in node.children[:_INSIDE_READ]
        if child.view.calls_outside
    ]


def comparable_calls(analysis: TraceAnalysis) -> dict[str, Call]:
    """The calls that did not fail and whose inputs say something and are whole, by span id in
    the order of the tree; none of a model that a cache answered."""
    return {
        node.id: Call(node, name_stem(node.name))
        for node in analysis.tree.nodes
        if analysis.was_read(node) and node.error is None and node.view.input.is_comparable
        if not (node.view.is_model_call and _says_cached(node.span.metadata))
    }


def _says_cached(metadata: Any) -> bool:
    return isinstance(metadata, dict) and any(
        metadata[key] is True and plain_key(str(key)) in _CACHE_FLAGS for key in metadata
    )


def nodes_given_alike(analysis: TraceAnalysis) -> list[Node]:
    """The spans whose inputs say something and begin like that of another one of the same stem,
    those that begin alike together: most spans are none of them."""
    named = (
        (name_stem(node.name), node.view.input, node)
        for node in analysis.tree.nodes
        if analysis.was_read(node) and node.view.input.is_comparable
    )
    return [node for group in _group_alike(named, least=2) for _, node in group]


def calls_given_alike(analysis: TraceAnalysis) -> list[Call]:
    """Those of them that can be compared."""
    known = analysis.once(comparable_calls)
    return [known[node.id] for node in analysis.once(nodes_given_alike) if node.id in known]


def group_equal(
    named: Iterable[tuple[str, Body, _Item]], *, least: int = 2, timeless: bool = False
) -> Iterator[list[_Item]]:
    """At least so many things of one name whose bodies mean the same; times and ids do not matter
    where `timeless`. The text of a body is made only where others begin like it."""
    for members in _group_alike(named, least=least):
        groups: dict[str, list[_Item]] = {}
        for body, item in members:
            text = body.timeless if timeless else body.canonical
            groups.setdefault(text, []).append(item)
        yield from (group for group in groups.values() if len(group) >= least)


def _group_alike(
    named: Iterable[tuple[str, Body, _Item]], *, least: int
) -> Iterator[list[tuple[Body, _Item]]]:
    """At least so many things of one name whose bodies begin alike."""
    by_name: dict[str, list[tuple[Body, _Item]]] = {}
    for name, body, item in named:
        by_name.setdefault(name, []).append((body, item))
    for members in by_name.values():
        alike: dict[int, list[tuple[Body, _Item]]] = {}
        for body, item in members if len(members) >= least else ():
            alike.setdefault(body.fingerprint, []).append((body, item))
        yield from (group for group in alike.values() if len(group) >= least)


def differ_in_counters_only(a: Body, b: Body) -> bool:
    """Whether two bodies mean the same but for numbers that stand alone; False where one of them
    cannot be compared as a whole."""
    before, after = a.canonical, b.canonical
    if before == after:
        return bool(before)
    if not a.may_equal_uncounted(b):
        return False
    # Leaving out all digits takes a hundredth of the time of the pattern.
    if before.translate(_NO_DIGITS) != after.translate(_NO_DIGITS):
        return False
    return a.uncounted == b.uncounted


def continues_text(before: str, after: str) -> bool:
    """Whether one canonical text begins with the other, as a history does that grows: a list of
    messages, or a transcript in one text."""
    start = before.rstrip("}] ")
    if len(start) > 1 and after.startswith(start):
        return True
    start = start.rstrip('" ')
    return len(start) >= _LEAST_TRANSCRIPT and after.startswith(start)


def is_polling(call: Call) -> bool:
    """Whether a call asks for a state, or reports that something has not ended: it repeats by
    design."""
    if is_polling_name(call.node.name):
        return True
    return len(call.result) <= _STATE_READ and _WAITING_STATE.search(call.result) is not None


def calls_outside_within(node: Node, analysis: TraceAnalysis) -> bool:
    """Whether the span, or one below it, calls a tool or a model."""
    return any(below.view.calls_outside for below in analysis.tree.below(node)[:_INSIDE_READ])


def belong_to_one_task(a: Node, b: Node, analysis: TraceAnalysis) -> bool:
    """Whether two calls serve the same task: under one parent, or under steps whose inputs are the
    same but for numbers, or grow. Other tasks may make equal calls with reason."""
    first, second = a.parent, b.parent
    if first is second:
        return True
    if first is None or second is None:
        return False
    if not (analysis.was_read(first) and analysis.was_read(second)):
        return False
    before, after = first.view.input, second.view.input
    if not (_names_task(before) or _names_task(after)):
        return first.parent is second.parent or first in second.path() or second in first.path()
    return before.may_equal_uncounted(after) and (
        before.uncounted == after.uncounted or continues_text(before.uncounted, after.uncounted)
    )


def _names_task(given: Body) -> bool:
    """Whether an input says something besides ids of the machinery, such as that of an agent's
    cycle."""
    return given.is_comparable and not (given.keys and all(map(_MACHINE_ID.search, given.keys)))


def same_results(calls: Iterable[Call]) -> str:
    """What a sentence says of equal results; of cut ones only the beginnings are known."""
    is_cut = any(call.node.view.output.is_cut for call in calls)
    return "the same result as far as it was read" if is_cut else "the same result"


def quote_remark(calls: Iterable[Call]) -> str:
    """What the first of equal results that has a sentence says, as of why it found nothing; for the
    end of a sentence, empty where none has one."""
    for node in (call.node for call in calls):
        if node.view.is_model_call:
            continue
        given = set(node.view.input.first_texts)
        for text in node.view.output.first_texts:
            if text.count(" ") >= _REMARK_BLANKS and text not in given:
                return f"; {node.title} returned “{one_line(text, limit=_REMARK_SHOWN)}”"
    return ""


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
