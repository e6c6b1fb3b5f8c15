"""Where errors began, and which of them ended the trace."""

from collections.abc import Iterator, Sequence
from itertools import islice

from app.analysis.error_origins import (
    ErrorOrigin,
    error_message,
    error_signature,
    find_error_origins,
    is_cancellation,
    last_own_frame,
)
from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.grouping import group_by
from app.analysis.recorded.body_state import BodyState
from app.analysis.rules.error_wording import LIMIT_ERROR
from app.analysis.rules.failures.error_outcome import judge_outcome
from app.analysis.rules.input_values import quote_shared
from app.analysis.text.one_line import format_count, format_duration, one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

# Confidences
_FIRST_FATAL = 0.95  # the first error that ended the trace is nearly always the origin
_LATER_FATAL = 0.6  # it may follow from the first
_UNLOCATED = 0.7  # an error without a failed span is certain, its place is not
_STOPPED_BY_LIMIT = 0.5  # what went round below it is the cause, if that is found
_FATAL_CANCELLATION = 0.4  # mostly wanted, or an effect of another error
_CAUGHT = 0.7
_SWALLOWED = 0.9  # that nothing came is the effect
_MADE_GOOD = 0.55  # it matters less where a later call worked
_CAUGHT_CANCELLATION = 0.3
_OUTCOMES_READ = 20  # equal errors whose outcome is judged: thousands of them fare alike
_GRAVITY = {Standing.FINDING: 0, Standing.WEAK: 1, Standing.NOTE: 2}
_MESSAGE_READ = 2_000  # characters
_GROUPS_READ = 400  # a loop over thousands of files may fail with as many messages
_WORKED_NAMED = 3
_PEERS_READ = 200  # calls of a name: of more of them it is not known whether all worked
_SHORTEST_GIVEN = 3  # characters of a value: shorter ones stand in a message by chance
_MOST_GROUPS = 40  # as many as there can be findings (`ranking`)
_STEPS_NAMED = 4  # names of a path in a sentence; the middle ones of a longer path are counted


def find_raised_errors(analysis: TraceAnalysis) -> Iterator[Finding]:
    """One finding for each distinct error: equal errors of same-named spans count as one."""
    raises = analysis.once(find_error_origins)
    fatal_seen = False
    for items in islice(_group_equal(raises, analysis), _MOST_GROUPS):
        fatal = [item for item in items if item.fatal]
        if fatal:
            yield _build_fatal(fatal[0], items, analysis, first=not fatal_seen)
            fatal_seen = True
        else:
            yield _build_survived(items, analysis)
    if not raises and analysis.error is not None:
        yield _build_unlocated(analysis)


def _group_equal(
    raises: Sequence[ErrorOrigin], analysis: TraceAnalysis
) -> Iterator[list[ErrorOrigin]]:
    """The errors by name and message, where those that differ only in what each span was given, as
    the name of a file, count as equal."""
    groups = group_by(raises, lambda item: (item.origin.name, error_signature(item.error)))
    alike: dict[tuple[str, str], list[ErrorOrigin]] = {}
    for items in islice(groups.values(), _GROUPS_READ):
        node = items[0].origin
        given = _list_given(node) if analysis.was_read(node) else ()
        key = (node.name, error_signature(items[0].error, given=given))
        alike.setdefault(key, []).extend(items)
    return iter(alike.values())


def _list_given(node: Node) -> Sequence[str]:
    texts = {leaf.value for leaf in node.view.input.first_by_type.texts}
    return sorted((text for text in texts if len(text) >= _SHORTEST_GIVEN), key=len, reverse=True)


def _build_fatal(
    item: ErrorOrigin, items: Sequence[ErrorOrigin], analysis: TraceAnalysis, *, first: bool
) -> Finding:
    confidence = _FIRST_FATAL if first else _LATER_FATAL
    if is_cancellation(item.error):
        confidence = _FATAL_CANCELLATION
    elif item.origin.children and LIMIT_ERROR.search(error_message(item.error)[:_MESSAGE_READ]):
        confidence = _STOPPED_BY_LIMIT
    above = item.path[1:]
    way = f"; propagated through {_format_path(above)}" if above else ""
    worked = _list_worked(items, analysis)
    sentence = f"{_describe_origin(item, items, analysis)}{way} and ended the trace"
    sentence += _describe_worked(items, worked)
    nodes = [item.origin, *worked[-_WORKED_NAMED:], *item.path]
    return _build_error_finding(Category.ERROR_ORIGIN, confidence, f"{sentence}.", items, nodes)


def _list_worked(items: Sequence[ErrorOrigin], analysis: TraceAnalysis) -> list[Node]:
    """The calls like one that failed, each time it was called, that worked: all others of its name,
    or of one call those before it with the same input. Empty where they were not read."""
    node = items[0].origin
    failed = {item.origin.id for item in items}
    peers = [each for each in analysis.peers_of(node)[:_PEERS_READ] if each.id not in failed]
    if not analysis.was_read(node) or not all(map(analysis.was_read, peers)):
        return []
    worked = [each for each in peers if each.finished and not each.view.has_failed]
    if len(items) > 1:
        return worked if len(worked) == len(peers) < _PEERS_READ else []
    given = node.view.input
    if given.is_cut or given.state is not BodyState.PRESENT:
        return []
    return [each for each in worked if each.end <= node.start and each.view.input.equals(given)]


def _build_survived(items: Sequence[ErrorOrigin], analysis: TraceAnalysis) -> Finding:
    """An error that did not end the trace; it is as grave as the gravest of its first ones."""
    outcomes = [judge_outcome(item, analysis) for item in items[:_OUTCOMES_READ]]
    gravest = min(outcomes, key=lambda outcome: _GRAVITY[outcome.standing])
    item = items[outcomes.index(gravest)]
    above = item.caught_by
    if above is None:
        end = "the trace continued after it"
    elif above.error is not None:
        end = f"{one_line(above.name, limit=40)} continued and failed with another error"
    else:
        end = f"{one_line(above.name, limit=40)} continued after it"
    confidence = _CAUGHT
    quiet = gravest.swallowed_by
    if quiet is not None:
        end = f"{one_line(quiet.function_name, limit=40)} returned nothing, as if it had worked"
        confidence = _SWALLOWED
    recovery = gravest.recovery
    how = recovery.describe() if recovery else ""
    if recovery is not None:
        end += how and f"; {how}{_say_off_path(item.origin, recovery.later, analysis)}"
        confidence = _MADE_GOOD
    elif is_cancellation(item.error):
        confidence = _CAUGHT_CANCELLATION
    sentence = f"{_describe_origin(item, items, analysis)}; {end}."
    ordered = [item, *(each for each in items if each is not item)]
    second = recovery.later if recovery and how else quiet
    nodes = [item.origin, *([second] if second else []), *item.path]
    category, standing = Category.ERROR_SURVIVED, gravest.standing
    return _build_error_finding(category, confidence, sentence, ordered, nodes, standing)


def _say_off_path(node: Node, later: Node, analysis: TraceAnalysis) -> str:
    """Where neither a failed call nor the one that made good for it is waited for."""
    inside = (each for one in (node, later) for each in analysis.tree.below(one)[:_PEERS_READ])
    if any(each.id in analysis.profile.on_path for each in inside):
        return ""
    return "; both ran beside the critical path"


def _build_unlocated(analysis: TraceAnalysis) -> Finding:
    """The trace failed but none of its spans did: names a span of the traceback or the last."""
    error = analysis.error
    assert error is not None
    names = {node.name: node for node in analysis.tree.nodes}
    traceback = error.traceback or ""
    open_spans = [node for node in analysis.tree.nodes if not node.finished]
    named = [node for name, node in names.items() if f"in {name}\n" in traceback]
    last = max(analysis.tree.nodes, key=lambda node: (node.end, node.depth), default=None)
    near = (named or open_spans or ([last] if last else []))[-1:]
    why = "its traceback names" if named else "without an end is" if open_spans else "the last was"
    frame = last_own_frame(error.traceback)
    sentence = f"The trace failed with {one_line(error_message(error), limit=200)}"
    sentence += f" (at {one_line(frame)})" if frame else ""
    sentence += ", and no span is marked as failed"
    sentence += f"; {why} {near[0].title}." if near else "."
    return build_finding(Category.ERROR_ORIGIN, _UNLOCATED, sentence, near)


def _describe_origin(
    item: ErrorOrigin, items: Sequence[ErrorOrigin], analysis: TraceAnalysis
) -> str:
    name = item.origin.title
    message = one_line(error_message(item.error), limit=200)
    frame = last_own_frame(item.error.traceback)
    where = f" (at {one_line(frame)})" if frame else ""
    if len(items) == 1:
        return f"{message}{where} began in {name}"
    shared = quote_shared([each.origin for each in items], analysis)
    given = f", all with {shared}" if shared else ""
    return f"{message}{where} began in {name}, in {format_count(len(items), 'call')}{given}"


def _describe_worked(items: Sequence[ErrorOrigin], worked: Sequence[Node]) -> str:
    if not worked:
        return ""
    if len(items) == 1:
        node, before = items[0].origin, worked[-1]
        ago = format_duration(node.start - before.end)
        return f"; {node.title} had worked with the same input {ago} before"
    return f"; its {format_count(len(worked), 'other call')} worked"


def _format_path(nodes: Sequence[Node]) -> str:
    names = [one_line(node.name, limit=40) for node in nodes]
    if len(names) > _STEPS_NAMED:
        left = len(names) - _STEPS_NAMED
        names = [*names[:2], f"{left} more", *names[-2:]]
    return " → ".join(names)


def _build_error_finding(
    category: Category,
    confidence: float,
    sentence: str,
    items: Sequence[ErrorOrigin],
    nodes: Sequence[Node],
    standing: Standing = Standing.FINDING,
) -> Finding:
    numbers = {"calls": len(items), "levels": len(items[0].path) - 1}
    more = [item.origin for item in items]
    return build_finding(
        category, confidence, sentence, nodes, numbers, more=more, standing=standing
    )
