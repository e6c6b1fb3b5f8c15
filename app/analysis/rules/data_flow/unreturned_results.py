"""Results of tools that the model did not get, although it asked for several at once."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.rules.input_values import quote_input
from app.analysis.rules.recovery import is_named_after
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls, list_read_steps
from app.analysis.tree import Node, by_start

_CONFIDENCE = 0.85  # the next request has one result of those that were asked for, and not this one
_FEWEST_CALLS = 2
_NAME_AND_ARGUMENTS = 2  # members of a call; its id may be another one in the request
_STEPS_READ = 60  # between two model calls
_SHORTEST, _LONGEST = 4, 60  # characters of a value that stands in a request as it is


def find_unreturned_results(analysis: TraceAnalysis) -> Iterator[Finding]:
    """One finding for each reply of which a tool's result is missing in the next request."""
    steps = sorted(analysis.once(list_read_steps), key=by_start)
    starts = [node.start for node in steps]
    for asking, answering in pairwise(sorted(analysis.once(list_model_calls), key=by_start)):
        if len(asking.view.reply.calls) < _FEWEST_CALLS or not _lacks_results(asking, answering):
            continue
        first = bisect_left(starts, asking.end)
        between = [
            node for node in steps[first : first + _STEPS_READ] if node.end <= answering.start
        ]
        yield from _compare_results(asking, between, answering, analysis)


def _lacks_results(asking: Node, answering: Node) -> bool:
    """Whether a request ends with the calls of a reply, and has results for some of them only."""
    messages = answering.view.request.messages
    last = max((at for at, each in enumerate(messages) if each.calls), default=-1)
    first = last
    while first > 0 and messages[first - 1].calls:
        first -= 1  # some providers record each call as a message of its own
    calls = [
        call[:_NAME_AND_ARGUMENTS] for each in messages[first : last + 1] for call in each.calls
    ]
    results = sum(each.role == "tool" for each in messages[last + 1 :])
    asked = [call[:_NAME_AND_ARGUMENTS] for call in asking.view.reply.calls]
    return calls == asked and 0 < results < len(asked)


def _compare_results(
    asking: Node, between: Sequence[Node], answering: Node, analysis: TraceAnalysis
) -> Iterator[Finding]:
    names = [call.name for call in asking.view.reply.calls if call.name]
    tools = [node for node in between if any(is_named_after(node, name) for name in names)]
    request = answering.view.input.canonical
    kept = [node for node in tools if _holds(request, node, tools)]
    lost = [node for node in tools if node not in kept and _list_own_values(node, tools)]
    if not (request and kept and lost):
        return
    merging = [
        node
        for node in between
        if node not in tools
        and _holds(node.view.output.canonical, kept[0], tools)
        and not _holds(node.view.output.canonical, lost[0], tools)
    ]
    way = f"; {merging[0].title} returned one without the other" if merging else ""
    missing, there = (
        node.function_title + _quote_input(node, analysis) for node in (lost[0], kept[0])
    )
    sentence = (
        f"{asking.title} called {len(names)} tools at once, and the next request has no result of"
        f" {missing}, only that of {there}{way}."
    )
    yield build_finding(Category.LOST_VALUE, _CONFIDENCE, sentence, [*merging, *lost, answering])


def _holds(text: str, node: Node, tools: Sequence[Node]) -> bool:
    return any(value in text for value in _list_own_values(node, tools))


def _list_own_values(node: Node, tools: Sequence[Node]) -> set[str]:
    """The texts of a result that no other result has."""
    others = (_list_values(each) for each in tools if each is not node)
    return _list_values(node).difference(*others)


def _list_values(node: Node) -> set[str]:
    return {
        text.casefold()
        for text in node.view.output.first_texts
        if _SHORTEST <= len(text) <= _LONGEST and text.isprintable() and not {'"', "\\"} & set(text)
    }


def _quote_input(node: Node, analysis: TraceAnalysis) -> str:
    given = quote_input(node, analysis, limit=60)
    return f" ({given})" if given else ""
