"""Keys of a program's state that one step set and a later one overwrote with null, although an
instruction of a later model call relies on them: a budget, a limit, a language."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.recorded.body import Body
from app.analysis.recorded.leaves import Leaf
from app.analysis.recorded.spellings import kept_by_keys, key_set, plain_key
from app.analysis.rules.named_values import PASSING_KEYS, removes_values
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls, list_read_steps
from app.analysis.tree import Node

_RELIED_ON = 0.8  # confidences
_CLEARED = 0.6  # a program may clear a key on purpose
_LEAVES_READ = 200  # of one body
_LONGEST_VALUE = 200  # characters
_TEXT_READ = 20_000  # characters of a request
_MODELS_READ = 60
_SHORTEST_NAME = 5  # characters of a key that does not stand in a text by chance
_MOST_FOUND = 3
_STATE_KEYS = key_set(
    "state state_delta statedelta session_state state_update state_updates update updates"
    " shared_state agent_state graph_state workflow_state user_state variables vars slots context"
    " context_variables memory working_memory scratchpad blackboard session store values channels"
    " channel_values"
)


class _Setting(NamedTuple):
    value: str
    node: Node


def find_nulled_state(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most 3 keys, each with the step that overwrote it and the one that had set it."""
    steps = [node for node in analysis.once(list_read_steps) if _keep_state(node.view.output.keys)]
    if any(_may_null(node.view.output) for node in steps):
        yield from islice(_find_overwritten(steps, analysis), _MOST_FOUND)


@kept_by_keys
def _keep_state(keys: frozenset[str]) -> frozenset[str]:
    return keys & _STATE_KEYS


def _may_null(body: Body) -> bool:
    return body.may_have_empty and bool(_keep_state(body.keys))


def _find_overwritten(steps: Sequence[Node], analysis: TraceAnalysis) -> Iterator[Finding]:
    known: dict[str, _Setting] = {}
    lost: dict[str, tuple[Node, _Setting, str]] = {}
    for node in sorted(steps, key=lambda each: (each.end, -each.index)):
        for leaf in _read_state(node.view.output):
            if leaf.value is None or leaf.value == "":
                old = known.get(leaf.key)
                if old is not None and old.node is not node and not removes_values(node.name):
                    lost.setdefault(leaf.key, (node, old, str(leaf.path[-1])))
            elif type(leaf.value) in (str, int, float) and len(str(leaf.value)) <= _LONGEST_VALUE:
                known[leaf.key] = _Setting(str(leaf.value), node)
                lost.pop(leaf.key, None)  # it was set again
    for node, old, name in lost.values():
        yield _build_finding(node, old, name, analysis)


def _read_state(body: Body) -> Iterator[Leaf]:
    """The values that stand right below a key for a state."""
    if not _keep_state(body.keys):
        return
    for leaf in body.first_leaves(_LEAVES_READ):
        is_below_state = len(leaf.path) > 1 and plain_key(str(leaf.path[-2])) in _STATE_KEYS
        if is_below_state and leaf.key not in PASSING_KEYS:
            yield leaf


def _build_finding(node: Node, old: _Setting, name: str, analysis: TraceAnalysis) -> Finding:
    model = _find_reliant(node, name, old, analysis)
    step, setter = (one_line(each.name, limit=60) for each in (node, old.node))
    if step == setter:
        setter = "an earlier one"
    sentence = (
        f"{step} overwrote {one_line(name, limit=40)} “{one_line(old.value, limit=40)}” in the"
        f" state with null; {setter} had set it"
    )
    if model is None:
        nodes, confidence, standing = [node, old.node], _CLEARED, Standing.WEAK
    else:
        sentence += f", and the instructions of {one_line(model.name, limit=60)} name it"
        nodes, confidence, standing = [node, old.node, model], _RELIED_ON, Standing.FINDING
    return build_finding(Category.LOST_VALUE, confidence, f"{sentence}.", nodes, standing=standing)


def _find_reliant(node: Node, name: str, old: _Setting, analysis: TraceAnalysis) -> Node | None:
    """A model call with a request that names the key; None where one after the loss still has the
    value. A key that is a word of its own counts for a number: a limit, a budget."""
    if len(name) < _SHORTEST_NAME or (name.isalpha() and not old.value.replace(".", "").isdigit()):
        return None
    calls = analysis.once(list_model_calls)
    later = [each for each in calls if each.start >= node.end][:_MODELS_READ]
    if any(_says(each, old.value) for each in later):
        return None
    before = [each for each in calls if each.start < node.start][-_MODELS_READ:]
    return next((each for each in (*later, *before) if later and _says(each, name)), None)


def _says(node: Node, text: str) -> bool:
    low = text.casefold()
    return any(
        low in message.text[:_TEXT_READ].casefold() for message in node.view.request.messages
    )
