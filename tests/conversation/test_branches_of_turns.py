"""The tree of a conversation's turns."""

from app.conversation.branches import TurnTree
from app.events import Siblings


def build(*pairs: str) -> TurnTree:
    """A tree of turns in order, each as its name and the name of its parent, `a` or `b<a`."""
    split = (pair.partition("<") for pair in pairs)
    return TurnTree({turn: parent or None for turn, _, parent in split})


def test_no_turn_has_no_branch() -> None:
    assert list(build().find_branch()) == []
    assert list(build("a").find_branch("x")) == []


def test_the_latest_turn_ends_the_active_branch() -> None:
    tree = build("a", "b<a", "c<b", "b2<a", "c2<b2", "a2", "c3<b")
    assert list(tree.find_branch()) == ["a", "b", "c3"]
    assert list(tree.find_branch("c2")) == ["a", "b2", "c2"]
    assert list(tree.find_branch("a2")) == ["a2"]


def test_siblings_stand_in_order_with_the_latest_turn_that_came_of_each() -> None:
    tree = build("a", "b<a", "c<b", "b2<a", "a2", "c2<b")
    assert tree.find_siblings(["a", "b"]) == {
        "a": Siblings(("a", "a2"), ("c2", "a2")),
        "b": Siblings(("b", "b2"), ("c2", "b2")),
    }


def test_a_parent_that_is_missing_or_stands_later_counts_as_none() -> None:
    tree = build("a<gone", "b<c", "c<b", "d<d")
    assert list(tree.find_branch("c")) == ["b", "c"]
    assert list(tree.find_branch("d")) == ["d"]
    assert tree.find_siblings(["a"])["a"].turn_ids == ("a", "b", "d")


def test_a_long_conversation_is_read_in_one_pass() -> None:
    turns = [str(number) for number in range(50_000)]
    tree = TurnTree(dict(zip(turns, [None, *turns], strict=False)))
    branch = tree.find_branch()
    assert list(branch) == turns
    assert tree.find_siblings(branch)["0"].leaves == ("49999",)
