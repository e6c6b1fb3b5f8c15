"""Texts that a step of the program cut inside a number or a word, or marked as cut, so that no
model read the rest.

What the next piece of a split text goes on with is not lost, and long texts are cut to save tokens.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.leaves import Leaf
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls, list_read_steps
from app.analysis.tree import Node

_CONFIDENCE = 0.7  # a program may mean to leave out the rest
_LEAVES_READ = 40  # of one output
_SHORTEST_TEXT, _LONGEST_TEXT = 60, 4_000  # characters of a whole text: longer ones are cut to save
_TEXTS_KEPT = 80
_STEPS_READ = 200
_SHORTEST_PIECE, _FEWEST_WORDS = 16, 3  # of what is left of a text
_TAIL = 30  # characters before a mark by which the whole text is found
_REST = 20  # characters of the rest by which it is looked for
_MODELS_READ = 60
_MARK = re.compile(r"(?<=[^\W_])\s?(?:…|\.{3}|\[(?:…|\.{3}|truncated|cut)\])")
_MARKS = ("…", "...", "[trunc", "[cut")
_GOES_ON = re.compile(r"[^\W_]|[ \u00a0\u202f.,]\d")
"""How a text goes on inside a word or a number."""
_ENDS_SENTENCE = (".", "!", "?", "…", "。", "！", "？", '"', "”", ")")
_PREVIEWS = re.compile(
    r"preview|snippet|excerpt|summar|trunc|trim|shorten|short|head|title|label|name|log|display"
    r"|abbrev|teaser|compact|compress|vorschau|aperçu|resumen|résumé|riassunto|streszcz|extract",
    re.IGNORECASE,
)


class _Cut(NamedTuple):
    left: str
    rest: str
    source: Node


def find_cut_texts(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one: the first step that cut such a text, and the result that has the whole."""
    models = analysis.once(list_model_calls)
    steps = list(islice(analysis.once(list_read_steps), _STEPS_READ))
    may_cut = [
        (node, marked, pieces)
        for node in steps
        if not node.view.calls_outside and not _PREVIEWS.search(node.name)
        for marked, pieces in [_list_ends(node)]
        if marked or pieces
    ]
    if not models or not may_cut:
        return
    texts = list(_list_texts(steps))
    for node, marked, pieces in sorted(may_cut, key=lambda each: (each[0].end, -each[0].index)):
        before = [each for each in texts if each[1].end <= node.start]
        for cut in _find_cuts(marked, pieces, before) if before else ():
            if _reaches_model(cut, node, models):
                yield _build_finding(node, cut)
                return


def _list_ends(node: Node) -> tuple[list[str], list[list[str]]]:
    """What stands before marks of a cut in an output, and the texts of one key of which some end
    without a sign of punctuation and others with one."""
    if not _may_be_cut(node):
        return [], []
    marked: list[str] = []
    by_key: dict[str, list[str]] = {}
    for leaf in _list_leaves(node, _SHORTEST_PIECE):
        if _PREVIEWS.search(leaf.key):
            continue
        by_key.setdefault(leaf.key, []).append(leaf.value.strip())
        for mark in islice(_MARK.finditer(leaf.value[:_LONGEST_TEXT]), 1):
            marked.append(leaf.value[max(0, mark.start() - _TAIL) : mark.start()])
    pieces = [
        texts
        for texts in by_key.values()
        if len(texts) > 1
        and any(text.endswith(_ENDS_SENTENCE) for text in texts)
        and any(text[-1:].isalnum() for text in texts)
    ]
    return marked, pieces


def _may_be_cut(node: Node) -> bool:
    """Whether an output has a mark, or texts that end with punctuation and others that do not."""
    values = [
        value
        for value in node.view.output.first_values
        if isinstance(value, str) and len(value) >= _SHORTEST_PIECE
    ]
    if any(mark in value for value in values for mark in _MARKS):
        return True
    open_ends = sum(value[-1:].isalnum() for value in values)
    return 0 < open_ends < len(values)


def _list_leaves(node: Node, shortest: int) -> list[Leaf]:
    """The texts of an output that have so many characters."""
    values = node.view.output.first_values
    if not any(isinstance(value, str) and len(value) >= shortest for value in values):
        return []
    return [
        leaf
        for leaf in node.view.output.first_leaves(_LEAVES_READ)
        if isinstance(leaf.value, str) and len(leaf.value) >= shortest
    ]


def _list_texts(steps: Sequence[Node]) -> Iterator[tuple[str, Node]]:
    """The texts that were whole, each with the first span that has it."""
    known: set[str] = set()
    for node in sorted(steps, key=lambda each: (each.end, -each.index)):
        for leaf in _list_leaves(node, _SHORTEST_TEXT):
            if len(leaf.value) <= _LONGEST_TEXT and leaf.value not in known:
                known.add(leaf.value)
                yield leaf.value, node
                if len(known) >= _TEXTS_KEPT:
                    return


def _find_cuts(
    marked: Sequence[str], groups: Sequence[Sequence[str]], texts: Sequence[tuple[str, Node]]
) -> Iterator[_Cut]:
    for left in marked:
        yield from _find_rest(left, texts)
    for pieces in groups:
        for piece in pieces:
            if piece[-1:].isalnum() and len(piece.split()) >= _FEWEST_WORDS:
                inside = (cut for cut in _find_rest(piece, texts) if _GOES_ON.match(cut.rest))
                yield from (cut for cut in inside if not _goes_on_in(cut, pieces))


def _find_rest(left: str, texts: Sequence[tuple[str, Node]]) -> Iterator[_Cut]:
    """Where a text stood before and how it went on there; nothing where it stood twice."""
    if len(left) < _SHORTEST_PIECE:
        return
    for text, source in texts:
        if text.count(left) == 1:
            rest = text[text.index(left) + len(left) :]
            if any(map(str.isalnum, rest[:_REST])) and not _MARK.match(f"x{rest}", 1):
                yield _Cut(left, rest, source)
            return


def _goes_on_in(cut: _Cut, pieces: Sequence[str]) -> bool:
    return any(cut.rest.strip()[:_REST] in piece for piece in pieces)


def _reaches_model(cut: _Cut, node: Node, models: Sequence[Node]) -> bool:
    """Whether a later request has what is left of a text and none has the rest."""
    later = [each for each in models if each.start >= node.end][:_MODELS_READ]
    texts = [message.text for each in later for message in each.view.request.messages]
    rest = cut.rest.strip()[:_REST]
    return any(cut.left in text for text in texts) and not any(rest in text for text in texts)


def _build_finding(node: Node, cut: _Cut) -> Finding:
    name, source = (one_line(each.name, limit=60) for each in (node, cut.source))
    sentence = (
        f"{name} cut a text of {source} after “…{one_line(cut.left[-_TAIL:], limit=40)}”; no model"
        f" call read the rest (“{one_line(cut.rest.strip(), limit=40)}”)."
    )
    return build_finding(Category.LOST_VALUE, _CONFIDENCE, sentence, [node, cut.source])
