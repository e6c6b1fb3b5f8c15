"""The same call with the same input and the same result, again and again."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.recorded.kind import SpanKind
from app.analysis.recorded.names import name_stem
from app.analysis.rules.input_values import quote_input
from app.analysis.rules.recovery import asking_call
from app.analysis.rules.repeated_work.comparable_calls import (
    Call,
    belong_to_one_task,
    calls_given_alike,
    common_parent,
    comparable_calls,
    group_equal,
    is_polling,
    quote_remark,
    same_results,
    work_share,
)
from app.analysis.rules.repeated_work.needless_rounds import list_needless_rounds
from app.analysis.rules.repeated_work.ping_pong import list_rounds
from app.analysis.rules.repeated_work.repeated_setup import list_repeated_setups
from app.analysis.rules.repeated_work.repeated_turns import list_repeated_turns
from app.analysis.rules.repeated_work.vain_refinement import list_vain_refinements
from app.analysis.rules.symptoms import was_stopped_by_limit
from app.analysis.rules.waiting_names import is_pause
from app.analysis.text.one_line import format_duration
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node, by_start

_LEAST_REPEATS = 3  # equal calls: twice is a retry or a check
_SURE_REPEATS = 5  # from here on an intended repetition (a vote, a check in each step) is unlikely
_SURE_CALLS = 4  # the same of tools and lookups that take `_LARGE_SHARE` of the trace
_LARGE_SHARE = 0.1
_LEAST_POLLS = 6  # calls that ask for a state, which repeat by design
_LEAST_SHARE = 0.01  # share of the trace that calls must take, when repeated
_MANY_REPEATS = 6  # a loop also where it takes little of the trace, but much of the span around it
_LEAST_SHARE_OF_PARENT = 0.33
_STEPS_READ = 1_000  # of a list, among which those with equal calls are few or many
_CALLS_FIRST = 4  # repeated calls named before the span around them
_BASE = 0.6  # confidence: equal calls are a plain fact, that nobody wanted them is not
_BY_CALL = 0.05  # added by each repeat, which makes an intention less likely
_MOST = 0.95  # of any number of repeats
_LOST_IN_DOUBT = 0.2  # where the calls or results differ a little, or something else was done


def find_loops(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Rounds of several steps, set-up before each step, then single calls, among siblings or once
    in each step of an agent; of spans inside one another the outermost that repeats."""
    covered: set[str] = set()
    for finding, nodes in analysis.once(list_rounds):
        _cover_spans(covered, nodes, analysis)
        yield finding
    for finding, nodes in (
        *list_repeated_turns(analysis),
        *list_repeated_setups(analysis),
        *list_vain_refinements(analysis),
        *list_needless_rounds(analysis),
    ):
        if not any(node.id in covered for node in nodes):
            _cover_spans(covered, nodes, analysis)
            covered.update(_list_models_around(nodes, analysis))
            yield finding
    for group in (*_equal_inputs(analysis), *_similar_inputs(analysis)):
        calls = [
            call for call in group if call.node.id not in covered and not _is_failed_call(call.node)
        ]
        for run in _steady_runs(calls):
            if (
                _is_significant(run, analysis)
                and all(belong_to_one_task(a.node, b.node, analysis) for a, b in pairwise(run))
                and not _serve_alike_items(run, analysis)
            ):
                last = calls[-1]
                _cover_spans(covered, (call.node for call in run), analysis)
                asking = (asking_call(call.node, analysis) for call in run)
                covered.update(each.id for each in asking if each is not None)
                ended = last is not run[-1] and last.node.start > run[-1].node.start
                yield _build_loop_finding(run, ended, _is_separated(run, analysis), analysis)


def _is_failed_call(node: Node) -> bool:
    """Calls that fail again and again are attempts, which another rule reports."""
    return node.view.calls_tool and bool(node.view.failure)


def _cover_spans(covered: set[str], nodes: Iterable[Node], analysis: TraceAnalysis) -> None:
    for node in nodes:
        covered.update(below.id for below in analysis.tree.below(node))


def _list_models_around(nodes: Sequence[Node], analysis: TraceAnalysis) -> Iterator[str]:
    """The model calls in the steps that hold a repeated call each: they are a part of the same."""
    if len({node.parent.id for node in nodes if node.parent is not None}) == len(nodes):
        for node in nodes:
            yield from (each.id for each in analysis.tree.siblings(node) if each.view.is_model_call)


def _equal_inputs(analysis: TraceAnalysis) -> list[list[Call]]:
    """Calls of one name with the same input, the outermost spans first."""
    calls = analysis.once(calls_given_alike)
    named = ((call.stem, call.node.view.input, call) for call in calls)
    return _order_groups(group_equal(named, least=_LEAST_REPEATS))


def _similar_inputs(analysis: TraceAnalysis) -> list[list[Call]]:
    """Calls of one name with the same result, long or of a lookup that found nothing, each of whose
    inputs resembles the one before."""
    similar = []
    calls = analysis.once(comparable_calls).values()
    counts = Counter(call.stem for call in calls)
    results = (
        (call.stem, call.node.view.output, call)
        for call in calls
        if counts[call.stem] >= _LEAST_REPEATS and call.has_result
    )
    for equal in group_equal(results, least=_LEAST_REPEATS, timeless=True):
        group = [
            call for call in equal if call.node.view.output.is_long or _found_nothing(call.node)
        ]
        run = group[:1]
        for call in group[1:]:
            if not run[-1].node.view.input.resembles(call.node.view.input):
                similar.append(run)
                run = []
            run.append(call)
        similar.append(run)
    return _order_groups(similar)


def _found_nothing(node: Node) -> bool:
    return node.view.kind is SpanKind.RETRIEVAL and node.view.returned_nothing


def _order_groups(groups: Iterable[list[Call]]) -> list[list[Call]]:
    """Groups that are large enough, the calls of each by start."""
    large = [
        sorted(group, key=lambda call: by_start(call.node))
        for group in groups
        if len(group) >= _LEAST_REPEATS
    ]
    return sorted(large, key=lambda group: (group[0].node.depth, group[0].node.index))


def _steady_runs(calls: Sequence[Call]) -> Iterator[list[Call]]:
    """Calls one after another that returned the same, at least three."""
    run: list[Call] = []
    for call in calls:
        if run and not (call.returned_the_same(run[-1]) and call.node.start >= run[-1].node.end):
            if len(run) >= _LEAST_REPEATS:
                yield run
            run = []
        run.append(call)
    if len(run) >= _LEAST_REPEATS:
        yield run


def _is_significant(run: Sequence[Call], analysis: TraceAnalysis) -> bool:
    """Whether the calls take some of the trace and, if they are polling, are many, or a limit of
    turns had to end them. Pauses between other calls are none."""
    nodes = [call.node for call in run]
    if is_pause(nodes[0].name):
        return False
    parent = common_parent(nodes)
    if len(run) >= _MANY_REPEATS and parent is not None:
        spent = nodes[-1].end - nodes[0].start
        if spent >= _LEAST_SHARE_OF_PARENT * parent.duration:
            return True
    is_short_poll = is_polling(run[0]) and len(run) < _LEAST_POLLS
    if is_short_poll and not analysis.once(was_stopped_by_limit):
        return False
    return work_share(nodes, analysis) >= _LEAST_SHARE


def _serve_alike_items(run: Sequence[Call], analysis: TraceAnalysis) -> bool:
    """Whether the calls lie in steps over the items of a list, most of which are other ones: a few
    lines of a text are alike, which is no loop."""
    steps = [step for call in run if (step := call.node.parent) is not None]
    if len({step.view.input.canonical for step in steps}) < len(run):
        return False
    first, last = steps[0], steps[-1]
    if first.parent is not last.parent:
        return False
    stem = name_stem(first.name)
    listed = sum(
        first.start <= step.start <= last.start and name_stem(step.name) == stem
        for step in analysis.tree.siblings(first)[:_STEPS_READ]
    )
    return listed >= 2 * len(run)


def _list_single_starts(analysis: TraceAnalysis) -> list[int]:
    """When calls of tools started that occur once each: work of an agent between others."""
    outside = [
        call for call in analysis.once(comparable_calls).values() if call.node.view.calls_tool
    ]
    counts = Counter((call.node.name, call.given) for call in outside)
    return sorted(call.node.start for call in outside if counts[call.node.name, call.given] == 1)


def _is_separated(run: Sequence[Call], analysis: TraceAnalysis) -> bool:
    """Whether other work was done between most of the repeats."""
    starts = analysis.once(_list_single_starts)
    filled = sum(
        bisect_left(starts, after.node.start) > bisect_left(starts, before.node.start)
        for before, after in pairwise(run)
    )
    return 2 * filled > len(run)


def _build_loop_finding(
    run: Sequence[Call], ended: bool, separated: bool, analysis: TraceAnalysis
) -> Finding:
    """`ended`: a later call of the same input returned something else; `separated`: other work was
    done between the repeats."""
    nodes = [call.node for call in run]
    name = nodes[0].title
    spent = sum(node.duration for node in nodes)
    equal = all(call.given == run[0].given for call in run)
    given = quote_input(nodes[0], analysis)
    result = f"and {same_results(run)}" if run[0].result else "(no result was recorded)"
    remark = quote_remark(run[:1])
    parent = common_parent(nodes)
    within = f" in {parent.title}" if parent and parent.parent else ""
    sentence = (
        f"{name} ran {len(run)} times with {'the same' if equal else 'nearly the same'} input"
        f" ({given}) {result}{within}{remark}; {format_duration(spent)} spent."
    )
    standing = Standing.FINDING
    large = not nodes[0].view.is_model_call and work_share(nodes, analysis) >= _LARGE_SHARE
    least = _SURE_CALLS if large else _SURE_REPEATS
    if len(run) < least or separated or ended or not run[0].result or not equal:
        standing = Standing.WEAK
    confidence = min(_MOST, _BASE + _BY_CALL * len(run))
    confidence -= _LOST_IN_DOUBT * (standing is not Standing.FINDING)
    named = [*nodes[:_CALLS_FIRST], *([parent] if parent else []), *nodes]
    numbers = {"rounds": len(run), "calls": len(run), "spent_ms": spent / 1_000}
    return build_finding(Category.LOOP, confidence, sentence, named, numbers, standing=standing)
