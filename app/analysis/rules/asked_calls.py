"""Calls of tools as they are compared with what a trace was asked for."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.body import Body
from app.analysis.recorded.leaves import Leaf, innermost_key
from app.analysis.recorded.spellings import word_set
from app.analysis.rules.lookups import is_tool_call
from app.analysis.rules.recovery import asking_call
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls
from app.analysis.tree import Node

_MOST_CALLS = 60  # with more a program works through a list
_LEAVES_READ = 60  # of the arguments of a call
TEXT_READ = 20_000  # characters of an earlier text in which a value is looked for
_KEY_WORDS = re.compile(r"[A-Z]?[a-zà-ÿ]+|[A-Z]+(?![a-z])")
_NO_NOUNS = word_set("id ids name number code key value type kind query limit text num nummer nome")
_LONGEST_KEY = 40  # characters of a key
_SHORTEST_NOUN = 3  # characters
_EARLIER_READ = 400  # spans before a call whose texts are searched


@dataclass(frozen=True, slots=True)
class AskedCall:
    """A call of a tool with its arguments."""

    node: Node
    leaves: Sequence[Leaf]
    text: str


def list_asked_calls(analysis: TraceAnalysis) -> list[AskedCall]:
    """The calls of tools and lookups; none where there are many or some were not read."""
    asked = _list_asked_tools(analysis)
    nodes = [
        node
        for node in analysis.tree.nodes
        if is_tool_call(node) or (node.function_name in asked and not node.view.is_model_call)
    ]
    if len(nodes) > _MOST_CALLS or not all(analysis.was_read(node) for node in nodes):
        return []
    return [
        AskedCall(
            node,
            tuple(node.view.input.first_leaves(_LEAVES_READ)),
            node.view.input.canonical[:TEXT_READ],
        )
        for node in nodes
    ]


def _list_asked_tools(analysis: TraceAnalysis) -> set[str]:
    """The names of tools that models asked for: a span of such a name is a call, whatever its type
    says."""
    return {
        call.name
        for node in analysis.once(list_model_calls)
        for call in node.view.reply.calls
        if call.name
    }


def noun_of_key(leaf: Leaf) -> str:
    """The noun in a key: `tenant` of `tenant_id` and `tenantName`; empty where there is none."""
    key = innermost_key(leaf.path)
    words = [word.lower() for word in _KEY_WORDS.findall(key[:_LONGEST_KEY])]
    nouns = [word for word in words if len(word) >= _SHORTEST_NOUN and word not in _NO_NOUNS]
    return nouns[-1] if nouns else ""


def was_seen(value: str, node: Node, analysis: TraceAnalysis) -> bool:
    """Whether a value stands in a text that was known when a call was made: the trace's input, an
    earlier result, or the request of a model."""
    return any(holds_value(text[:TEXT_READ], value) for text in read_before(node, analysis))


def read_before(node: Node, analysis: TraceAnalysis) -> Iterator[str]:
    """The texts that were known when a call was made, as `was_seen` has them."""
    yield Body(analysis.trace.input).canonical
    for each in islice(analysis.tree.nodes, _EARLIER_READ):
        if not analysis.was_read(each) or each is node:
            continue
        if each.view.is_model_call and each.start <= node.start:
            yield from (message.text for message in each.view.request.messages)
        elif each.end <= node.start:
            yield each.view.output.canonical


def holds_value(text: str, value: str) -> bool:
    plain = value.casefold()
    low = text.casefold()
    return plain in low and re.search(rf"(?<!\w){re.escape(plain)}(?!\w)", low) is not None


def build_scope_finding(
    node: Node, what: str, confidence: float, analysis: TraceAnalysis
) -> Finding:
    asked = asking_call(node, analysis)
    sentence = f"{one_line(node.function_name, limit=60)} {what}"
    if asked is not None:
        sentence += f"; {one_line(asked.name, limit=60)} asked for this call"
    nodes = [asked, node] if asked is not None else [node]
    return build_finding(Category.WRONG_SCOPE, confidence, f"{sentence}.", nodes)
