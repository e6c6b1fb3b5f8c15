"""One item of many that failed, and for which the program gave a value in another way."""

from itertools import islice

from app.analysis.error_origins import ErrorOrigin
from app.analysis.recorded.body import Body
from app.analysis.recorded.body_state import BodyState
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_LEAST_ITEMS = 5  # equal calls: fewer are steps of their own, each needed
_MOST_FAILED = 0.25  # of the items: where more fail, the result rests on what is made up
_PEERS_READ = 20
_LIKE_SHARE = 0.5  # of the peers whose result has the shape: results of items may vary
_LEAVES_READ = 40
_PROSE_BLANKS = 3  # in a text that was written about an item: it is no value of it
_INSIDE_READ = 50  # spans below a step in which a model call is looked for
_SIBLINGS_READ = 8  # steps after a failed one: what fills in for it follows soon


def was_filled_in(item: ErrorOrigin, analysis: TraceAnalysis) -> bool:
    """Whether a failed call was one of many equal ones and its item got a value all the same: the
    step that caught the error returned what its peers return, or a later step that no other item
    needed was given the same."""
    peers = analysis.peers_of(item.origin)
    failed = sum(node.error is not None for node in peers)
    if len(peers) < _LEAST_ITEMS or failed > _MOST_FAILED * len(peers):
        return False
    return _returned_alike(item.caught_by, analysis) or any(
        _stands_in(later, item.origin, failed, analysis)
        for later in islice(_steps_after(item.origin, analysis), _SIBLINGS_READ)
    )


def _returned_alike(node: Node | None, analysis: TraceAnalysis) -> bool:
    if node is None or node.error is not None or not analysis.was_read(node):
        return False
    others = [peer for peer in analysis.peers_of(node) if peer is not node]
    if len(others) < _LEAST_ITEMS - 1 or node.view.output.state is not BodyState.PRESENT:
        return False
    if any(below.view.is_model_call for below in analysis.tree.below(node)[:_INSIDE_READ]):
        return False
    shape = _shape_of(node.view.output)
    read = others[:_PEERS_READ]
    alike = sum(_shape_of(peer.view.output) == shape for peer in read if peer.error is None)
    return bool(shape) and alike >= _LIKE_SHARE * len(read)


def _shape_of(body: Body) -> frozenset[tuple[str, type, bool]]:
    """The keys of a result with the types of their values, and which values are empty or zero: a
    zero where the others have a number is none of the same kind. Empty where a text is prose."""
    leaves = list(body.first_leaves(_LEAVES_READ))
    if any(
        isinstance(leaf.value, str) and leaf.value.count(" ") >= _PROSE_BLANKS for leaf in leaves
    ):
        return frozenset()
    return frozenset((leaf.key, type(leaf.value), bool(leaf.value)) for leaf in leaves)


def _steps_after(node: Node, analysis: TraceAnalysis) -> list[Node]:
    siblings = analysis.tree.siblings(node)
    return [other for other in siblings if other.start >= node.end and other.name != node.name]


def _stands_in(later: Node, node: Node, failed: int, analysis: TraceAnalysis) -> bool:
    """Whether a step that worked was given what a failed one was given, and ran for failed items
    only: a step that each item goes through makes up for none."""
    if later.error is not None or later.view.is_model_call or not analysis.was_read(later):
        return False
    if later.view.output.state is not BodyState.PRESENT:
        return False
    if len(analysis.peers_of(later)) > failed:
        return False
    own = _values_of(node) - _shared_values(node, analysis)
    return bool(own & _values_of(later))


def _shared_values(node: Node, analysis: TraceAnalysis) -> frozenset[tuple[str, str]]:
    """What other calls were given, too."""
    peers = [peer for peer in analysis.peers_of(node) if peer is not node]
    return frozenset(value for peer in peers[:_PEERS_READ] for value in _values_of(peer))


def _values_of(node: Node) -> frozenset[tuple[str, str]]:
    leaves = node.view.input.first_leaves(_LEAVES_READ)
    return frozenset((leaf.key, str(leaf.value)) for leaf in leaves if leaf.key)
