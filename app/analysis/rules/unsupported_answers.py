"""Answers that a model gave although every search of the trace had found nothing."""

from collections.abc import Iterator
from itertools import zip_longest

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.recorded.answer_text import begins_with_negation, gives_up, says_refusal
from app.analysis.recorded.body import BodyState
from app.analysis.rules.lookups import is_search
from app.analysis.rules.symptoms import find_symptom, was_rated_well
from app.analysis.text.one_line import format_count, one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_ANSWERED = 0.7  # confidence: the answer may rest on what the model was told elsewhere
_WITH_SYMPTOM = 0.85  # confidence: a bad score or a failed end says that it does not
_SHORTEST_ANSWER = 40  # characters: a shorter reply is a label or a query, not an answer


def find_unsupported_answers(analysis: TraceAnalysis) -> Iterator[Finding]:
    """One finding where all searches of the trace returned nothing and a model answered later.

    An answer that admits it, or refuses, is none: `find_silent_failures` weighs those searches.
    """
    searches = [node for node in analysis.tree.nodes if _can_be_judged(node, analysis)]
    inner = [
        node
        for node, following in zip_longest(searches, searches[1:])
        if following is None or following.index >= node.index + node.size
    ]
    if not inner or not all(node.view.returned_nothing for node in inner):
        return
    answer = _find_answer(max(node.end for node in inner), analysis)
    if answer is None or was_rated_well(analysis):
        return
    symptom = analysis.once(find_symptom)
    calls = f" in {format_count(len(inner), 'call')}" if len(inner) > 1 else ""
    sentence = (
        f"{one_line(inner[0].name, limit=60)} found nothing{calls}, no other search found anything,"
        f" and {one_line(answer.name, limit=60)} answered all the same"
    )
    sentence += f"; {symptom}." if symptom else "."
    confidence = _WITH_SYMPTOM if symptom else _ANSWERED
    # An answer that begins with "no" may say just that; then a bad end has to speak against it.
    admits = begins_with_negation(answer.view.reply.text) and not symptom
    yield build_finding(
        Category.EMPTY_RESULT,
        confidence,
        sentence,
        [*inner, answer],
        {"searches": len(inner)},
        standing=Standing.NOTE if admits else Standing.FINDING,
    )


def _can_be_judged(node: Node, analysis: TraceAnalysis) -> bool:
    """Whether a span is a search whose output was recorded."""
    return (
        analysis.was_read(node)
        and node.error is None
        and is_search(node)
        and node.view.output.state is not BodyState.ABSENT
    )


def _find_answer(after: int, analysis: TraceAnalysis) -> Node | None:
    """The last model call that began when the searches had ended, if its reply is an answer."""
    calls = [
        node
        for node in analysis.tree.nodes
        if node.view.is_model_call
        and analysis.was_read(node)
        and node.start >= after
        and node.error is None
    ]
    if not calls:
        return None
    last = max(calls, key=lambda node: (node.end, node.index))
    text = last.view.reply.text.strip()
    if len(text) < _SHORTEST_ANSWER or gives_up(text) or says_refusal(text):
        return None
    return last
