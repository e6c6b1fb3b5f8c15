"""Previews of inputs and outputs in an outline: the room left is shared out between its rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.analysis.recorded.body import Body
from app.analysis.text.previews import LONGEST, Preview, preview_body, preview_input, preview_output
from app.analysis.text.token_budget import Alias
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node
from app.token_estimate import LONGEST_TOKEN, estimate_tokens

# Tokens of one preview, the most that fits for all rows is taken: 48 are some 30 words, enough for
# a short answer; below 10 nothing can be recognised.
_LENGTHS = (48, 36, 28, 20, 14, 10)
_IMPORTANT = 2  # times as much for spans of findings and failed ones
_SEPARATOR = 5  # tokens of ` | out: ` before a preview
_REFERENCE = 10  # tokens of `same as s00000` with its separator
_LEAST_REPEATED = 24  # characters: shorter texts are equal by chance
_COMPARED = 200  # characters of a preview that are compared with others
_SPANS_OF_FINDING = 4  # the culprit, and enough others to see the pattern


@dataclass(slots=True)
class _Part:
    """One side of a span: what it was given or what it returned.

    `same_as` is an earlier span that returned the same.
    """

    node: Node
    label: str
    preview: Preview
    important: bool
    place: int
    tokens: int = 0
    same_as: Node | None = None
    shown: str = ""


@dataclass(slots=True)
class RowPreviews:
    """The previews of rows by span id."""

    _parts: dict[str, list[_Part]] = field(default_factory=dict)

    def text(self, node: Node, alias: Alias) -> str:
        """What to append to the line of a span; may be empty."""
        shown = ""
        for part in self._parts.get(node.id, ()):
            if part.same_as is not None:
                shown += f" | {part.label} same as {alias(part.same_as.id)}"
            elif part.shown:
                shown += f" | {part.label} {part.shown}"
        return shown


def plan_previews(
    nodes: Sequence[Node], analysis: TraceAnalysis, *, known: Sequence[Any], budget_tokens: int
) -> RowPreviews:
    """Previews of these spans, given in reading order, within the budget. `known` are recorded
    values that stand before the rows.

    Each is as long as the budget allows for all; where it is too small for that, spans of findings
    and failed ones come first, then what was returned, then what was given. A text that stands in
    an earlier row or before them is not shown again.
    """
    parts = list(_collect_parts(nodes, analysis, known))
    for part in parts:
        part.tokens = _REFERENCE if part.same_as else _SEPARATOR + _count_tokens(part)
    length = _choose_length(parts, budget_tokens)
    left = budget_tokens
    chosen: dict[str, list[_Part]] = {}
    for part in sorted(parts, key=_rank_part):
        if left <= _SEPARATOR:
            break
        price = part.tokens
        if part.same_as is None:
            part.shown, tokens = _cut_preview(part, _most(part, length))
            price = _SEPARATOR + tokens
        if price <= left:
            left -= price
            chosen.setdefault(part.node.id, []).append(part)
    for found in chosen.values():
        found.sort(key=lambda part: part.label != "in:")
    return RowPreviews(chosen)


def _collect_parts(
    nodes: Sequence[Node], analysis: TraceAnalysis, shown_before: Sequence[Any]
) -> Iterator[_Part]:
    """Inputs and outputs that say something new, in reading order."""
    important = {
        span_id for item in analysis.findings for span_id in item.spans[:_SPANS_OF_FINDING]
    }
    returned: dict[str, Node] = {}
    before = {_comparison_key(preview_body(Body(value))) for value in shown_before}
    known = set(before)
    for place, node in enumerate(nodes):
        matters = node.id in important or node.error is not None
        given, result = preview_input(node.view), preview_output(node.view)
        key = _comparison_key(given)
        if key and (node.view.calls_tool or key not in known):
            yield _Part(node, "in:", given, matters, place)
        key_of_result = _comparison_key(result)
        if key_of_result:
            label = "failed:" if result.failed else "out:"
            part = _Part(node, label, result, matters, place)
            if len(key_of_result) >= _LEAST_REPEATED:
                part.same_as = returned.setdefault(key_of_result, node)
                part.same_as = None if part.same_as is node else part.same_as
            shown_above = part.same_as is not None and node.error is not None
            if not shown_above and (part.same_as is not None or key_of_result not in before):
                yield part
        known |= {key, key_of_result}


def _comparison_key(preview: Preview) -> str:
    return " ".join(text for _, text in preview.pieces)[:_COMPARED].casefold()


def _rank_part(part: _Part) -> tuple[bool, bool, int]:
    return not part.important, part.label == "in:", part.place


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
