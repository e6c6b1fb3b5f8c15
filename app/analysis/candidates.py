"""Which spans' bodies to read of a trace that has too many spans to read them all."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice

from app.analysis.profile import Profile, spend_of
from app.analysis.raises import has_failed
from app.analysis.scene import is_model_call
from app.analysis.tree import Node, Tree

READ_ALL = 300
"""Up to so many spans, every body is read."""

_ERRORS = 30
_NAMES = 40
_OF_EACH_NAME = 8


def candidates(tree: Tree, profile: Profile, *, most: int = 200) -> tuple[str, ...]:
    """Ids of the spans whose bodies tell the most; all of them up to 300 spans, else `most`.

    In turn: failed spans and what ran just before them, unfinished ones, the roots and the last
    results, the longest parts of the critical path, then of each name its odd ones (fewest and
    most tokens, shortest, longest) and its first in a row.
    """
    if len(tree.nodes) <= READ_ALL:
        return tuple(node.id for node in tree.nodes)
    chosen: dict[str, None] = {}
    sources = (
        islice(_near_errors(tree), most // 2),
        islice((node for node in tree.nodes if not node.finished), 10),
        _endings(tree),
        islice(_on_path(tree, profile), most // 5),
        _of_names(tree),
        _models_by_tokens(tree),
    )
    for node in chain.from_iterable(sources):
        chosen.setdefault(node.id)
        if len(chosen) >= most:
            break
    return tuple(chosen)


def _near_errors(tree: Tree) -> Iterator[Node]:
    """Failed spans, the deepest of each branch first, with earlier siblings on the way up."""
    failed = [node for node in tree.nodes if has_failed(node)]
    inner = [node for node in failed if not any(has_failed(child) for child in node.children)]
    inner.sort(key=lambda node: (node.end, node.index))
    for node in inner[:_ERRORS]:
        for step in reversed(node.path()):
            yield step
            siblings = step.parent.children if step.parent else tree.roots
            before = [other for other in siblings if other.end <= step.start + 1_000]
            for other in sorted(before, key=lambda item: -item.end)[:4]:
                yield from tree.below(other)[:4]


def _endings(tree: Tree) -> Iterator[Node]:
    yield from tree.roots[:5]
    yield from tree.roots[-5:]
    yield from sorted(tree.nodes, key=lambda node: (-node.end, node.index))[:10]


def _on_path(tree: Tree, profile: Profile) -> Iterator[Node]:
    longest = sorted(profile.on_path.items(), key=lambda item: (-item[1], item[0]))
    return (tree.by_id[span_id] for span_id, _ in longest)


def _of_names(tree: Tree) -> Iterator[Node]:
    named: dict[str, list[Node]] = {}
    for node in tree.nodes:
        named.setdefault(node.name, []).append(node)
    repeated = sorted(named.values(), key=lambda nodes: (len(nodes), nodes[0].index))
    rounds = [list(_telling(nodes)) for nodes in repeated[:_NAMES]]
    for turn in range(_OF_EACH_NAME):
        for nodes in rounds:
            yield from nodes[turn : turn + 1]


def _telling(nodes: Iterable[Node]) -> Iterator[Node]:
    """The extremes of one name, then its first ones in a row."""
    in_time = sorted(nodes, key=lambda node: (node.start, node.index))
    by_length = sorted(in_time, key=lambda node: (node.duration, node.index))
    by_output = sorted(in_time, key=lambda node: (spend_of(node.span).completion, node.index))
    extremes = [by_length[0], by_length[-1], by_output[0], by_output[-1], in_time[-1]]
    yield from dict.fromkeys([*extremes, *in_time[:_OF_EACH_NAME]])


def _models_by_tokens(tree: Tree) -> Iterator[Node]:
    calls = [node for node in tree.nodes if is_model_call(node)]
    return iter(sorted(calls, key=lambda node: (-spend_of(node.span).tokens, node.index)))
