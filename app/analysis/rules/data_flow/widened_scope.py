"""Calls that a model made for everything (`*`, `all`), though it was asked about one thing."""

import re
from collections.abc import Iterator

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.leaves import Leaf, walk_keyed_values
from app.analysis.rules.data_flow.lost_values import STANDS_FOR_ALL
from app.analysis.rules.data_flow.named_values import names_subject
from app.analysis.rules.lookups import list_tool_calls
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls
from app.analysis.tree import Node, by_end

_CONFIDENCE = 0.8  # the request names one, the call names none
_INSTRUCTION_READ = 4_000  # characters
_NAME = re.compile(
    r"(?<![\w-])(?=[\w-]{0,40}\d)[A-Za-z]{1,12}[-_]?\d[\w-]{1,30}(?![\w-])|\b\d{5,12}\b"
)
"""An id or a number of a customer, an order, a patient."""
_ASKS_FOR_ALL = re.compile(
    r"\b(?:all|every\w*|each|any|whole|entire|alle[nrs]?|sämtliche\w*|jede\w*|tou(?:te)?s|chaque"
    r"|todos?|todas?|cada|tutt[ieao]|ogni|alla|varje|wszystki\w+|все[хм]?)\b"
    r"|全部|所有|すべて|全て|모든|모두",
    re.IGNORECASE,
)


def find_widened_scope(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one: a call with a word for all under a key that identifies one thing, and the model
    that wrote this, whose instruction names one."""
    for node in analysis.once(list_tool_calls):
        leaf = _find_word_for_all(node) if analysis.was_read(node) else None
        writer = _find_writer(node, leaf, analysis) if leaf is not None else None
        if leaf is None or writer is None:
            continue
        text = writer.view.request.last_instruction[:_INSTRUCTION_READ]
        name = _NAME.search(text)
        if name is not None and not _ASKS_FOR_ALL.search(text):
            key = one_line(str(leaf.path[-1]), limit=40)
            sentence = (
                f"{node.title} was given “{leaf.value}” for {key}, though {writer.title}, which"
                f" asked for this call, had been asked about {one_line(name[0], limit=40)}."
            )
            yield build_finding(Category.LOST_VALUE, _CONFIDENCE, sentence, [writer, node])
            return


def _find_word_for_all(node: Node) -> Leaf | None:
    """An argument that identifies something and is a word for all."""
    given = node.view.input
    if not any(map(names_subject, given.keys)):
        return None
    for leaf in given.first_by_type.texts:
        if leaf.value.strip().casefold() in STANDS_FOR_ALL and names_subject(leaf.key):
            return leaf
    return None


def _find_writer(node: Node, leaf: Leaf, analysis: TraceAnalysis) -> Node | None:
    """The last model call before whose reply has a call with this argument, whatever its tool."""
    calls = [each for each in analysis.once(list_model_calls) if each.end <= node.start]
    for call in sorted(calls, key=by_end, reverse=True):
        for asked in call.view.reply.calls:
            if any(
                found == leaf.value and name == leaf.key
                for name, found in walk_keyed_values(asked.arguments)
            ):
                return call
    return None
