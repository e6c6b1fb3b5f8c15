"""A whole branch that ran again, around one call of it that is known to be a repeat: an event that
was handled twice."""

from app.analysis.recorded.names import name_stem
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_INSIDE_READ = 200  # spans of a branch that are compared
_LEAST_CALLS = 4  # in a branch: two turns of an agent have a call or two in common
_LEAST_SHARE = 0.5  # of them that got the same in the first branch: the others hold new ids


def find_repeated_branch(before: Node, after: Node, analysis: TraceAnalysis) -> list[Node]:
    """The outermost span around `after` that did again what the one of its name around `before` had
    done, and the span in which that one began to run apart; empty where only the call is a repeat.
    """
    branch: Node | None = None
    around = set(after.path())
    for first, second in zip(before.path()[-2::-1], after.path()[-2::-1], strict=False):
        if first in around or name_stem(first.name) != name_stem(second.name):
            break
        if _does_again(first, second, analysis):
            branch = second
    if branch is None:
        return []
    known = set(before.path())
    return [branch, next(step for step in branch.path() if step not in known)]


def _does_again(first: Node, second: Node, analysis: TraceAnalysis) -> bool:
    """Whether most calls of tools and models in the second branch got what those in the first
    did."""
    known = set(_list_given(first, analysis))
    given = _list_given(second, analysis)
    return len(given) >= _LEAST_CALLS and sum(
        each in known for each in given
    ) >= _LEAST_SHARE * len(given)


def _list_given(branch: Node, analysis: TraceAnalysis) -> list[tuple[str, str]]:
    return [
        (name_stem(node.name), node.view.input.timeless)
        for node in analysis.tree.below(branch)[:_INSIDE_READ]
        if node.view.calls_outside and analysis.was_read(node) and node.view.input.is_comparable
    ]
