"""What the rules look at: one trace with its tree, its profile and the bodies that were read."""

import heapq
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from app.analysis.json_values import find_empty_yields, is_empty
from app.analysis.llm_output import is_blank_reply
from app.analysis.profile import Profile
from app.analysis.tree import Node, Tree
from app.opik.records import Trace

_MOST_BEFORE = 200


@dataclass(frozen=True, slots=True)
class Evidence:
    """`read` holds the ids of spans whose input, output and metadata were read.

    `peers` are spans of the same name and type under parents of the same name, in the order they
    started: what a span can fairly be compared with.
    """

    trace: Trace
    tree: Tree
    profile: Profile
    read: Collection[str]
    peers: dict[tuple[str, str, str], list[Node]] = field(default_factory=dict)

    def was_read(self, node: Node) -> bool:
        return node.id in self.read

    def peers_of(self, node: Node) -> list[Node]:
        return self.peers[peer_key(node)]

    def earlier(self, node: Node) -> Iterator[tuple[int, Node]]:
        """Spans that had finished when `node` started and whose results could have reached it:
        its earlier siblings with all below them (level 0), then those of each ancestor (1, 2, ...);
        on each level the latest first, at most 200."""
        climbing: Node | None = node
        level = 0
        while climbing is not None:
            siblings = climbing.parent.children if climbing.parent else self.tree.roots
            before = (other for other in siblings if other.end <= climbing.start + 1_000)
            latest = heapq.nlargest(_MOST_BEFORE, before, key=lambda item: (item.end, -item.index))
            for other in latest:
                if other is not climbing:
                    yield from ((level, below) for below in self.tree.below(other))
            climbing = climbing.parent
            level += 1


def peer_key(node: Node) -> tuple[str, str, str]:
    return node.name, node.span.type or "", node.parent.name if node.parent else ""


def collect_evidence(
    trace: Trace, tree: Tree, profile: Profile, *, read: Collection[str]
) -> Evidence:
    scene = Evidence(trace, tree, profile, read)
    for node in sorted(tree.nodes, key=lambda item: (item.start, item.id)):
        scene.peers.setdefault(peer_key(node), []).append(node)
    return scene


def is_model_call(node: Node) -> bool:
    """Whether the span is a call of a language model."""
    return node.span.type == "llm"


def has_empty_output(node: Node) -> bool:
    """Whether the output of a read span is empty; a model's reply is judged by what it speaks."""
    output: Any = node.span.output
    if is_model_call(node):
        return is_blank_reply(output)
    return output is None or is_empty(output, given=node.span.input)


@dataclass(slots=True)
class PeerKey:
    """Comparable spans whose bodies were read and that did not fail: how many there are, how many
    returned something, and how many have a hole (a null or an empty value) under each key."""

    read: int = 0
    full: int = 0
    holes: Counter[str] = field(default_factory=Counter)


class PeerGroups:
    """The kinds of a scene."""

    def __init__(self, scene: Evidence) -> None:
        self._kinds: dict[tuple[str, str, str], PeerKey] = {}
        for node in scene.tree.nodes:
            if scene.was_read(node) and not node.span.has_error:
                kind = self._kinds.setdefault(peer_key(node), PeerKey())
                kind.read += 1
                kind.full += not has_empty_output(node)
                kind.holes.update(find_empty_yields(node.span.output))

    def of(self, node: Node) -> PeerKey:
        """The kind of a span that was read; the span itself counts in it."""
        return self._kinds[peer_key(node)]
