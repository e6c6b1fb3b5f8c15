"""What a trace was asked, and the calls that were made for it."""

import re
from collections.abc import Iterable

from app.analysis.rules.lookups import leaves_program, list_tool_calls
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_TEXT_READ = 600  # characters of one text
_QUESTION_READ = 2_000  # characters of a question or a query
_SHORTEST_WORD = 4  # characters: shorter words are in most sentences
_SHARED_WORDS = 2  # words of a query that stand in the question
_FEW_WORDS = 30  # that are looked for in a text in less time than it takes to find its words
_WORD = re.compile(r"[\w-]+")
_EAST_ASIAN = r"\u30a1-\u30fa\u30fc\u3400-\u9fff\uac00-\ud7a3"
_EAST_ASIAN_RUN = re.compile(f"[{_EAST_ASIAN}]{{2,}}")
_OTHER_WORD = re.compile(rf"(?:[^\W{_EAST_ASIAN}\u3041-\u309f]|-)+")


class AskedWords:
    """What the trace was asked: the words of its question, and names and numbers in its input."""

    def __init__(self, analysis: TraceAnalysis) -> None:
        values = [leaf.value for leaf in analysis.given.leaves]
        self._words = telling_words(_join_texts(values))
        self._has_many = len(self._words) > _FEW_WORDS

    def _may_share(self, text: str) -> bool:
        """Whether enough words may be shared; False is certain."""
        if self._has_many:
            return True
        found = [word for word in self._words if word in text]
        return len(found) >= _SHARED_WORDS or any(not word.isalpha() for word in found)

    def is_asked_for(self, node: Node) -> bool:
        """Whether a call of a tool, or a lookup, has a name or number of the question in its input,
        or several of its words."""
        if not leaves_program(node):
            return False
        values = node.view.input.first_values
        text = _join_texts([*values, node.function_name.replace("_", " ")])
        if not self._may_share(text):
            return False
        shared = self._words & telling_words(text)
        return len(shared) >= _SHARED_WORDS or any(not word.isalpha() for word in shared)


def list_asked_calls(analysis: TraceAnalysis) -> list[Node]:
    """The calls of tools and lookups for what the trace was asked; for `once`."""
    asked = analysis.once(AskedWords)
    return [node for node in analysis.once(list_tool_calls) if asked.is_asked_for(node)]


def _join_texts(values: Iterable[object]) -> str:
    """The beginnings of texts and numbers, without letter case."""
    text = " ".join(str(each)[:_TEXT_READ] for each in values if isinstance(each, (str, int)))
    return text[:_QUESTION_READ].casefold()


def telling_words(text: str) -> set[str]:
    """Words of four letters and more, and what holds digits and is no single one; of Chinese,
    Japanese and Korean, which have no blanks between words or add to them, pairs of characters."""
    words = (_WORD if text.isascii() else _OTHER_WORD).findall(text)
    found = {word for word in words if len(word) >= (_SHORTEST_WORD if word.isalpha() else 2)}
    runs = [] if text.isascii() else _EAST_ASIAN_RUN.findall(text)
    return found.union(run[at : at + 2] for run in runs for at in range(len(run) - 1))
