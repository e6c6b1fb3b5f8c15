"""Calls that a model made for everything (`*`, `all`) or for more than was named, though it was
asked about one thing or some."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.leaves import Path, innermost_key, walk_keyed_values
from app.analysis.recorded.names import split_words
from app.analysis.recorded.spellings import plain_key
from app.analysis.rules.data_flow.lost_values import STANDS_FOR_ALL
from app.analysis.rules.data_flow.named_values import names_subject
from app.analysis.rules.lookups import is_lookup, list_tool_calls
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

_ITEM = re.compile(r"(?<![\w-])[A-Za-z]{0,3}-?\d{1,6}(?![\w-])")
_ENUMERATION = (
    r"[a-z]{0,3}-?\d{1,6}(?:\s?(?:[,&、和と]|,?\s(?:and|und|et|y|e|en|og|och|i|ja|и))\s?"
    r"[a-z]{0,3}-?\d{1,6})*"
)
_NO_RANGE = r"(?![\w-])(?!\W{1,3}(?:\w{1,7}\W{1,2})?\d)"
"""Behind it: no further number, since `3 to 6` and `3-6` name more than two."""
_STEM = 12  # letters of a word; its end may be that of a plural
_SHORTEST_WORD = 2  # letters of a word in a key that are none of an article or a preposition


class _Wide(NamedTuple):
    """An argument that may ask for too much: its key as recorded and as compared, and a word for
    all or the items of a list."""

    key: str
    plain: str
    values: tuple[str, ...]
    is_list: bool

    @property
    def shown(self) -> str:
        return ", ".join(self.values)


def find_widened_scope(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one: a call for everything, or for more than was named, and the model that wrote
    this, whose instruction names one thing or some."""
    for node in analysis.once(list_tool_calls):
        for wide in _list_wide(node) if analysis.was_read(node) else ():
            writer = _find_writer(node, wide, analysis)
            name = _name_instead(wide, writer) if writer is not None else ""
            if writer is None or not name:
                continue
            sentence = (
                f"{node.title} was given “{one_line(wide.shown, limit=60)}” for"
                f" {one_line(wide.key, limit=40)}, though {writer.title}, which asked for this"
                f" call, had been asked about {one_line(name, limit=40)}."
            )
            yield build_finding(Category.LOST_VALUE, _CONFIDENCE, sentence, [writer, node])
            return


def _list_wide(node: Node) -> Iterator[_Wide]:
    """The arguments that are a word for all, or a list of numbers for what is no lookup: a list
    may be read for its other items."""
    lists: dict[Path, list[str]] = {}
    for leaf in node.view.input.first_leaves:
        is_text = type(leaf.value) is str
        if is_text and leaf.value.strip().casefold() in STANDS_FOR_ALL:
            yield _Wide(innermost_key(leaf.path), leaf.key, (leaf.value,), is_list=False)
        elif leaf.path and type(leaf.path[-1]) is int and (is_text or type(leaf.value) is int):
            lists.setdefault(leaf.path[:-1], []).append(str(leaf.value))
    for path, values in lists.items():
        if len(values) > 1 and all(map(_ITEM.fullmatch, values)):
            if is_lookup(node.function_name):
                return
            key = innermost_key(path)
            yield _Wide(key, plain_key(key), tuple(values), is_list=True)


def _name_instead(wide: _Wide, writer: Node) -> str:
    text = writer.view.request.last_instruction[:_INSTRUCTION_READ]
    return "" if _ASKS_FOR_ALL.search(text) else _find_named(wide, text)


def _find_named(wide: _Wide, text: str) -> str:
    """What an instruction names instead: an id, or numbers behind the name of the argument."""
    if not wide.is_list and names_subject(wide.plain) and (name := _NAME.search(text)):
        return name[0]
    words = "|".join(
        re.escape(word[:_STEM].removesuffix("s"))
        for word in split_words(wide.key)
        if len(word) > _SHORTEST_WORD
    )
    if not words:
        return ""
    named = (
        rf"(?<!\w)(?:{words})\w{{0,2}}\W{{1,3}}(?:[^\W\d_]\W{{1,2}})??({_ENUMERATION}){_NO_RANGE}"
    )
    found = [*re.finditer(named, text, re.IGNORECASE)]
    items = {item for each in found for item in _ITEM.findall(each[1])}
    return found[0][0] if found and (not wide.is_list or items < set(wide.values)) else ""


def _find_writer(node: Node, wide: _Wide, analysis: TraceAnalysis) -> Node | None:
    """The last model call before whose reply has a call with this argument, whatever its tool."""
    calls = [each for each in analysis.once(list_model_calls) if each.end <= node.start]
    for call in sorted(calls, key=by_end, reverse=True):
        for asked in call.view.reply.calls:
            pairs = walk_keyed_values(asked.arguments)
            values = [str(found) for name, found in pairs if name == wide.plain]
            if values == list(wide.values) or (not wide.is_list and wide.values[0] in values):
                return call
    return None
