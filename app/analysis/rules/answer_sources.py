"""The answer of a trace with all that was known before it was written."""

from typing import NamedTuple

from app.analysis.recorded.body import Body
from app.analysis.recorded.body_state import BodyState
from app.analysis.rules.answer_writer import find_answer_writer
from app.analysis.rules.lookups import list_tool_calls
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_MOST_TEXT = 400_000  # characters: in more of them any figure occurs


class AnswerSources(NamedTuple):
    """`texts` are canonical: the input of the trace, what the writer of the answer and the steps
    before it were given and returned. `results` are the calls of tools and lookups before it."""

    writer: Node
    texts: tuple[str, ...]
    results: tuple[Node, ...]


def read_answer_sources(analysis: TraceAnalysis) -> AnswerSources | None:
    """None where the answer rests on no result, or not all was recorded that it may rest on; for
    `once`."""
    writer = analysis.once(find_answer_writer)
    if writer is None or not writer.view.reply.text:
        return None
    before = [node for node in analysis.tree.nodes if node.start <= writer.start]
    done = [node for node in before if node.end <= writer.start]
    calls = analysis.once(list_tool_calls)
    results = [node for node in calls if node.end <= writer.start and _has_result(node)]
    if not results or not all(analysis.was_read(node) for node in before):
        return None
    bodies = [Body(analysis.trace.input)]
    bodies += [node.view.input for node in before]
    bodies += [node.view.output for node in done]
    texts: dict[str, None] = {}
    left = _MOST_TEXT
    for body in bodies:
        text = body.canonical
        if not text and body.state is BodyState.PRESENT:
            return None
        if text not in texts:
            texts[text] = None
            left -= len(text)
        if left < 0:
            return None
    prompt = " ".join(message.text for message in writer.view.request.messages)
    return AnswerSources(writer, (*texts, prompt.casefold()), tuple(results))


def _has_result(node: Node) -> bool:
    if node.error is not None:
        return False
    return node.view.output.state is BodyState.PRESENT and not node.view.returned_nothing
