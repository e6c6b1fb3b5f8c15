"""One value of many spans as a column with its distinct values, or several as a table."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.analysis.recorded.recorded_span import RecordedSpan
from app.analysis.text.json_path import Step, format_path
from app.analysis.text.one_line import format_count, format_duration, list_first, one_line
from app.analysis.text.span_values import (
    equals_text,
    find_outliers,
    is_missing,
    is_unread,
    read_value,
    show_apart,
    show_value,
    value_key,
)
from app.analysis.text.token_budget import Alias, Line
from app.analysis.text.value_pieces import is_for_machines
from app.analysis.tree import Node

Row = tuple[Node, RecordedSpan]
"""A span and what was recorded of it; rows are in the order of time."""

_NAMED = 12  # spans named with one value; others are counted
_REPEATED = 6  # repeated values named where most differ
_OUTLIERS = 6  # outliers named of one column
_COLUMNS = {"input": 6, "output": 4}  # columns that a table chooses: what fits on a line
_CALL_FACTS = ("prompt_tokens", "completion_tokens")  # what most is asked about of model calls
_CELL = 40  # characters of a cell
_EQUAL_SHOWN = 8  # values named that are equal in all rows
_PATHS_READ = 200  # different paths of a table's rows: more are keys that are data
_ROWS_LOOKED_AT = 5  # of which paths are named where nothing was found
_OFTEN = 0.5  # share of the rows that have a path for it to be a column


def describe_column(
    rows: Sequence[Row], steps: Sequence[Step], *, alias: Alias, not_equal: str | None = None
) -> tuple[str, list[Line]]:
    """A title that counts, and lines: distinct values with the spans that have them, the most
    frequent first; where most differ those that are repeated, then one line a span; with
    `not_equal` only the spans that have another value. Spans of a name of which none has the value
    are only counted."""
    rows, values, others = _keep_names_with(rows, steps)
    shown = show_apart(values)
    groups: dict[Hashable, list[int]] = {}
    for place, value in enumerate(values):
        groups.setdefault(value_key(value), []).append(place)
    absent, unread = sum(map(is_missing, values)), sum(map(is_unread, values))
    title = f"{one_line(format_path(steps))} of {format_count(len(rows), 'span')}"
    if not_equal is not None:
        kept = [i for i, value in enumerate(values) if not equals_text(value, not_equal)]
        title += f": {len(kept):,} not equal to “{one_line(not_equal, limit=60)}”"
        return title, [partial(_format_value_of, rows[i], shown[i], alias) for i in kept]
    title += f": {format_count(len(groups) - bool(absent) - bool(unread), 'distinct value')}"
    title += f", {absent:,} without it" if absent else ""
    title += f", {unread:,} not read" if unread else ""
    title += f"; {format_count(others, 'span')} of other names without it" if others else ""
    if absent == len(rows):
        return title, _describe_paths(rows, steps)
    lines = _describe_numbers(rows, values, alias)
    lines += _describe_outliers(rows, values, alias)
    by_count = sorted(groups.values(), key=len, reverse=True)
    mostly_distinct = len(groups) > len(rows) / 2
    if mostly_distinct:
        by_count = [places for places in by_count[:_REPEATED] if len(places) > 1]
    lines += [
        partial(_format_value_count, shown[places[0]], [rows[i] for i in places], alias)
        for places in by_count
    ]
    if mostly_distinct:
        pairs = zip(rows, shown, strict=True)
        lines += [partial(_format_value_of, row, text, alias) for row, text in pairs]
    return title, lines


def _keep_names_with(
    rows: Sequence[Row], steps: Sequence[Step]
) -> tuple[Sequence[Row], list[Any], int]:
    """The rows with their values, without those of names of which no span has a value, and how many
    these are; all of them where none has one."""
    values = [read_value(node, view, steps) for node, view in rows]
    pairs = list(zip(rows, values, strict=True))
    named = {node.name for (node, _), value in pairs if not is_missing(value)}
    kept = [pair for pair in pairs if pair[0][0].name in named] or pairs
    return [row for row, _ in kept], [value for _, value in kept], len(pairs) - len(kept)


def _format_value_of(row: Row, text: str, alias: Alias) -> str:
    return f"{_name_row(row, alias)}: {text}"


def _format_value_count(text: str, rows: Sequence[Row], alias: Alias) -> str:
    names = [alias(node.id) for node, _ in rows[:_NAMED]]
    return f"{text} × {len(rows):,}: {list_first(names, len(rows))}"


def _describe_paths(rows: Sequence[Row], steps: Sequence[Step]) -> list[Line]:
    """What there is instead of a value that no span has: paths that end alike, else any."""
    alike: dict[str, None] = {}
    paths: dict[str, None] = {}
    for place, row in enumerate(rows):
        for field in _COLUMNS:
            for path, _ in _iterate_leaves(row, field):
                ends_alike = path[-1] == steps[-1]
                if ends_alike or place < _ROWS_LOOKED_AT:
                    shown = one_line(format_path(path), limit=60)
                    (alike if ends_alike else paths)[shown] = None
    found = list(alike or paths)
    text = f"no span has it; there are {list_first(found[:_NAMED], len(found))}"
    return [lambda: text]


def _name_row(row: Row, alias: Alias) -> str:
    return f"{alias(row[0].id)} {one_line(row[0].name, limit=40)}"


def _describe_numbers(rows: Sequence[Row], values: Sequence[Any], alias: Alias) -> list[Line]:
    numbers = [
        (value, rows[place][0])
        for place, value in enumerate(values)
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    if len({value for value, _ in numbers}) < 3:
        return []
    numbers.sort(key=lambda pair: pair[0])
    (low, first), (high, last) = numbers[0], numbers[-1]
    middle = numbers[(len(numbers) - 1) // 2][0]
    return [
        lambda: (
            f"lowest {show_value(low)} ({alias(first.id)}), median {show_value(middle)},"
            f" highest {show_value(high)} ({alias(last.id)})"
        )
    ]


def _describe_outliers(
    rows: Sequence[Row],
    values: Sequence[Any],
    alias: Alias,
    *,
    label: str = "outliers",
    of_list: bool = False,
) -> list[Line]:
    """The values that stand out; `of_list` says that one is missing where a list is shorter."""
    places = [i for i in find_outliers(values) if not (of_list and is_missing(values[i]))]

    def write() -> str:
        named = [f"{alias(rows[i][0].id)} {show_value(values[i])}" for i in places[:_OUTLIERS]]
        return f"{label}: {list_first(named, len(places))}"

    return [write] if places else []


def describe_table(
    rows: Sequence[Row], columns: Sequence[Sequence[Step]], *, zero: int, alias: Alias
) -> tuple[str, list[Line]]:
    """A title with the names of the columns and one line for each span; before them what is equal
    in all, and the values that stand out. Without `columns` the short values of inputs and outputs
    that differ are chosen."""
    chosen = _choose_columns(rows) if not columns else _Columns(list(columns), [])
    table = [[read_value(node, view, steps) for node, view in rows] for steps in chosen.steps]
    names = [one_line(format_path(steps), limit=60) for steps in chosen.steps]
    lines: list[Line] = []
    if chosen.equal:
        equal = list_first(chosen.equal[:_EQUAL_SHOWN], len(chosen.equal))
        lines.append(lambda: f"equal in all: {equal}")
    for steps, column, name in zip(chosen.steps, table, names, strict=True):
        of_list = any(isinstance(step, int) for step in steps)
        lines += _describe_outliers(rows, column, alias, label=f"odd in {name}", of_list=of_list)
    lines.append(lambda: " | ".join(["span", "start", "duration", *names]))
    shown = [show_apart(column, limit=_CELL) for column in table]
    lines += [
        partial(_format_row, row, [column[place] for column in shown], zero, alias)
        for place, row in enumerate(rows)
    ]
    return f"{format_count(len(rows), 'span')} in the order of time", lines


def _format_row(row: Row, cells: Sequence[str], zero: int, alias: Alias) -> str:
    node, view = row
    parts = [
        f"{alias(node.id)} {one_line(node.name, limit=40)}",
        f"+{format_duration(node.start - zero)}",
        format_duration(node.duration),
        *cells,
    ]
    if view.error is not None:
        parts.append(f"ERROR {one_line(view.error.exception_type or '', limit=40)}".rstrip())
    return " | ".join(parts)


@dataclass(frozen=True, slots=True)
class _Columns:
    """The paths that become columns, and `path: value` of those that are equal in all rows."""

    steps: list[Sequence[Step]]
    equal: list[str]


def _choose_columns(rows: Sequence[Row]) -> _Columns:
    chosen = _Columns([], [])
    calls = sum(view.is_model_call for _, view in rows)
    for fact in _CALL_FACTS if calls > _OFTEN * len(rows) else ():
        if any(not is_missing(read_value(*row, (fact,))) for row in rows):
            chosen.steps.append((fact,))
    for field, most in _COLUMNS.items():
        found: dict[Sequence[Step], list[Any]] = {}
        for row in rows:
            for path, value in _iterate_leaves(row, field):
                if path in found or len(found) < _PATHS_READ:
                    found.setdefault(path, []).append(value)
        count = 0
        for path, values in sorted(found.items(), key=lambda item: -len(item[1])):
            if len(values) == len(rows) and len(set(map(value_key, values))) == 1:
                if values[0] is None and calls:
                    continue  # what SDKs write into each reply of a model
                shown = show_value(values[0], limit=_CELL)
                chosen.equal.append(f"{one_line(format_path(path), limit=60)} {shown}")
            elif len(values) >= _OFTEN * len(rows) and count < most:
                chosen.steps.append(path)
                count += 1
    return chosen


def _iterate_leaves(row: Row, field: str) -> Iterator[tuple[Sequence[Step], Any]]:
    for leaf in getattr(row[1], field).leaves[:_PATHS_READ]:
        if leaf.path and is_for_machines(str(leaf.path[-1]), leaf.value):
            continue
        if leaf.path or leaf.value is not None:
            yield (field, *leaf.path), leaf.value
