"""Previews of inputs and outputs in an outline: the room left is shared out between its rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.analysis.error_origins import find_error_origins
from app.analysis.recorded.body import Body
from app.analysis.text.previews import LONGEST, Preview, preview_body, preview_input, preview_output
from app.analysis.text.token_budget import Alias
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node
from app.token_estimate import LONGEST_TOKEN, estimate_tokens

# Tokens of one preview, the most that fits for all rows is taken: 72 are some 50 words, a short
# answer or a record; below 10 nothing can be recognised.
_LENGTHS = (72, 48, 36, 28, 20, 14, 10)
_IMPORTANT = 2  # times as much for spans of findings and failed ones
_SEPARATOR = 5  # tokens of ` | out: ` before a preview
_REFERENCE = 11  # tokens of `same error as s00000` with its separator
_LEAST_REPEATED = 24  # characters: shorter texts are equal by chance
_LEAST_OF_HEADER = 12  # characters: the same for what the header shows, of which there is little
_SPANS_OF_FINDING = 4  # the culprit, and enough others to see the pattern
_IN, _OUT, _FAILED = "in:", "out:", "failed:"
_REFERENCES = {_IN: "input of", _OUT: "output of", _FAILED: "error of"}
_HEADER_NAMES = ("the trace's input", "the trace's output")


@dataclass(slots=True)
class _Part:
    """One side of a span: what it was given or what it returned.

    `reference` stands in the place of a text that was shown before, followed by the alias of
    `same_as` where it was shown by another span.
    """

    node: Node
    label: str
    preview: Preview
    important: bool
    place: int
    tokens: int = 0
    reference: str = ""
    same_as: Node | None = None
    shown: str = ""

    def text(self, alias: Alias) -> str:
        if not self.reference:
            return self.shown
        return f"{self.reference} {alias(self.same_as.id)}" if self.same_as else self.reference


@dataclass(slots=True)
class RowPreviews:
    """The previews of rows by span id."""

    _parts: dict[str, list[_Part]] = field(default_factory=dict)

    def text(self, node: Node, alias: Alias) -> str:
        """What to append to the line of a span; may be empty."""
        shown = ""
        for part in self._parts.get(node.id, ()):
            if text := part.text(alias):
                shown += f" | {part.label} {text}"
        return shown


def plan_previews(
    nodes: Sequence[Node], analysis: TraceAnalysis, *, known: Sequence[Any], budget_tokens: int
) -> RowPreviews:
    """Previews of these spans, given in reading order, within the budget. `known` are recorded
    values that stand before the rows.

    Each is as long as the budget allows for all; where it is too small for that, spans of findings
    and failed ones come first, then what was returned, then what was given. A text that stands in
    an earlier row or before them is named and not shown again.
    """
    parts = list(_collect_parts(nodes, analysis, known))
    for part in parts:
        part.tokens = _REFERENCE if part.reference else _SEPARATOR + _count_tokens(part)
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
            chosen.setdefault(part.node.id, []).append(part)
    for found in chosen.values():
        found.sort(key=lambda part: part.label != _IN)
    return RowPreviews(chosen)


def _collect_parts(
    nodes: Sequence[Node], analysis: TraceAnalysis, header: Sequence[Any]
) -> Iterator[_Part]:
    """Inputs and outputs in reading order; those that stood before are references."""
    important = {
        span_id for item in analysis.findings for span_id in item.spans[:_SPANS_OF_FINDING]
    }
    seen = _SeenTexts(nodes, analysis, header)
    for place, node in enumerate(nodes):
        matters = node.id in important or node.error is not None
        result = preview_output(node.view)
        label = _FAILED if result.failed else _OUT
        for side, preview in ((_IN, preview_input(node.view)), (label, result)):
            part = _Part(node, side, preview, matters, place)
            if preview.pieces and seen.refer(part):
                yield part


class _SeenTexts:
    """Where texts stood first: in the header, or as the input or output of a span; the text of an
    error stands at its origin."""

    def __init__(
        self, nodes: Sequence[Node], analysis: TraceAnalysis, header: Sequence[Any]
    ) -> None:
        previews = [preview_body(Body(each)) for each in header]
        named = zip(previews, _HEADER_NAMES, strict=False)
        self._header = {preview.key: (preview, name) for preview, name in named}
        self._first: dict[tuple[str, int], _Part] = {}
        listed = {node.id for node in nodes}
        for item in analysis.once(find_error_origins):
            if item.origin.id in listed:
                preview = preview_output(item.origin.view)
                part = _Part(item.origin, _FAILED, preview, True, 0)
                self._first.setdefault(preview.key, part)

    def refer(self, part: _Part) -> bool:
        """Makes the part a reference where its text stood before; False where it is no news."""
        preview, is_root = part.preview, part.node.parent is None
        length = len(preview.key[0])
        shown, name = self._header.get(preview.key, (None, ""))
        if shown and (is_root or length >= _LEAST_OF_HEADER) and preview.equals(shown):
            part.reference = name
            return not is_root
        if length < _LEAST_REPEATED and part.label != _FAILED:
            return True
        first = self._first.setdefault(preview.key, part)
        if first is part or not preview.equals(first.preview):
            return True
        if first.node is not part.node:
            part.same_as = first.node
            same = "same error as" if part.label == _FAILED else "same as"
            part.reference = same if first.label == part.label else _REFERENCES[first.label]
        elif first.label != part.label:
            part.reference = "same as its input"
        return True


def _rank_part(part: _Part) -> tuple[bool, bool, int]:
    return not part.important, part.label == _IN, part.place


def _most(part: _Part, length: int) -> int:
    return length * _IMPORTANT if part.important else length


def _choose_length(parts: Sequence[_Part], budget_tokens: int) -> int:
    """The tokens of one preview so that all fit, or the fewest."""
    important = [part.tokens for part in parts if part.important]
    others = [part.tokens for part in parts if not part.important]
    for length in _LENGTHS:
        most, most_important = _SEPARATOR + length, _SEPARATOR + length * _IMPORTANT
        total = sum([tokens if tokens < most else most for tokens in others])
        total += sum([min(tokens, most_important) for tokens in important])
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
