"""Numbers that a model gives in another unit than the result they come from: days as hours, francs
as euros.

The number is the same, its unit is not, and the text does not name the right one anywhere.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.body import Body
from app.analysis.recorded.leaves import Path
from app.analysis.recorded.unit_words import (
    UNIT_KEYS,
    Unit,
    keep_unit_keys,
    names_unit,
    read_unit,
    unit_of_name,
    units_beside,
)
from app.analysis.text.amounts import spells
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls, list_read_steps
from app.analysis.tree import Node

_CONFIDENCE = 0.75
_LEAVES_READ = 200  # of one result
_TEXT_READ = 6_000  # characters of a reply
_BESIDE_READ = 24  # characters on each side of a number
_REPLIES_READ = 20  # of models after a result
_MOST_AMOUNTS = 60  # of one result: more are a table
_LEAST_MONEY = 10  # smaller amounts of money occur by chance
_LEAST_MEASURE = 2
_MOST_FOUND = 3


class _Amounts(NamedTuple):
    """The numbers of a result that are in one unit."""

    unit: Unit
    numbers: Sequence[float]
    source: Node


def find_restated_units(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most 3 replies of models, the earliest first."""
    steps = [node for node in analysis.once(list_read_steps) if _may_state(node)]
    results = [amounts for node in steps for amounts in _read_amounts(node)]
    if results:
        yield from islice(_find_replies(results, analysis), _MOST_FOUND)


def _may_state(node: Node) -> bool:
    return node.view.calls_outside and bool(keep_unit_keys(node.view.output.keys))


def _read_amounts(node: Node) -> Iterator[_Amounts]:
    leaves = list(node.view.output.first_leaves(_LEAVES_READ))
    stated = [
        (path[:-1], unit)
        for path, key, value in leaves
        if key in UNIT_KEYS and isinstance(value, str) and (unit := read_unit(value))
    ]
    found: dict[Unit, dict[float, None]] = {}
    for path, _, value in leaves:
        unit = unit_of_name(path) or _unit_around(path, stated)
        if unit is None or type(value) not in (int, float):
            continue
        if value >= (_LEAST_MONEY if unit.dimension == "money" else _LEAST_MEASURE):
            found.setdefault(unit, {}).setdefault(float(value))
    for unit, numbers in found.items():
        if len(numbers) <= _MOST_AMOUNTS:
            yield _Amounts(unit, tuple(numbers), node)


def _unit_around(path: Path, stated: Sequence[tuple[Path, Unit]]) -> Unit | None:
    """The unit that the object of a number states, or the nearest one around it."""
    around = [each for each in stated if path[: len(each[0])] == each[0]]
    return max(around, key=lambda each: len(each[0]))[1] if around else None


def _find_replies(stated: Sequence[_Amounts], analysis: TraceAnalysis) -> Iterator[Finding]:
    replies = sorted(analysis.once(list_model_calls), key=lambda node: (node.start, node.index))
    units: dict[float, set[Unit]] = {}
    for amounts in stated:
        for number in amounts.numbers:
            units.setdefault(number, set()).add(amounts.unit)
    for amounts in stated:
        if not amounts.source.view.calls_outside:
            continue
        later = (node for node in replies if node.start >= amounts.source.end)
        for node in islice(later, _REPLIES_READ):
            text = node.view.reply.text[:_TEXT_READ]
            found = _find_other_unit(text, amounts, units) if text else None
            if found is not None and not _is_given(*found, analysis):
                yield _build_finding(node, amounts, *found)
                break


def _find_other_unit(
    text: str, amounts: _Amounts, units: dict[float, set[Unit]]
) -> tuple[float, Unit] | None:
    """A number of a result that a text has in another unit of the same kind only, and that unit;
    None where the text names the right one somewhere."""
    for number in amounts.numbers:
        if len(units[number]) > 1:
            continue
        for found in spells(number).finditer(text):
            before = text[max(0, found.start() - _BESIDE_READ) : found.start()]
            beside = units_beside(before, text[found.end() : found.end() + _BESIDE_READ])
            alike = [unit for unit in beside if unit.dimension == amounts.unit.dimension]
            if alike and amounts.unit not in beside:
                if names_unit(text, amounts.unit):
                    return None
                return number, alike[0]
    return None


def _is_given(number: float, unit: Unit, analysis: TraceAnalysis) -> bool:
    """Whether the input of the trace has the number in that unit, or a call asks for amounts in
    it."""
    text = Body(analysis.trace.input).canonical[:_TEXT_READ]
    if spells(number).search(text):
        return True
    for node in analysis.once(list_read_steps):
        if node.view.calls_outside:
            for leaf in node.view.input.first_leaves(_LEAVES_READ):
                if isinstance(leaf.value, str) and read_unit(leaf.value) == unit:
                    return True
    return False


def _build_finding(node: Node, amounts: _Amounts, number: float, unit: Unit) -> Finding:
    name, source = (one_line(each.name, limit=60) for each in (node, amounts.source))
    sentence = (
        f"{source} returned {number:g} in {amounts.unit.sign}, and {name} wrote of {number:g} in"
        f" {unit.sign}."
    )
    return build_finding(Category.LOST_VALUE, _CONFIDENCE, sentence, [node, amounts.source])
