"""The tree of a conversation's turns, and the branches through it.

A turn that replaces another has the same parent. The branch of the latest turn is the active one.
"""

from collections.abc import Iterable, Mapping, Sequence

from app.events import LoggedEvent, Siblings


class TurnTree:
    """The turns of a conversation. A parent that does not stand before its turn counts as none."""

    def __init__(self, parents: Mapping[str, str | None]) -> None:
        """`parents` names the parent of each turn, the turns in order of their start."""
        self._parents: dict[str, str | None] = {}
        self._children: dict[str | None, list[str]] = {}
        for turn_id, named in parents.items():
            parent = named if named in self._parents else None
            self._parents[turn_id] = parent
            self._children.setdefault(parent, []).append(turn_id)

    def find_branch(self, leaf: str | None = None) -> Sequence[str]:
        """The turns from the first to the leaf, by default the latest; empty for an unknown one."""
        turn_id = leaf or next(reversed(self._parents), None)
        branch: list[str] = []
        while turn_id is not None and turn_id in self._parents:
            branch.append(turn_id)
            turn_id = self._parents[turn_id]
        return branch[::-1]

    def find_siblings(self, branch: Iterable[str]) -> dict[str, Siblings]:
        """The siblings of each turn of a branch, itself included."""
        leaves = self._find_leaves()
        found = {}
        for turn_id in branch:
            turn_ids = tuple(self._children[self._parents[turn_id]])
            found[turn_id] = Siblings(turn_ids, tuple(leaves[each] for each in turn_ids))
        return found

    def _find_leaves(self) -> dict[str, str]:
        """For each turn the latest one among itself and all that came of it."""
        leaves: dict[str, str] = {}
        for leaf in reversed(self._parents):
            turn_id: str | None = leaf
            while turn_id is not None and turn_id not in leaves:
                leaves[turn_id] = leaf
                turn_id = self._parents[turn_id]
        return leaves


def build_tree(events: Iterable[LoggedEvent]) -> TurnTree:
    """The tree of the turns of a log."""
    parents: dict[str, str | None] = {}
    for logged in events:
        parents.setdefault(logged.turn_id, logged.parent_turn_id)
    return TurnTree(parents)


def select_events(events: Iterable[LoggedEvent], branch: Iterable[str]) -> list[LoggedEvent]:
    """The events of these turns, in order."""
    turn_ids = set(branch)
    return [each for each in events if each.turn_id in turn_ids]
