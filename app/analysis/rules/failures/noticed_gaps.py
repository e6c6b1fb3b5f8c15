"""Empty results that the program did not overlook."""

import re
from collections.abc import Iterator

from app.analysis.recorded.answer_text import negates, says_blank
from app.analysis.rules.answer_writer import find_answer_writer
from app.analysis.rules.symptoms import find_symptom
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_ANSWER_READ = 4_000  # characters
_SHORTEST_WORD = 5  # letters: shorter words stand in any sentence
_STEM = 6  # letters by which a word is found in another form
_MOST_WORDS = 8
_SIBLINGS_READ = 20  # after the empty result
_WORD = re.compile(r"[^\W_][\w-]+")
_SENTENCE = re.compile(r"[.!?;。\n]+")


def was_gap_noticed(node: Node, analysis: TraceAnalysis) -> bool:
    """Whether a reply beside an empty result says that there was nothing to read, or the answer
    denies what had been looked up. An answer that gives up speaks of a failure."""
    if analysis.once(find_symptom):
        return False
    return _is_called_blank(node, analysis) or _is_denied(node, analysis)


def _is_called_blank(node: Node, analysis: TraceAnalysis) -> bool:
    siblings = analysis.tree.siblings(node)
    later = [each for each in siblings if each.start >= node.end and each.view.is_model_call]
    return any(
        analysis.was_read(each) and says_blank(each.view.reply.text[:_ANSWER_READ])
        for each in later[:_SIBLINGS_READ]
    )


def _is_denied(node: Node, analysis: TraceAnalysis) -> bool:
    writer = analysis.once(find_answer_writer)
    if writer is None or writer.start < node.end:
        return False
    stems = [word[:_STEM] for word in _list_words(node)][:_MOST_WORDS]
    sentences = _SENTENCE.split(writer.view.reply.text[:_ANSWER_READ].casefold())
    return any(
        negates(sentence) and any(stem in sentence for stem in stems) for sentence in sentences
    )


def _list_words(node: Node) -> Iterator[str]:
    for text in node.view.input.first_texts:
        for word in _WORD.findall(text[:_ANSWER_READ].casefold()):
            if len(word) >= _SHORTEST_WORD:
                yield word
