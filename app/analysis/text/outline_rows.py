"""The rows of an outline's tree, as text."""

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from app.analysis.error_origins import find_reported_origins
from app.analysis.recorded.computed_once import computed_once
from app.analysis.spending import read_spending, sum_spending
from app.analysis.text.lines import PATH_MARK, format_span, format_spending
from app.analysis.text.one_line import format_count, format_duration, list_first, one_line
from app.analysis.text.previews import Preview, preview_input, preview_output
from app.analysis.text.token_budget import Alias
from app.analysis.text.turned_calls import find_turned
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import CLOCK_TOLERANCE, Node

_DEEPEST_INDENT = 16  # deeper levels are not indented further: spaces cost tokens too
_NAMES_SHOWN = 4  # names of a stretch: enough to recognise what goes on in it
_NAME_LENGTH = 40  # as where spans are named elsewhere
_LONGEST_CYCLE = 6  # calls of one round: plan, search, read, answer, and a few more
_LEAST_ROUNDS = 2
_NOTABLE_GAP = 0.05  # share of the trace without work before a span that is worth its start time
_NOTABLE_DELAY = 0.01  # share of the trace between the starts of two spans that run side by side


_PASSED_ON = ("", "error of a span below")


class RowKind(StrEnum):
    """SPAN: one span, and after it the step that made its prompt. FOLD: siblings in a row that did
    the same with other values, each named. GROUP: similar siblings in a row. CHAIN: spans with one
    child each. STRETCH: siblings in a row that did not fit."""

    SPAN = "span"
    FOLD = "fold"
    GROUP = "group"
    CHAIN = "chain"
    STRETCH = "stretch"


class SpanLines:
    """The lines of spans; all that follows the alias is written once, as are previews."""

    def __init__(self, analysis: TraceAnalysis) -> None:
        self.analysis = analysis
        self._written: dict[int, str] = {}
        self._previews: dict[int, tuple[Preview, Preview]] = {}

    def previews(self, node: Node) -> tuple[Preview, Preview]:
        """What a span was given, and what it returned."""
        if node.index not in self._previews:
            result = preview_output(node.view)
            if node.id in self.analysis.once(find_reported_origins):
                result = Preview([_PASSED_ON, *result.pieces[1:]])
            self._previews[node.index] = preview_input(node.view), result
        return self._previews[node.index]

    @computed_once
    def turned(self) -> Set[str]:
        """Spans that began before one that stands above them, see `find_turned`."""
        return find_turned(self.analysis, lambda node: self.previews(node)[0].pieces)

    def text(self, node: Node, *, name: str) -> str:
        """The line of a span whose alias is `name`."""
        if node.index not in self._written:
            self._written[node.index] = format_span(node, self.analysis, name="")
        return name + self._written[node.index]


@dataclass(slots=True, eq=False)
class OutlineRow:
    """One line of the tree with its `nodes`; a chain has those that lie below one another.

    `members` are rows that stand in the place of a group for which there was room after all.
    `before` is the sibling that started before the row, None for the first; `tokens` the price
    of the line while the row is closed and aliases are the longest, once it was computed.
    """

    nodes: Sequence[Node]
    kind: RowKind = RowKind.SPAN
    depth: int = 0
    before: Node | None = None
    below: "list[OutlineRow]" = field(default_factory=list)
    members: "list[OutlineRow]" = field(default_factory=list)
    tokens: int = 0

    @property
    def opens(self) -> Sequence[Node]:
        """The children that the row can be opened to; empty for rows of several siblings."""
        if self.kind in (RowKind.FOLD, RowKind.GROUP, RowKind.STRETCH):
            return ()
        return self.nodes[-1 if self.kind is RowKind.CHAIN else 0].children

    def text(self, lines: SpanLines, *, alias: Alias) -> str:
        analysis = lines.analysis
        indent = "  " * min(self.depth, _DEEPEST_INDENT)
        first = self.nodes[0]
        if self.kind is RowKind.GROUP:
            longest = max(self.nodes, key=lambda node: (node.duration, -node.index))
            return f"{indent}{_format_group(self.nodes, analysis)}; longest {alias(longest.id)}"
        if self.kind is RowKind.FOLD:
            pairs = pairwise(self.nodes)
            beside = any(later.start < node.end - CLOCK_TOLERANCE for node, later in pairs)
            return (
                indent + _format_group(self.nodes, analysis) + ("; side by side" if beside else "")
            )
        if self.kind is RowKind.STRETCH:
            return indent + _format_stretch(self.nodes, alias)
        if self.kind is RowKind.CHAIN:
            names = f"{one_line(first.name, limit=40)} … {one_line(self.nodes[-1].name, limit=40)}"
            return f"{indent}{len(self.nodes):,} spans, each the only child of the last: {names}"
        line = indent + lines.text(first, name=alias(first.id))
        if _starts_unexpectedly(first, self.before, analysis) or first.id in lines.turned:
            line += f", at {format_duration(first.start - analysis.profile.start)}"
        if len(self.nodes) > 1:
            step = self.nodes[1]
            line += f", prompt of {alias(step.id)} {one_line(step.name, limit=_NAME_LENGTH)}"
        hidden = first.size - 1
        return f"{line} (+{hidden:,} below)" if hidden and not self.below else line


def _starts_unexpectedly(node: Node, before: Node | None, analysis: TraceAnalysis) -> bool:
    """Whether a span runs beside the sibling before it, or long after it."""
    if before is None:
        return False
    whole = max(1, analysis.profile.duration)
    if node.start < before.end - CLOCK_TOLERANCE:
        return node.start - before.start > _NOTABLE_DELAY * whole
    return node.start - before.end > _NOTABLE_GAP * whole


def _format_group(nodes: Sequence[Node], analysis: TraceAnalysis) -> str:
    """`12 × search [tool] 80 ms to 1.20 s, together 3.40 s`."""
    times = [node.duration for node in nodes]
    first = nodes[0]
    on_path = any(node.id in analysis.profile.on_path for node in nodes)
    mark = f"{PATH_MARK} " if on_path else ""
    others = "" if all(node.name == first.name for node in nodes) else " and similar"
    kind = one_line(first.span.type or "general", limit=20)
    text = (
        f"{mark}{len(nodes):,} × {one_line(first.name)}{others} [{kind}]"
        f" {format_duration(min(times))} to {format_duration(max(times))}, together"
        f" {format_duration(sum(times))}"
    )
    total = sum_spending(read_spending(node) for node in nodes)
    return "; ".join([text, *format_spending(total), *_count_failed_and_below(nodes)])


def _count_failed_and_below(nodes: Sequence[Node]) -> list[str]:
    failed = sum(node.error is not None for node in nodes)
    below = sum(node.size - 1 for node in nodes)
    facts = [f"{failed:,} failed"] if failed else []
    return [*facts, f"{below:,} spans below"] if below else facts


def _format_stretch(nodes: Sequence[Node], alias: Alias) -> str:
    """`24 more spans here: 12 × (search, answer), 3.40 s; see get_trace_data(…)`."""
    first = nodes[0]
    whole = max(node.end for node in nodes) - first.start
    facts = [_describe_order([node.name for node in nodes]), f"in {format_duration(whole)}"]
    facts += _count_failed_and_below(nodes)
    if first.parent is None:
        call = f'sort="start", offset={first.index}'
    else:
        offset = first.index - first.parent.index
        call = f'root="{alias(first.parent.id)}", sort="start", offset={offset}'
    more = format_count(len(nodes), "more span")
    return f"{more} here: {'; '.join(facts)}; see get_trace_data({call})"


def _describe_order(names: Sequence[str]) -> str:
    """The names in the order of time: rounds of a cycle as such, else the first ones and how many
    there are of each."""
    for length in range(1, _LONGEST_CYCLE + 1):
        rounds = len(names) // length
        if rounds < _LEAST_ROUNDS:
            break
        cycle = names[:length]
        if all(name == cycle[place % length] for place, name in enumerate(names)):
            inner = ", ".join(map(_short_name, cycle))
            rest = f" and {len(names) - rounds * length} more" if len(names) % length else ""
            return f"{rounds:,} × ({inner}){rest}" if length > 1 else f"{rounds:,} × {inner}"
    common = Counter(names).most_common(_NAMES_SHOWN)
    if common[0][1] == 1:
        return list_first([_short_name(name) for name in names[:_NAMES_SHOWN]], len(names))
    counts = ", ".join(f"{count:,} × {_short_name(name)}" for name, count in common)
    more = len(set(names)) - len(common)
    return counts + (f" and {more:,} more names" if more else "") + " in changing order"


def _short_name(name: str) -> str:
    return one_line(name, limit=_NAME_LENGTH)
