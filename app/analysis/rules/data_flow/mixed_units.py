"""Numbers that changed their unit and stayed the same: 54 km/h became 54 m/s.

A service reports feet, and a step writes the number into a field for metres; a model gives a tool
the knots that it read as kilometres an hour. Both numbers have one name, so that they are the same
measure.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.grouping import group_by
from app.analysis.recorded.body import Body
from app.analysis.rules.data_flow.measures import (
    Measure,
    find_measures,
    has_digits,
    read_measures,
)
from app.analysis.rules.recovery import asking_call, name_as_asked
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls, list_read_steps
from app.analysis.tree import Node

_CONFIDENCE = 0.85  # the same name and number; that both are right is a rare chance
_ANSWERED = 0.75  # a text has no name for a number
_DIGITS_IN_TEXT = 3  # of such a number: with fewer, two measures are equal by chance
_TEXT_READ = 8_000  # characters of an answer


class _Seen(NamedTuple):
    """A measure, the step that has it, and whether that step returned it."""

    measure: Measure
    node: Node
    is_output: bool


def find_mixed_units(analysis: TraceAnalysis) -> Iterator[Finding]:
    """One finding for each measure at the first step that has its number in another unit than it
    was given it in, at most one for a step; without one, those that an answer has so."""
    seen: dict[tuple[str, float], list[_Seen]] = {}
    reported: set[str | tuple[str, float]] = set()
    for node, body, is_output in _list_bodies(analysis):
        for measure in read_measures(body):
            key = measure.name, measure.number
            before = seen.setdefault(key, [])
            found = _Seen(measure, node, is_output)
            source = _find_source(found, before)
            if source is None:
                before.append(found)
            elif reported.isdisjoint((node.id, key)):
                yield _describe(source, found, analysis)
            if source is not None:
                reported |= {node.id, key}
    if seen and not reported:
        yield from _find_answers([each for found in seen.values() for each in found], analysis)


def _list_bodies(analysis: TraceAnalysis) -> Iterator[tuple[Node, Body, bool]]:
    """Inputs and outputs of the steps in the order in which the program had them."""
    moments = []
    for node in analysis.once(list_read_steps):
        view = node.view
        moments.append((node.start, False, node.index, node, view.input))
        moments.append((node.end, True, -node.index, node, view.output))
    for _, is_output, _, node, body in sorted(moments, key=lambda moment: moment[:3]):
        yield node, body, is_output


def _find_source(found: _Seen, before: list[_Seen]) -> _Seen | None:
    """What the step was given for a measure, in another unit, where nothing has it in this one."""
    if not before or any(not found.measure.contradicts(each.measure) for each in before):
        return None
    return next((each for each in before if _is_given(each, found)), None)


def _is_given(source: _Seen, found: _Seen) -> bool:
    """Whether what a step has may come from a source: a step's output from its input and from what
    ran within it, an input from any result before and from what the steps around were given."""
    if found.is_output:
        is_inner = found.node.holds(source.node)
        return is_inner if source.is_output else source.node is found.node
    return source.is_output or source.node.holds(found.node)


def _describe(source: _Seen, found: _Seen, analysis: TraceAnalysis) -> Finding:
    writer = None if found.is_output else asking_call(found.node, analysis)
    who = "it" if source.node is found.node else source.node.title
    sentence = (
        f"{name_as_asked(found.node, writer)} {_show(found)}, though {who} {_show(source)}:"
        " the unit changed and the number did not."
    )
    nodes = [*([writer] if writer is not None else []), found.node, source.node]
    return build_finding(Category.LOST_VALUE, _CONFIDENCE, sentence, nodes)


def _show(seen: _Seen) -> str:
    had = "returned" if seen.is_output else "was given"
    return f"{had} {one_line(seen.measure.shown, limit=60)}"


def _find_answers(seen: Sequence[_Seen], analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one reply with the number of a measure in another unit, which it was not given in."""
    by_number = group_by(
        (each for each in seen if has_digits(each.measure.number, _DIGITS_IN_TEXT)),
        lambda each: each.measure.number,
    )
    for call in analysis.once(list_model_calls) if by_number else ():
        for written in find_measures(call.view.reply.text[:_TEXT_READ]):
            source = by_number.get(written.number, ())
            if not source or not all(written.contradicts(each.measure) for each in source):
                continue
            if _was_given(call, written):
                continue
            sentence = (
                f"{call.title} answered with {one_line(written.shown, limit=60)}, though"
                f" {source[0].node.title} {_show(source[0])}: the unit changed and the number did"
                " not."
            )
            yield build_finding(Category.LOST_VALUE, _ANSWERED, sentence, [call, source[0].node])
            return


def _was_given(call: Node, written: Measure) -> bool:
    """Whether a text of the request has a number in the unit of a reply."""
    return any(
        given.number == written.number and not given.contradicts(written)
        for message in call.view.request.messages
        for given in find_measures(message.text[:_TEXT_READ])
    )
