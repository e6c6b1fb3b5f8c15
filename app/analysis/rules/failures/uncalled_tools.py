"""Calls of tools that a model wrote as text, so that no tool ran."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.leaves import walk_keyed_values
from app.analysis.recorded.text_calls import find_written_call
from app.analysis.rules.invalid_json import asks_for_json
from app.analysis.rules.recovery import is_named_after
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls
from app.analysis.tree import Node

_CONFIDENCE = 0.85  # a program may read the call from the text and leave no span
_BEGINNING = 60  # characters of a reply by which it is found in an output
_LEAVES_READ = 40  # of an output that holds an answer


def find_uncalled_tools(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Replies that are a call as text, which became an answer: no tool of that name ran after it,
    and no model was given what it returned."""
    calls = analysis.once(list_model_calls)
    for node in calls:
        reply = node.view.reply
        if reply.calls or not reply.text or node.error is not None:
            continue
        name = find_written_call(reply.text, node.view.request.tools)
        if not name or asks_for_json(node) or not _became_answer(node, analysis):
            continue
        if _was_taken_up(node, name, calls, analysis):
            continue
        sentence = (
            f"{node.title} wrote its call of {one_line(name, limit=60)} as text:"
            f" “{one_line(reply.text, limit=80)}”; no tool ran."
        )
        yield build_finding(Category.INVALID_CALL, _CONFIDENCE, sentence, [node])


def _was_taken_up(node: Node, name: str, calls: list[Node], analysis: TraceAnalysis) -> bool:
    """Whether the tool ran, or a later model call was given the reply, as by a program that reads
    calls from texts."""
    if any(
        other.start >= node.end and is_named_after(other, name) for other in analysis.tree.nodes
    ):
        return True
    start = node.view.reply.text.strip()[:_BEGINNING]
    return any(
        start in message.text
        for call in calls
        if call.start >= node.end
        for message in call.view.request.messages
    )


def _became_answer(node: Node, analysis: TraceAnalysis) -> bool:
    """Whether the text is in the result of a step around the call, or of the trace."""
    start = node.view.reply.text.strip()[:_BEGINNING]
    outputs = [analysis.trace.output]
    outputs += [step.span.output for step in node.path()[:-1] if analysis.was_read(step)]
    return any(_holds_text(output, start) for output in outputs)


def _holds_text(output: Any, start: str) -> bool:
    leaves = islice(walk_keyed_values(output), _LEAVES_READ)
    return any(isinstance(value, str) and start in value for _, value in leaves)
