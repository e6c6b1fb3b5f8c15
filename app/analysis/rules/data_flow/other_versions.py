"""Values of a call of which an earlier result has another version, as the index of another year."""

from itertools import islice
from typing import NamedTuple

from app.analysis.recorded.leaves import innermost_key
from app.analysis.rules.lookups import list_tool_calls
from app.analysis.text.one_line import one_line, without_numbers
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_LETTERS = 4  # of a name with a version: `v2` and `A1` are like many
_LONGEST = 60  # characters: a longer text is no name
_RESULTS_READ = 40  # results before a call


class OtherVersion(NamedTuple):
    """A value that a result has under a key, and the one of the call that it differs from."""

    node: Node
    key: str
    value: str
    used: str


def find_other_version(call: Node, analysis: TraceAnalysis) -> OtherVersion | None:
    """The one name in earlier results that is one of the call but for its numbers, where neither
    the trace's input nor any of these results has the one of the call."""
    used = {without_numbers(text): text for text in call.view.input.first_texts if _is_name(text)}
    before = (node for node in analysis.once(list_tool_calls) if node.end <= call.start)
    results = [node for node in islice(before, _RESULTS_READ) if analysis.was_read(node)]
    if not used or not results:
        return None
    found: dict[str, OtherVersion] = {}
    known = set(analysis.given.first_texts)
    for node in results:
        for leaf in node.view.output.first_leaves:
            if not isinstance(leaf.value, str) or len(leaf.value) > _LONGEST:
                continue
            known.add(leaf.value)
            name = used.get(without_numbers(leaf.value), leaf.value)
            if name != leaf.value:
                found[leaf.value] = OtherVersion(node, innermost_key(leaf.path), leaf.value, name)
    others = [each for each in found.values() if each.used not in known]
    return others[0] if len(others) == 1 else None


def describe_other_version(other: OtherVersion | None) -> str:
    """For a sentence on the call."""
    if other is None:
        return ""
    value = f"“{one_line(other.value)}”"
    return f", though {other.node.title} had returned {value} as {one_line(other.key, limit=40)}"


def _is_name(text: str) -> bool:
    return (
        len(text) <= _LONGEST
        and " " not in text
        and any(map(str.isdecimal, text))
        and sum(map(str.isalpha, text)) >= _LETTERS
    )
