"""Numbers that were returned in one unit and given on in another one, or put together with numbers
in another: pounds as kilograms, kilowatts beside megawatts."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.body import Body
from app.analysis.recorded.leaves import Path
from app.analysis.recorded.unit_words import (
    LONGEST_UNIT,
    NAME_WORDS,
    UNIT_KEYS,
    Unit,
    keep_unit_keys,
    read_unit,
    unit_of_name,
    units_in,
)
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_read_steps
from app.analysis.tree import Node

_LEAVES_READ = 400  # of one body
_WORDS = re.compile(r"[A-Za-z]+")
_FEWEST_DIGITS = 3
_FEWEST_TELLING = 2  # digits besides zeros at the end: 100 and 5,000 occur by chance
_MOST_FOUND = 5
_CONFIDENCE = 0.85


class _Amount(NamedTuple):
    """The unit of a number in the result of a span."""

    unit: Unit
    source: Node


def find_mixed_units(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most 5 calls, the earliest first."""
    read = analysis.once(list_read_steps)
    known: dict[str, list[_Amount]] = {}
    for node in read:
        if keep_unit_keys(node.view.output.keys):
            for number, unit in _read_amounts(node.view.output):
                if unit:
                    known.setdefault(number, []).append(_Amount(unit, node))
    if known:
        yield from islice(_find_calls(read, known), _MOST_FOUND)
        by_end = sorted(read, key=lambda each: (each.end, -each.index))
        relabelled = (_find_relabelled(node, known) for node in by_end)
        yield from islice(filter(None, relabelled), 1)


def _read_amounts(body: Body) -> Iterator[tuple[str, Unit | None]]:
    """The telling numbers, each with the unit that its name or its object states."""
    leaves = list(body.first_leaves(_LEAVES_READ))
    stated: dict[Path, Unit] = {}
    for path, key, value in leaves:
        if key in UNIT_KEYS and isinstance(value, str):
            unit = read_unit(value)
            if unit:
                stated[path[:-1]] = unit
    for path, _, value in leaves:
        number = _telling_number(value)
        if number:
            yield number, unit_of_name(path) or stated.get(path[:-1])


def _telling_number(value: object) -> str:
    if type(value) not in (int, float):
        return ""
    text = f"{value:.10g}"
    digits = text.replace(".", "").lstrip("-0")
    if len(digits) < _FEWEST_DIGITS or len(digits.rstrip("0")) < _FEWEST_TELLING:
        return ""
    return text


def _find_calls(read: Sequence[Node], known: Mapping[str, list[_Amount]]) -> Iterator[Finding]:
    for node in sorted(read, key=lambda each: (each.start, each.index)):
        without: list[tuple[str, _Amount]] = []
        named: frozenset[Unit] | None = None
        for number, unit in _read_amounts(node.view.input):
            amount = _find_amount(number, node, known)
            if amount is None:
                continue
            named = _named_units(node.view.input) if named is None else named
            if not unit:
                without.append((number, amount))
            elif _contradicts(unit, amount) and amount.unit not in named:
                yield _build_other_unit(node, number, unit, amount)
                break
        else:
            mixed = _find_mix(without, named or frozenset())
            if mixed:
                yield _build_mix(node, *mixed)


def _find_relabelled(node: Node, known: Mapping[str, list[_Amount]]) -> Finding | None:
    """A step of the program whose output names a number that it was given by another unit; a
    conversion gives another number."""
    if node.view.calls_outside or not keep_unit_keys(node.view.output.keys):
        return None
    for path, _, value in node.view.output.first_leaves(_LEAVES_READ):
        number, unit = _telling_number(value), unit_of_name(path)
        amount = _find_amount(number, node, known) if number and unit else None
        if unit is not None and amount is not None and _contradicts(unit, amount):
            source, name = (one_line(each.name, limit=60) for each in (amount.source, node))
            sentence = (
                f"{source} returned {number} in {amount.unit.sign}, and {name} returned {number} as"
                f" {unit.sign}."
            )
            return build_finding(Category.LOST_VALUE, _CONFIDENCE, sentence, [node, amount.source])
    return None


def _contradicts(unit: Unit, amount: _Amount) -> bool:
    return unit.dimension == amount.unit.dimension and unit != amount.unit


def _find_amount(number: str, node: Node, known: Mapping[str, list[_Amount]]) -> _Amount | None:
    """The number as results before the call gave it, where they agree on its unit."""
    before = [each for each in known.get(number, ()) if each.source.end <= node.start]
    if not before or len({each.unit for each in before}) > 1:
        return None
    return before[-1]


def _named_units(body: Body) -> frozenset[Unit]:
    """The units that names and short texts of an input state: those that a conversion is asked
    for with."""
    words: set[str] = set()
    for path, _, value in body.first_leaves(_LEAVES_READ):
        words.update(NAME_WORDS.findall(str(path[-1])) if path else ())
        if isinstance(value, str) and len(value) <= LONGEST_UNIT:
            words.update(_WORDS.findall(value))
    return units_in(words)


def _find_mix(
    amounts: list[tuple[str, _Amount]], named: frozenset[Unit]
) -> tuple[tuple[str, _Amount], tuple[str, _Amount]] | None:
    """Two numbers of one dimension in different units, of which the input names none."""
    first: dict[str, tuple[str, _Amount]] = {}
    for number, amount in amounts:
        other = first.setdefault(amount.unit.dimension, (number, amount))
        if other[1].unit != amount.unit and not {other[1].unit, amount.unit} & named:
            return other, (number, amount)
    return None


def _build_other_unit(node: Node, number: str, unit: Unit, amount: _Amount) -> Finding:
    source, name = (one_line(each.name, limit=60) for each in (amount.source, node))
    sentence = (
        f"{source} returned {number} in {amount.unit.sign}, and {name} was given {number} in"
        f" {unit.sign}."
    )
    return build_finding(Category.LOST_VALUE, _CONFIDENCE, sentence, [node, amount.source])


def _build_mix(node: Node, a: tuple[str, _Amount], b: tuple[str, _Amount]) -> Finding:
    name = one_line(node.name, limit=60)
    (first, one), (second, other) = a, b
    sentence = (
        f"{name} was given numbers in different units as if they were alike: {first} in"
        f" {one.unit.sign} and {second} in {other.unit.sign}."
    )
    nodes = [node, one.source, other.source]
    return build_finding(Category.LOST_VALUE, _CONFIDENCE, sentence, nodes)
