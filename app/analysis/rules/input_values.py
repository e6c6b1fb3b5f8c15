"""The values by which a sentence names a call: those that tell it apart from others of its name."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from app.analysis.recorded.leaves import Leaf, Path, innermost_key
from app.analysis.recorded.spellings import key_set
from app.analysis.rules.lookups import INDEX_KEYS, SEARCH_KEYS
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import PeerKey, TraceAnalysis, peer_key
from app.analysis.tree import Node

_PEERS_READ = 20  # calls of a name that are compared: further ones differ by the same keys
_SHOWN = 2  # values of a call: more are read in the span
_KEY_SHOWN = 40  # characters
_LIMIT = 80  # characters of all values
_LIMIT_OF_CHANGE = 40  # characters of each value where two of them are shown
_LEAST_SHARED = 4  # characters of a value that two calls share with reason: an id, a name
_LONGEST_ENDING = 5  # characters of the ending of a file's name, as `jpeg`; a longer one is a word
_SAYING_NOTHING = SEARCH_KEYS | key_set("input inputs arg args value text prompt content")
"""Keys that tell a reader nothing which the text under them does not."""
_ASKS = 1  # ranks up to here say what was asked; one such text is enough
_CONTENT_TYPE = "mimetype"  # of OpenInference, beside what was given


class _DifferingPaths:
    """The paths of inputs whose values differ between the calls of a name, by group."""

    def __init__(self, analysis: TraceAnalysis) -> None:
        self._analysis = analysis
        self._found: dict[PeerKey, frozenset[Path]] = {}

    def of(self, node: Node) -> frozenset[Path]:
        key = peer_key(node)
        if key not in self._found:
            self._found[key] = self._compare(node)
        return self._found[key]

    def _compare(self, node: Node) -> frozenset[Path]:
        peers = islice(self._analysis.peers_of(node), _PEERS_READ)
        inputs = [set(_values_of(each).items()) for each in peers if self._analysis.was_read(each)]
        shared = set.intersection(*inputs) if inputs else set()
        return frozenset(path for path, _ in set().union(*inputs) - shared)


def quote_input(node: Node, analysis: TraceAnalysis, *, limit: int = _LIMIT) -> str:
    """What tells a call apart, as `district “North”, radius 3`: the values that differ between the
    calls of its name, else what it asks for and where, else its first texts. Empty where it has no
    value."""
    if node.view.is_model_call and node.view.request.last_instruction:
        return f"“{one_line(node.view.request.last_instruction, limit=limit)}”"
    leaves = list({leaf.key: leaf for leaf in reversed(_scalars_of(node))}.values())[::-1]
    differing = analysis.once(_DifferingPaths).of(node)
    telling = [leaf for leaf in leaves if leaf.path in differing] or leaves
    telling.sort(key=_rank_of)
    if telling and _rank_of(telling[0]) <= _ASKS:
        telling = [telling[0], *(leaf for leaf in telling[1:] if _names_index(leaf))]
    shown = ", ".join(_name_value(leaf, limit) for leaf in telling[:_SHOWN])
    return one_line(shown, limit=limit + _KEY_SHOWN)


def quote_shared(nodes: Sequence[Node], analysis: TraceAnalysis) -> str:
    """Values that calls of one name share and others of it do not have, as `district “North”`.
    Empty where there is none, where one was not read, or there are too many."""
    if len(nodes) > _PEERS_READ or not all(map(analysis.was_read, nodes)):
        return ""
    shared = set.intersection(*(set(_values_of(node).items()) for node in nodes))
    ids = {node.id for node in nodes}
    for peer in islice(analysis.peers_of(nodes[0]), _PEERS_READ):
        if peer.id not in ids:
            shared.difference_update(_values_of(peer).items())
    leaves = [leaf for leaf in _scalars_of(nodes[0]) if (leaf.path, str(leaf.value)) in shared]
    leaves.sort(key=_rank_of)
    return one_line(", ".join(_name_value(leaf, _LIMIT) for leaf in leaves[:_SHOWN]), limit=_LIMIT)


def describe_changes(node: Node, later: Node) -> str:
    """How the input of a later call for the same thing differs, as `radius 3 → 10`. Empty where it
    has no value of the first, nor one that is much like it: it may be for another thing."""
    given, taken = _values_of(node), _values_of(later)
    if given == taken:
        return "the same input"
    paths = [path for path in {**given, **taken} if given.get(path) != taken.get(path)]
    shared = any(len(value) >= _LEAST_SHARED for _, value in given.items() & taken.items())
    if not shared and not any(
        _are_alike(given.get(path, ""), taken.get(path, "")) for path in paths
    ):
        return ""
    return ", ".join(_describe_change(path, given, taken) for path in paths[:_SHOWN])


def _are_alike(before: str, after: str) -> bool:
    """Whether one text is the other in another spelling, a part of it, the same file of another
    type, or has most of its words."""
    first, second = before.casefold(), after.casefold()
    if not (first and second):
        return False
    words, others = set(first.split()), set(second.split())
    most = 2 * len(words & others) > max(len(words), len(others))
    return first in second or second in first or most or _name_same_file(first, second)


def share_file(node: Node, later: Node) -> bool:
    """Whether two calls were given the same file in two formats, as `cup.heic` and `cup.jpg`."""
    given, taken = _values_of(node), _values_of(later)
    return any(_name_same_file(value, taken.get(path, "")) for path, value in given.items())


def _name_same_file(first: str, second: str) -> bool:
    (name, _, ending), (other, _, other_ending) = first.rpartition("."), second.rpartition(".")
    endings = {ending, other_ending}
    return (
        name == other
        and len(name) >= _LEAST_SHARED
        and len(endings) > 1
        and all(each.isalnum() and not each.isdecimal() for each in endings)
        and max(map(len, endings)) <= _LONGEST_ENDING
    )


def _describe_change(path: Path, given: Mapping[Path, str], taken: Mapping[Path, str]) -> str:
    key = one_line(innermost_key(path), limit=_KEY_SHOWN)
    before, after = given.get(path), taken.get(path)
    if after is None:
        return f"no {key}"
    if max(len(before or ""), len(after)) > _LIMIT_OF_CHANGE:
        return f"another {key or 'text'}"
    return f"{key} {one_line(f'{before} → {after}' if before else after)}".strip()


def _rank_of(leaf: Leaf) -> int:
    """Queries first, then texts of several words, then names and ids, then numbers and dates."""
    value = leaf.value
    if not isinstance(value, str):
        return 3
    if leaf.key in SEARCH_KEYS:
        return 0
    return 1 if " " in value.strip() else 3 if value[:1].isdigit() else 2


def _names_index(leaf: Leaf) -> bool:
    return leaf.key in INDEX_KEYS and isinstance(leaf.value, str)


def _name_value(leaf: Leaf, limit: int) -> str:
    value = leaf.value
    shown = f"“{one_line(value, limit=limit)}”" if isinstance(value, str) else f"{value}"
    if not leaf.key or leaf.key in _SAYING_NOTHING:
        return shown
    return f"{one_line(innermost_key(leaf.path), limit=_KEY_SHOWN)} {shown}"


def _values_of(node: Node) -> dict[Path, str]:
    return {leaf.path: str(leaf.value) for leaf in _scalars_of(node)}


def _scalars_of(node: Node) -> list[Leaf]:
    return list(_list_scalars(node))


def _list_scalars(node: Node) -> Iterator[Leaf]:
    for leaf in node.view.input.first_leaves:
        value: Any = leaf.value
        if isinstance(value, str):
            if value.strip() and value != node.function_name and leaf.key != _CONTENT_TYPE:
                yield leaf
        elif isinstance(value, (int, float)):
            yield leaf
