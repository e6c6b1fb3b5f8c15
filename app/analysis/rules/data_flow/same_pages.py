"""Pages that are read at several addresses and hold the same text: a wall for consent, a login or
a check for robots in place of what was asked for."""

from collections.abc import Iterator

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.names import name_stem
from app.analysis.text.one_line import format_count, one_line
from app.analysis.trace_analysis import TraceAnalysis, list_read_steps
from app.analysis.tree import Node

_CONFIDENCE = 0.8
_LEAST_ADDRESSES = 3  # two addresses may lead to one page
_LEAST_SHARE = 0.5  # of the pages that were read
_LEAST_TEXT = 80  # characters of a result: a shorter one is no page
_LEAVES_READ = 20  # of an input


def find_same_pages(analysis: TraceAnalysis) -> Iterator[Finding]:
    """One finding for each name of which most calls with different addresses returned the same."""
    named: dict[str, list[tuple[str, Node]]] = {}
    for node in analysis.once(list_read_steps):
        address = _find_address(node)
        if address and node.error is None and node.size == 1:
            named.setdefault(name_stem(node.name), []).append((address, node))
    for calls in named.values():
        alike: dict[object, list[tuple[str, Node]]] = {}
        for address, node in calls if len(calls) >= _LEAST_ADDRESSES else ():
            alike.setdefault(node.view.output.fingerprint, []).append((address, node))
        by_text: dict[str, dict[str, Node]] = {}
        for group in alike.values():
            for address, node in group if len(group) >= _LEAST_ADDRESSES else ():
                by_text.setdefault(node.view.output.canonical, {}).setdefault(address, node)
        long = (pages for text, pages in by_text.items() if len(text) >= _LEAST_TEXT)
        same = max(long, key=len, default={})
        if len(same) >= max(_LEAST_ADDRESSES, _LEAST_SHARE * len({one for one, _ in calls})):
            yield _build_finding(list(same.values()), len(calls))


def _find_address(node: Node) -> str:
    leaves = node.view.input.first_leaves(_LEAVES_READ)
    texts = (leaf.value for leaf in leaves if isinstance(leaf.value, str))
    return next((text for text in texts if text.startswith(("http://", "https://"))), "")


def _build_finding(nodes: list[Node], calls: int) -> Finding:
    sentence = (
        f"{one_line(nodes[0].name, limit=60)} returned the same text for {len(nodes)} different"
        f" addresses, of {format_count(calls, 'call')}:"
        f" “{one_line(nodes[0].view.output.canonical, limit=100)}”."
    )
    numbers = {"addresses": len(nodes), "calls": calls}
    return build_finding(Category.DOUBTFUL_RESULT, _CONFIDENCE, sentence, nodes, numbers)
