"""Previews of inputs and outputs in an outline: the room left is shared out between its rows."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from app.analysis.error_origins import find_error_origins, find_reported_origins
from app.analysis.recorded.body import Body
from app.analysis.text.coverage import has_output
from app.analysis.text.outline_rows import OutlineRow, RowKind, SpanLines
from app.analysis.text.previews import (
    LONGEST,
    Preview,
    find_instructions,
    preview_body,
    preview_text,
)
from app.analysis.text.token_budget import Alias
from app.analysis.text.value_pieces import label_last
from app.analysis.tree import CLOCK_TOLERANCE, Node
from app.token_estimate import LONGEST_TOKEN, estimate_tokens

# Tokens of one preview, the most that fits for all rows is taken: 72 are some 50 words, a short
# answer or a record; below 10 nothing can be recognised.
_LENGTHS = (72, 48, 36, 28, 20, 14, 10)
_IMPORTANT = 2  # times as much for spans of findings and failed ones
_FOLDED = 3  # times less for what differs between spans that share a row and have none below
_DIGEST = re.compile(r"(?=.*[a-f])(?=.*\d)[0-9a-f]{8,64}")
_SEPARATOR = 5  # tokens of ` | out: ` before a preview
_ALIAS = 4  # tokens of ` s00000` after a reference
_LEAST_REPEATED = 24  # characters: shorter texts are equal by chance
_LEAST_OF_HEADER = 12  # characters: the same for what the header shows, of which there is little
_SPANS_OF_FINDING = 4  # the culprit, and enough others to see the pattern
_IN, _OUT, _FAILED = "in:", "out:", "failed:"
_SYSTEM = "system:"
_ORDER = {_SYSTEM: 0, _IN: 1}
# Instructions of model calls, with the room that all else leaves: what a call is for, and its
# first rules, for as many different ones as a program of a few agents has.
_SYSTEM_TOKENS = 48
_SYSTEMS_SHOWN = 6
_REFERENCES = {_IN: "input of", _OUT: "output of", _FAILED: "error of"}
_SOURCES_COMPARED = 8  # outputs of one text: the step before is among the last that were listed
_REST_SHOWN = 120  # characters of what a span returned beside an error from below
_NO_OUTPUT = Preview([("", "none recorded")])  # where another span of the name has one
_HEADER_NAMES = ("the trace's input", "the trace's output")


@dataclass(slots=True)
class _Part:
    """One side of a span: what it was given or what it returned.

    `reference` stands in the place of a text that was shown before, followed by the alias of
    `same_as` where it was shown by another span, and by the `rest` of the value. `folded` parts
    belong to a span that shares a row.
    """

    node: Node
    owner: str
    label: str
    preview: Preview
    important: bool
    place: int
    folded: bool = False
    tokens: int = 0
    reference: str = ""
    same_as: Node | None = None
    rest: str = ""
    shown: str = ""

    def text(self, alias: Alias) -> str:
        if not self.reference:
            return self.shown
        named = f"{self.reference} {alias(self.same_as.id)}" if self.same_as else self.reference
        return named + self.rest


@dataclass(slots=True)
class RowPreviews:
    """The previews of rows, by the id of a span, or by what spans of one row have in common."""

    _parts: dict[str, list[_Part]] = field(default_factory=dict)

    def text(self, row: OutlineRow, alias: Alias) -> str:
        """What to append to the line of a row; may be empty."""
        if row.kind is RowKind.SPAN:
            return self._format_sides(row.nodes[0].id, alias)
        if row.kind is not RowKind.FOLD:
            return ""
        shown = self._format_sides(_common_owner(row), alias)
        for node in row.nodes:
            shown += f" | {alias(node.id)}"
            texts = [part.text(alias) for part in self._parts.get(node.id, ())]
            shown += " " + " → ".join(dict.fromkeys(texts)) if texts else ""
        return shown

    def _format_sides(self, owner: str, alias: Alias) -> str:
        shown = ""
        for part in self._parts.get(owner, ()):
            if text := part.text(alias):
                shown += f" | {part.label} {text}"
        return shown


def plan_previews(
    rows: Sequence[OutlineRow], lines: SpanLines, *, known: Sequence[Any], budget_tokens: int
) -> RowPreviews:
    """Previews of these rows, given in reading order, within the budget. `known` are recorded
    values that stand before the rows.

    Each is as long as the budget allows for all; where it is too small for that, spans of findings
    and failed ones come first, then what was returned, then what was given, and spans that share a
    row come last. A text that stands in an earlier row or before them is named and not shown again.
    What is left is for the instructions of model calls, once for all that share them.
    """
    parts = list(_collect_parts(rows, lines, known))
    for part in parts:
        counted = (
            estimate_tokens(part.reference + part.rest) + _ALIAS
            if part.reference
            else _count_tokens(part)
        )
        part.tokens = _SEPARATOR + counted
    length = _choose_length(parts, budget_tokens)
    left = budget_tokens
    chosen: dict[str, list[_Part]] = {}
    for part in sorted(parts, key=_rank_part):
        if left <= _SEPARATOR:
            break
        price = part.tokens
        if not part.reference:
            part.shown, tokens = _cut_preview(part, _most(part, length))
            price = _SEPARATOR + tokens
        if price <= left:
            left -= price
            chosen.setdefault(part.owner, []).append(part)
    for found in chosen.values():
        found.sort(key=lambda part: _ORDER.get(part.label, len(_ORDER)))
    return RowPreviews(chosen)


def _collect_parts(
    rows: Sequence[OutlineRow], lines: SpanLines, header: Sequence[Any]
) -> Iterator[_Part]:
    """Inputs and outputs in reading order; those that stood before are references."""
    analysis = lines.analysis
    important = {
        span_id for item in analysis.findings for span_id in item.spans[:_SPANS_OF_FINDING]
    }
    shown = [row for row in rows if row.kind in (RowKind.SPAN, RowKind.FOLD)]
    nodes = [node for row in shown for node in row.nodes]
    seen = _SeenTexts(nodes, lines, header)
    instructions = {""}
    passed_on = analysis.once(find_reported_origins)
    with_output = {node.name for node in nodes if lines.previews(node)[1].pieces}
    for place, row in enumerate(shown):
        if row.kind is RowKind.FOLD:
            yield from _collect_folded(row, lines, seen, place)
            continue
        node = row.nodes[0]
        matters = node.id in important or node.error is not None
        given, result = lines.previews(node)
        if node.name in with_output and analysis.was_read(node) and not has_output(node):
            result = _NO_OUTPUT
        for label, preview in ((_IN, given), (_label_of(result), result)):
            part = _Part(node, node.id, label, preview, matters, place)
            if label == _OUT and (origin := passed_on.get(node.id)):
                part.reference, part.same_as = _REFERENCES[_FAILED], origin
                rest = preview.pieces[1:]
                if rest and rest != lines.previews(origin)[1].pieces[1:]:
                    part.rest = f"; {Preview(rest).text(_REST_SHOWN)}"
                yield part
            elif preview.pieces and seen.refer(part):
                yield part
        system = find_instructions(node.view) if len(instructions) <= _SYSTEMS_SHOWN else ""
        if system not in instructions:
            instructions.add(system)
            yield _Part(node, node.id, _SYSTEM, preview_text(system), False, place)


def _collect_folded(
    row: OutlineRow, lines: SpanLines, seen: "_SeenTexts", place: int
) -> Iterator[_Part]:
    """What spans that share a row have in common, and what differs of each."""
    sides = zip(*map(lines.previews, row.nodes), strict=True)
    labels = (_IN, _label_of(lines.previews(row.nodes[0])[1]))
    earlier: list[Sequence[str]] = []
    for label, previews in zip(labels, sides, strict=True):
        listed = [_in_order(preview, previews[0]) for preview in previews]
        columns = [[text for _, text in column] for column in zip(*listed, strict=True)]
        names = [name for name, _ in previews[0].pieces]
        common = Preview(
            [
                (name, "…" if len(set(column)) > 1 else column[0])
                for name, column in zip(names, columns, strict=True)
            ]
        )
        if common.pieces:
            yield _Part(row.nodes[0], _common_owner(row), label, common, False, place)
        shown = []
        for column in columns:
            if len(set(column)) > 1 and _is_telling(column, earlier):
                shown.append(column)
                earlier.append(column)
        for node, preview, texts in zip(
            row.nodes, previews, zip(*shown, strict=True), strict=False
        ):
            part = _Part(node, node.id, label, preview, False, place, folded=True)
            if seen.refer(part):
                yield replace(part, preview=Preview([("", text) for text in texts]))


def _is_telling(column: Sequence[str], before: Sequence[Sequence[str]]) -> bool:
    """Whether what alike spans differ in is no digest, and not made of a value that stands before
    it, as a path is of the name of a file."""
    if all(map(_DIGEST.fullmatch, column)):
        return False
    return not any(
        len({text.replace(part, "\0") for part, text in zip(earlier, column, strict=True)}) == 1
        for earlier in before
    )


def _in_order(preview: Preview, first: Preview) -> Sequence[tuple[str, str]]:
    """The pieces of a preview in the order in which those of an alike one are."""
    if [label for label, _ in preview.pieces] == [label for label, _ in first.pieces]:
        return preview.pieces
    found = dict(preview.pieces)
    return [(label, found[label]) for label, _ in first.pieces]


def _common_owner(row: OutlineRow) -> str:
    return f"in common from {row.nodes[0].id}"


def _label_of(result: Preview) -> str:
    return _FAILED if result.failed else _OUT


class _SeenTexts:
    """Where texts stood first: in the header, or as the input or output of a span; the text of an
    error stands at its origin."""

    def __init__(self, nodes: Sequence[Node], lines: SpanLines, header: Sequence[Any]) -> None:
        previews = [preview_body(Body(each)) for each in header]
        named = zip(previews, _HEADER_NAMES, strict=False)
        roots = lines.analysis.tree.roots
        self._root = roots[0] if len(roots) == 1 else None
        self._header = {preview.key: (preview, name) for preview, name in named}
        self._first: dict[tuple[str, int, str], _Part] = {}
        self._returned: dict[tuple[str, int, str], list[_Part]] = {}
        listed = {node.id for node in nodes}
        for item in lines.analysis.once(find_error_origins):
            if item.origin.id in listed:
                preview = lines.previews(item.origin)[1]
                part = _Part(item.origin, item.origin.id, _FAILED, preview, True, 0)
                self._first.setdefault(preview.key, part)

    def refer(self, part: _Part) -> bool:
        """Makes the part a reference where its text stood before; False where it is no news."""
        preview, is_root = part.preview, part.node is self._root
        length = len(preview.key[0])
        shown, name = self._header.get(preview.key, (None, ""))
        if shown and (is_root or length >= _LEAST_OF_HEADER):
            how = _compare_previews(preview, shown)
            part.reference = f"{how}{name}" if how is not None else ""
            if how is not None:
                return bool(how) or not is_root
        if length < _LEAST_REPEATED and part.label != _FAILED:
            return True
        first = self._first.setdefault(preview.key, part)
        if part.label == _IN and first.label != _IN and first is not part:
            first = self._find_source(part, first)
        elif part.label != _IN:
            self._returned.setdefault(preview.key, []).append(part)
        if first is part or (how := _compare_previews(preview, first.preview)) is None:
            return True
        if first.node is not part.node:
            part.same_as = first.node
            same = "same error as" if part.label == _FAILED else "" if how else "same as"
            part.reference = how + (same if first.label == part.label else _REFERENCES[first.label])
            if part.label == _IN and not _precedes(first, part):
                part.reference = how + "later the " + _REFERENCES[first.label]
        elif first.label != part.label:
            part.reference = f"{how}its input" if how else "same as its input"
        part.reference = part.reference.strip()
        return True

    def _find_source(self, part: _Part, first: _Part) -> _Part:
        """What a span was given from: of the outputs that had ended before it began, the latest;
        else the first text."""
        latest = self._returned.get(part.preview.key, [])[-_SOURCES_COMPARED:]
        ended = [each for each in (first, *latest) if _precedes(each, part)]
        ended.sort(key=lambda each: -each.node.end)
        compare = partial(_compare_previews, part.preview)
        return next((each for each in ended if compare(each.preview) is not None), first)


def _precedes(source: _Part, part: _Part) -> bool:
    """Whether a span could be given what the source shows: an output has to be there before."""
    return source.label == _IN or source.node.end <= part.node.start + CLOCK_TOLERANCE


def _compare_previews(preview: Preview, before: Preview) -> str | None:
    """What to say of a preview before the name of one that shows the same: nothing where the
    values are equal; None where the earlier one does not show it."""
    if preview.equals(before):
        return "cut, begins as " if preview.is_cut else ""
    if preview.messages and not preview.is_cut and preview.shows_same(before):
        return f"{label_last(len(preview.messages))} as in "
    return None


def _rank_part(part: _Part) -> tuple[bool, bool, bool, bool, int]:
    return part.label == _SYSTEM, not part.important, part.folded, part.label == _IN, part.place


def _most(part: _Part, length: int) -> int:
    if part.label == _SYSTEM:
        return min(length, _SYSTEM_TOKENS)
    if part.folded and not part.node.children:
        return max(_LENGTHS[-1], length // _FOLDED)
    return length * _IMPORTANT if part.important else length


def _choose_length(parts: Sequence[_Part], budget_tokens: int) -> int:
    """The tokens of one preview so that all fit, or the fewest."""
    counted = [part for part in parts if part.label != _SYSTEM]
    for length in _LENGTHS:
        total = sum([min(part.tokens, _SEPARATOR + _most(part, length)) for part in counted])
        if total <= budget_tokens:
            return length
    return _LENGTHS[-1]


def _count_tokens(part: _Part) -> int:
    """The tokens of a whole preview, or fewer where it is longer than any that is shown."""
    text = part.preview.text()
    least = len(text) // LONGEST_TOKEN
    return least if least >= _most(part, _LENGTHS[0]) else estimate_tokens(text)


def _cut_preview(part: _Part, most: int) -> tuple[str, int]:
    """The text of a preview in at most so many tokens, and how many it has."""
    preview, limit = part.preview, min(LONGEST, most * LONGEST_TOKEN)
    text = preview.text(limit)
    is_counted = len(preview.whole) < limit  # see `_count_tokens`
    tokens = part.tokens - _SEPARATOR if is_counted else estimate_tokens(text)
    while tokens > most:
        text = preview.text(max(1, len(text) * most // (tokens + 1)))
        tokens = estimate_tokens(text)
    return text, tokens
