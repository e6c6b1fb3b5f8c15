"""What the read results of comparable spans have in common, worked out once for each kind."""

from collections import Counter
from dataclasses import dataclass, field

from app.analysis.error_origins import has_failed
from app.analysis.evidence import Scene, kinship, says_nothing
from app.analysis.json_values import hollow_keys
from app.analysis.tree import Node


@dataclass(slots=True)
class Kind:
    """Comparable spans whose bodies were read and that did not fail: how many there are, how many
    returned something, and how many have a hole (a null or an empty value) under each key."""

    read: int = 0
    full: int = 0
    holes: Counter[str] = field(default_factory=Counter)


class Peers:
    """The kinds of a scene."""

    def __init__(self, scene: Scene) -> None:
        self._kinds: dict[tuple[str, str, str], Kind] = {}
        for node in scene.tree.nodes:
            if scene.was_read(node) and not has_failed(node):
                kind = self._kinds.setdefault(kinship(node), Kind())
                kind.read += 1
                kind.full += not says_nothing(node)
                kind.holes.update(hollow_keys(node.span.output))

    def of(self, node: Node) -> Kind:
        """The kind of a span that was read; the span itself counts in it."""
        return self._kinds[kinship(node)]
