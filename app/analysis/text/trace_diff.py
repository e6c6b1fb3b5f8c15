"""What differs between two spans, two subtrees or two traces."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from app.analysis.error_origins import error_message, error_signature
from app.analysis.spending import NO_SPENDING, TokensAndCost, sum_spending
from app.analysis.text.lines import format_spending
from app.analysis.text.one_line import format_count, format_duration, one_line, without_numbers
from app.analysis.text.run_differences import ComparedRuns, find_run_differences
from app.analysis.text.token_budget import Alias, BudgetedText
from app.analysis.text.value_diff import ValueChange, diff_values, format_changes
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

DEFAULT_BUDGET = 2_000  # tokens, as many as a page of a view
_CLOSING = 40  # tokens kept for the last line, which counts what did not fit
_MOST_LINES = 400  # more than any budget holds; bounds the work of comparing
_CHANGES_READ = 1_000  # changed paths read of one body; more are of one list and share a line
_CHANGES_OF_PAIR = 4  # lines on one body of a pair below; the first would hide the decisive one
_PAIRS = 8  # pairs of spans whose bodies are compared: most later ones differ because these do
_ERRORS_SHOWN = 20  # kinds of errors of a side, a line each
_LEAST_SHIFT = 0.02  # share of the longer side: smaller changes of time are noise


@dataclass(frozen=True, slots=True)
class ComparedSide:
    """One of the two things compared: a whole trace, or the span `root` with all below it.

    `label` is how the reader knows a trace.
    """

    analysis: TraceAnalysis
    root: Node | None = None
    label: str = "trace"

    def nodes(self) -> Sequence[Node]:
        return self.analysis.tree.below(self.root) if self.root else self.analysis.tree.nodes

    def duration(self) -> int:
        return self.root.duration if self.root else self.analysis.profile.duration

    def spend(self) -> TokensAndCost:
        return sum_spending(self.analysis.profile.own_spend[node.index] for node in self.nodes())

    def body(self, field: str) -> tuple[bool, Any]:
        """Whether input, output or metadata was read, and its value."""
        if self.root is None:
            return True, getattr(self.analysis.trace, field)
        return self.root.id in self.analysis.bodies, getattr(self.root.span, field)

    def title(self, alias: Alias) -> str:
        if self.root is not None:
            return f"{alias(self.root.id)} {one_line(self.root.name)}"
        return f"{self.label} {one_line(self.analysis.trace.name or 'unnamed')}"


def format_difference(
    a: ComparedSide, b: ComparedSide, *, alias: Alias, budget_tokens: int = DEFAULT_BUDGET
) -> str:
    """How `b` differs from `a`: totals, errors, structure, time by name, spend by model, and the
    changed paths of inputs, outputs and metadata. Bounded; what did not fit is counted."""
    lines = list(islice(_difference_lines(a, b, alias), _MOST_LINES))
    sheet = BudgetedText(budget_tokens)
    shown = sheet.fill(lines, keep=_CLOSING)
    if shown < len(lines):
        left = format_count(len(lines) - shown, "more line")
        sheet.add(f"{left} of differences did not fit; compare smaller parts")
    return sheet.text()


def _difference_lines(a: ComparedSide, b: ComparedSide, alias: Alias) -> Iterator[str]:
    yield f"A: {_format_totals(a, alias)}"
    yield f"B: {_format_totals(b, alias)}"
    yield f"B takes {_format_ratio(a.duration(), b.duration())} of A's time"
    whole = a.root is None and b.root is None
    changes = {field: _compare_body(a, b, field) for field in ("input", "output", "metadata")}
    short = {
        field: [each for each in found if not each.is_long] for field, found in changes.items()
    }
    long = {field: [each for each in found if each.is_long] for field, found in changes.items()}
    equal: list[str] = []
    found = [
        *(find_run_differences(ComparedRuns(a.analysis, b.analysis, alias)) if whole else ()),
        *(_compare_facts(a.root, b.root) if a.root and b.root else ()),
        *format_changes(short["input"]),
        *_compare_errors(a, b),
        *format_changes(short["output"]),
        *_compare_structure(a, b),
        *_compare_times(a, b),
        *_compare_models(a, b),
        *format_changes(long["input"] + long["output"]),
        *_compare_pairs(a, b, alias, equal),
        *format_changes(changes["metadata"]),
    ]
    if not found:
        yield "No other difference in structure, errors, spend or in what was read of the bodies."
    yield from found
    yield from equal


def _format_totals(side: ComparedSide, alias: Alias) -> str:
    nodes = side.nodes()
    failed = sum(1 for node in nodes if node.error is not None)
    facts = [format_duration(side.duration()), format_count(len(nodes), "span")]
    facts += [f"{failed} failed"] if failed else []
    return ", ".join([side.title(alias), *facts, *format_spending(side.spend())])


def _format_ratio(before: float, after: float) -> str:
    if not before:
        return "an unknown multiple" if after else "1.0 times"
    return f"{after / before:.2f} times"


def _compare_errors(a: ComparedSide, b: ComparedSide) -> Iterator[str]:
    """Errors that one side has; those that differ in numbers and ids are one."""
    mine, theirs = _error_texts(a), _error_texts(b)
    for side, own, other in (("A", mine, theirs), ("B", theirs, mine)):
        for key, texts in own.items():
            if key not in other:
                times = f" ({len(texts):,} times" if len(texts) > 1 else ""
                times += f"{', other numbers' if len(set(texts)) > 1 else ''})" if times else ""
                yield f"error only in {side}: {texts[0]}{times}"


def _error_texts(side: ComparedSide) -> Mapping[tuple[str, str], list[str]]:
    """The errors of each name and kind, of the first kinds."""
    found: dict[tuple[str, str], list[str]] = {}
    for node in side.nodes():
        if node.error is not None:
            text = f"{node.title}: {error_message(node.error)}"
            key = (without_numbers(node.name), error_signature(node.error))
            if key in found or len(found) < _ERRORS_SHOWN:
                found.setdefault(key, []).append(one_line(text, limit=240))
    return found


def _compare_structure(a: ComparedSide, b: ComparedSide) -> Iterator[str]:
    """Places of the tree, as names from the top, that one side has more often."""
    mine, theirs = _count_places(a), _count_places(b)
    for place in dict.fromkeys([*mine, *theirs]):
        one, other = mine.get(place, 0), theirs.get(place, 0)
        if one != other:
            yield f"structure: {one:,} → {other:,} × {place}"


def _count_places(side: ComparedSide) -> Mapping[str, int]:
    top = side.root.depth if side.root else 0
    counts: dict[str, int] = {}
    names: dict[int, str] = {}
    for node in side.nodes():
        depth = node.depth - top
        own = "(top)" if node is side.root else one_line(node.name, limit=40)
        above = names.get(depth - 1, "")
        place = own if not above else f"{above} > {own}"
        names[depth] = one_line(place, limit=200)
        counts[names[depth]] = counts.get(names[depth], 0) + 1
    return counts


def _compare_times(a: ComparedSide, b: ComparedSide) -> Iterator[str]:
    """Names by how much their own time changed, the greatest shift first."""
    mine, theirs = _own_time_by_name(a), _own_time_by_name(b)
    whole = max(a.duration(), b.duration(), 1)
    shifts = [
        (theirs.get(name, 0) - mine.get(name, 0), name) for name in dict.fromkeys([*mine, *theirs])
    ]
    shifts.sort(key=lambda shift: (-abs(shift[0]), shift[1]))
    for shift, name in shifts[:10]:
        if abs(shift) >= _LEAST_SHIFT * whole:
            before, after = format_duration(mine.get(name, 0)), format_duration(theirs.get(name, 0))
            sign = "+" if shift > 0 else ""
            yield f"own time of {name}: {before} → {after} ({sign}{format_duration(shift)})"


def _own_time_by_name(side: ComparedSide) -> Mapping[str, int]:
    times: dict[str, int] = {}
    for node in side.nodes():
        name = node.title
        times[name] = times.get(name, 0) + side.analysis.profile.own_time[node.index]
    return times


def _compare_models(a: ComparedSide, b: ComparedSide) -> Iterator[str]:
    mine, theirs = _usage_by_model(a), _usage_by_model(b)
    for model in dict.fromkeys([*mine, *theirs]):
        (calls, spent), (calls_after, spent_after) = (
            each.get(model, _NONE) for each in (mine, theirs)
        )
        if (calls, spent) != (calls_after, spent_after):
            old, new = (", ".join(format_spending(s)) or "no usage" for s in (spent, spent_after))
            yield f"model {model}: {calls:,} → {calls_after:,} calls, {old} → {new}"


_NONE: tuple[int, TokensAndCost] = (0, NO_SPENDING)


def _usage_by_model(side: ComparedSide) -> Mapping[str, tuple[int, TokensAndCost]]:
    models: dict[str, tuple[int, TokensAndCost]] = {}
    for node in side.nodes():
        if node.span.model:
            key = one_line(node.span.model, limit=60)
            count, spend = models.get(key, _NONE)
            added = side.analysis.profile.own_spend[node.index]
            models[key] = (count + 1, sum_spending((spend, added)))
    return models


def _compare_body(a: ComparedSide, b: ComparedSide, field: str) -> list[ValueChange]:
    (read_a, old), (read_b, new) = a.body(field), b.body(field)
    if not (read_a and read_b):
        return [ValueChange(field, f"not read of {'B' if read_a else 'A'}, so not compared")]
    return list(islice(diff_values(old, new, field), _CHANGES_READ))


def _compare_facts(one: Node, other: Node) -> Iterator[str]:
    """What is recorded of a span beside its bodies, where it differs."""
    for field in ("name", "type", "model", "provider", "tags"):
        values = (getattr(one.span, field), getattr(other.span, field))
        yield from format_changes(diff_values(*values, field))


def _compare_pairs(
    a: ComparedSide, b: ComparedSide, alias: Alias, equal: list[str]
) -> Iterator[str]:
    """Spans at the same place on both sides whose input or output differs, the first few; their
    models too, unless whole runs are compared, whose steps are compared elsewhere. To `equal` it
    adds a line about the others, where there is one to add."""
    shown = pairs = read = 0
    for one, other in _match_spans(a, b):
        pairs += 1
        lines = list(_compare_facts(one, other)) if a.root else []
        if one.id in a.analysis.bodies and other.id in b.analysis.bodies:
            read += 1
            lines += _compare_sides(one, other)
        if lines:
            pair = f"{alias(one.id)} and {alias(other.id)} {one.title}"
            yield from (f"{pair}: {line}" for line in lines)
            shown += 1
        if shown >= _PAIRS:
            return
    if a.root and b.root and read > shown and pairs + 1 == len(a.nodes()) == len(b.nodes()):
        count = "all" if read - shown == pairs else f"{read - shown:,} of"
        left = f" ({pairs - read:,} not read)" if pairs > read else ""
        equal.append(f"spans below with equal inputs and outputs: {count} {pairs:,} pairs{left}")


def _compare_sides(one: Node, other: Node) -> Iterator[str]:
    """How inputs and outputs of a pair differ, in a few lines."""
    for field in ("input", "output"):
        old, new = getattr(one.span, field), getattr(other.span, field)
        changed = format_changes(islice(diff_values(old, new, field), _CHANGES_READ))
        yield from changed[:_CHANGES_OF_PAIR]
        if len(changed) > _CHANGES_OF_PAIR:
            yield f"{field}: {len(changed) - _CHANGES_OF_PAIR} more differences"


def _match_spans(a: ComparedSide, b: ComparedSide) -> Iterator[tuple[Node, Node]]:
    """Pairs of the n-th span of each place, the tops of compared spans left out."""
    waiting = dict(_number_spans(a))
    for key, node in _number_spans(b):
        if key in waiting:
            yield waiting[key], node


def _number_spans(side: ComparedSide) -> Iterator[tuple[tuple[int, str, int], Node]]:
    top = side.root.depth if side.root else 0
    seen: dict[tuple[int, str], int] = {}
    for node in side.nodes():
        if node is side.root:
            continue
        place = (node.depth - top, node.name)
        seen[place] = seen.get(place, 0) + 1
        yield (*place, seen[place]), node
