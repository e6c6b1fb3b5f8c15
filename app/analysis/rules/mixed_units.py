"""Numbers that were returned in one unit and given on in another one, or put together with numbers
in another: pounds as kilograms, kilowatts beside megawatts."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.body import Body
from app.analysis.recorded.leaves import Path, innermost_key
from app.analysis.recorded.spellings import kept_by_keys, key_set
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_read_steps
from app.analysis.tree import Node

_SPELLINGS = {
    "mass": "mg; g gram grams; kg kilogram kilograms; lb lbs pound pounds; oz ounce; t tonnes",
    "temperature": "C celsius; F fahrenheit; K kelvin",
    "power": "W watt watts; kW kilowatt kilowatts; MW megawatt megawatts; GW",
    "energy": "Wh; kWh; MWh; GWh; kJ; MJ; kcal",
    "length": "mm; cm; m metre metres meter meters; km; inch inches; ft foot feet; mi mile miles",
    "volume": "ml; l litre litres liter liters; gal gallon gallons",
    "pressure": "Pa; hPa; kPa; bar; psi",
    "speed": "kmh kph; mph; kn knots",
    "money": "EUR; USD; GBP; CHF; PLN; JPY; CNY; INR; SEK; NOK; DKK; CZK; HUF; BRL; CAD; AUD",
}
_UNITS = {
    each.casefold(): (dimension, unit.split()[0])
    for dimension, units in _SPELLINGS.items()
    for unit in units.split(";")
    for each in unit.split()
}
"""Dimension and usual sign of each spelling, in lower case."""
_IN_NAMES = {word for word in _UNITS if len(word) > 1} | {"c", "f"}
"""Units that count at the end of a name; other single letters stand there for something else."""
_NAME_ENDS = tuple(_IN_NAMES)
_UNIT_KEYS = key_set("unit units uom unit_of_measure unit_of_measurement currency currency_code")
_WORDS = re.compile(r"[A-Za-z]+")
_NAME_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_LONGEST_UNIT = 20  # characters of a text that is nothing but a unit, or names one
_LEAVES_READ = 400  # of one body
_FEWEST_DIGITS = 3
_FEWEST_TELLING = 2  # digits besides zeros at the end: 100 and 5,000 occur by chance
_MOST_FOUND = 5
_CONFIDENCE = 0.85


class _Amount(NamedTuple):
    """What a number in the result of a span measures, and in which unit."""

    dimension: str
    unit: str
    source: Node


def find_mixed_units(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most 5 calls, the earliest first."""
    read = analysis.once(list_read_steps)
    known: dict[str, list[_Amount]] = {}
    for node in read:
        if _keep_units(node.view.output.keys):
            for number, unit in _read_amounts(node.view.output):
                if unit:
                    known.setdefault(number, []).append(_Amount(*_UNITS[unit], node))
    if known:
        yield from islice(_find_calls(read, known), _MOST_FOUND)


@kept_by_keys
def _keep_units(keys: frozenset[str]) -> frozenset[str]:
    """The keys whose values may be amounts or their units."""
    return frozenset(key for key in keys if key in _UNIT_KEYS or key.endswith(_NAME_ENDS))


def _read_amounts(body: Body) -> Iterator[tuple[str, str]]:
    """The telling numbers, each with the unit that its name or its object states, else ""."""
    leaves = list(body.first_leaves(_LEAVES_READ))
    stated: dict[Path, str] = {}
    for path, key, value in leaves:
        if key in _UNIT_KEYS and isinstance(value, str):
            unit = _read_unit(value)
            if unit:
                stated[path[:-1]] = unit
    for path, _, value in leaves:
        number = _telling_number(value)
        if number:
            yield number, _unit_of_name(path) or stated.get(path[:-1], "")


def _read_unit(text: str) -> str:
    words = _WORDS.findall(text[:_LONGEST_UNIT].casefold())
    return words[0] if words and words[0] in _UNITS else ""


def _unit_of_name(path: Path) -> str:
    """The unit at the end of a name: kg of `weight_kg`, not of `background`."""
    words = [each.casefold() for each in _NAME_WORDS.findall(innermost_key(path)[-_LONGEST_UNIT:])]
    return words[-1] if len(words) > 1 and words[-1] in _IN_NAMES else ""


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
        named: frozenset[str] | None = None
        for number, unit in _read_amounts(node.view.input):
            amount = _find_amount(number, node, known)
            if amount is None:
                continue
            named = _named_units(node.view.input) if named is None else named
            if not unit:
                without.append((number, amount))
            elif _contradicts(unit, amount) and amount.unit not in named:
                yield _build_other_unit(node, number, _UNITS[unit][1], amount)
                break
        else:
            mixed = _find_mix(without, named or frozenset())
            if mixed:
                yield _build_mix(node, *mixed)


def _contradicts(unit: str, amount: _Amount) -> bool:
    dimension, sign = _UNITS[unit]
    return dimension == amount.dimension and sign != amount.unit


def _find_amount(number: str, node: Node, known: Mapping[str, list[_Amount]]) -> _Amount | None:
    """The number as results before the call gave it, where they agree on its unit."""
    before = [each for each in known.get(number, ()) if each.source.end <= node.start]
    if not before or len({each[:2] for each in before}) > 1:
        return None
    return before[-1]


def _named_units(body: Body) -> frozenset[str]:
    """The units that names and short texts of an input state: those that a conversion is asked
    for with."""
    words: set[str] = set()
    for path, _, value in body.first_leaves(_LEAVES_READ):
        words.update(_NAME_WORDS.findall(str(path[-1])) if path else ())
        if isinstance(value, str) and len(value) <= _LONGEST_UNIT:
            words.update(_WORDS.findall(value))
    known = _UNITS.keys() & {each.casefold() for each in words}
    return frozenset(_UNITS[each][1] for each in known)


def _find_mix(
    amounts: list[tuple[str, _Amount]], named: frozenset[str]
) -> tuple[tuple[str, _Amount], tuple[str, _Amount]] | None:
    """Two numbers of one dimension in different units, of which the input names none."""
    first: dict[str, tuple[str, _Amount]] = {}
    for number, amount in amounts:
        other = first.setdefault(amount.dimension, (number, amount))
        if other[1].unit != amount.unit and not {other[1].unit, amount.unit} & named:
            return other, (number, amount)
    return None


def _build_other_unit(node: Node, number: str, unit: str, amount: _Amount) -> Finding:
    source, name = (one_line(each.name, limit=60) for each in (amount.source, node))
    sentence = (
        f"{source} returned {number} in {amount.unit}, and {name} was given {number} in {unit}."
    )
    return build_finding(Category.LOST_VALUE, _CONFIDENCE, sentence, [node, amount.source])


def _build_mix(node: Node, a: tuple[str, _Amount], b: tuple[str, _Amount]) -> Finding:
    name = one_line(node.name, limit=60)
    (first, one), (second, other) = a, b
    sentence = (
        f"{name} was given numbers in different units as if they were alike: {first} in {one.unit}"
        f" and {second} in {other.unit}."
    )
    nodes = [node, one.source, other.source]
    return build_finding(Category.LOST_VALUE, _CONFIDENCE, sentence, nodes)
