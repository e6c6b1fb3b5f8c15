"""Actions that were taken although a check just before had denied them: `check_window` returns
`allowed: false` for berth B7 at 14:00, and B7 is reserved for 14:00."""

from collections.abc import Iterator, Sequence

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.leaves import Leaf
from app.analysis.rules.effect_names import does_something_outside
from app.analysis.rules.ignored_results import says_no
from app.analysis.rules.lookups import list_tool_calls
from app.analysis.rules.recovery import asking_call
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_CONFIDENCE = 0.75  # the action may be what is done after a refusal, as a request for approval is
_LEAVES_READ = 20  # of a result or an input: a check says little
_LEAST_SHARED = 2  # values that both were given, so that they are about the same
_SHORTEST_VALUE = 2  # characters
_MOST_BETWEEN = 8  # calls of tools between the two: what was checked is done soon


def find_denied_actions(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one: the call that asked for the action, the action, and the check."""
    calls = [node for node in analysis.once(list_tool_calls) if analysis.was_read(node)]
    effects = [node for node in calls if does_something_outside(node.function_name, is_tool=True)]
    if not effects:
        return
    for check in calls:
        denial = _find_denial(check)
        if denial is None:
            continue
        for action in effects:
            if _goes_against(check, action, calls):
                yield _build_finding(check, denial, action, analysis)
                return


def _find_denial(check: Node) -> Leaf | None:
    """The field with which a check denies what it was asked."""
    view = check.view
    if check.error is not None or view.failure or view.output.state is not BodyState.PRESENT:
        return None
    if does_something_outside(check.function_name, is_tool=True):
        return None
    leaves = tuple(view.output.first_leaves(_LEAVES_READ + 1))
    if len(leaves) > _LEAVES_READ:
        return None
    return next((leaf for leaf in leaves if len(leaf.path) == 1 and says_no(leaf)), None)


def _goes_against(check: Node, action: Node, calls: Sequence[Node]) -> bool:
    """Whether an action that worked was given the same as the check before it, and nothing was
    checked anew in between."""
    if action.start < check.end or action.error is not None or action.view.failure:
        return False
    between = [node for node in calls if check.end <= node.start and node.end <= action.start]
    if len(between) > _MOST_BETWEEN:
        return False
    if any(node.function_name == check.function_name for node in between):
        return False
    return len(_read_values(check) & _read_values(action)) >= _LEAST_SHARED


def _read_values(node: Node) -> set[str]:
    leaves = node.view.input.first_leaves(_LEAVES_READ)
    values = (str(leaf.value) for leaf in leaves if type(leaf.value) in (str, int, float))
    return {value for value in values if len(value) >= _SHORTEST_VALUE}


def _build_finding(check: Node, denial: Leaf, action: Node, analysis: TraceAnalysis) -> Finding:
    asked = asking_call(action, analysis)
    shared = sorted(
        _read_values(check) & _read_values(action), key=lambda value: (-len(value), value)
    )
    about = ", ".join(one_line(value, limit=40) for value in shared[:_LEAST_SHARED])
    key = one_line(str(denial.path[-1]), limit=40)
    value = one_line(str(denial.value).lower(), limit=40)
    sentence = (
        f"{one_line(action.name, limit=60)} was called for {about}, though"
        f" {one_line(check.name, limit=60)} had returned {key}: {value} for it"
    )
    if asked is not None:
        sentence += f"; {one_line(asked.name, limit=60)} asked for this call"
    nodes = [*([asked] if asked else []), action, check]
    return build_finding(Category.IGNORED_RESULT, _CONFIDENCE, f"{sentence}.", nodes)
