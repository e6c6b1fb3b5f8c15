"""Numbers that kept their digits and changed their unit on the way: nothing converted them.

A register gives a draught of 27.6 feet, and the next step writes `draught_m: 27.6`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.body import Body
from app.analysis.recorded.leaves import Path
from app.analysis.recorded.spellings import kept_by_keys, key_set, plain_key
from app.analysis.rules.recovery import asking_call
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_read_steps
from app.analysis.tree import Node

_SPELLINGS = (
    "m meter metre meters metres|km kilometer kilometre kilometers kilometres|cm|mm|mi mile miles"
    "|nmi nm|ft foot feet|inch inches|yd yard yards|kg kilo kilos kilogram kilograms|g gram grams"
    "|mg|mcg|lb lbs pound pounds|oz ounce ounces|t tonne tonnes|l liter litre liters litres|ml"
    "|gal gallon gallons|c celsius degc|f fahrenheit degf|kelvin|ms millis milliseconds"
    "|s sec secs second seconds|mins minute minutes|h hr hrs hour hours|d day days|kmh kph|mph"
    "|kn kt kts knots|mps|bar|psi|kpa|hpa mbar|wh|kwh|mwh|kw|mw|kj|kcal|cent cents ct|eur euro"
    " euros|usd dollar dollars|gbp|chf|jpy|sek|nok|dkk|pln|cny|inr|pct percent|mmol|mgdl|bytes|kb"
    "|mb|gb"
)
"""Units as keys and values spell them, each with its other spellings; `min` and `in` are mostly
something else."""
_UNITS = {word: each.split()[0] for each in _SPELLINGS.split("|") for word in each.split()}
_UNIT_KEYS = key_set(
    "unit units uom unit_of_measure currency einheit währung unité devise unidad moneda unità"
)
_UNIT_ENDINGS = ("unit", "units", "uom", "currency")
_VALUE_KEYS = key_set("value amount quantity magnitude number val wert betrag valeur valor importo")
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_]+")
_SHORTEST_BASE = 3  # letters of what is measured, so that it is the same by its name
_LEAST_DIGITS = 2  # but for zeros at its end: a rounder number may be equal by chance
_MOST_KNOWN = 2_000  # measured numbers of a trace
_CONFIDENCE = 0.85


class _Measured(NamedTuple):
    """What is measured, as `draught`, its number, and the unit under which it stands."""

    base: str
    number: float
    unit: str


def find_unconverted_units(analysis: TraceAnalysis) -> Iterator[Finding]:
    """One finding for each number, on the step that first had it under another unit."""
    known: dict[tuple[str, float], dict[str, Node]] = {}
    reported: set[tuple[str, float]] = set()
    for _, _, node, body in sorted(_events(analysis), key=lambda event: event[:2]):
        found = list(_read_measured(body))
        for each in found:
            units = known.get(each[:2], {})
            is_new = each.unit not in units and each[:2] not in reported
            if units and is_new and (body is node.view.input or _was_given(node, each.number)):
                reported.add(each[:2])
                yield _build_finding(each, node, units, body is node.view.input, analysis)
        for each in found if len(known) < _MOST_KNOWN else ():
            known.setdefault(each[:2], {}).setdefault(each.unit, node)


def _events(analysis: TraceAnalysis) -> Iterator[tuple[int, int, Node, Body]]:
    """Inputs and outputs that may state a unit, at their time."""
    for node in analysis.once(list_read_steps):
        for at, order, body in (
            (node.start, node.index, node.view.input),
            (max(node.end, node.start + 1), -node.index, node.view.output),
        ):
            if body.opened_survey.is_whole and _may_measure(body.keys):
                yield at, order, node, body


@kept_by_keys
def _may_measure(keys: frozenset[str]) -> frozenset[str]:
    """The keys that may end with a unit or hold one."""
    return frozenset(key for key in keys if _holds_unit(key) or _ends_with_unit(key))


@kept_by_keys
def _may_state_unit(keys: frozenset[str]) -> frozenset[str]:
    return frozenset(filter(_holds_unit, keys))


def _holds_unit(key: str) -> bool:
    return key in _UNIT_KEYS or key.endswith(_UNIT_ENDINGS)


def _ends_with_unit(key: str) -> bool:
    return any(key.endswith(unit) and len(key) - len(unit) >= _SHORTEST_BASE for unit in _UNITS)


def _read_measured(body: Body) -> Iterator[_Measured]:
    """The numbers of a body with their units: that of their key, or one that stands beside them."""
    leaves = body.first_by_type
    beside: dict[Path, dict[str, str]] = {}
    for path, key, value in leaves.texts if _may_state_unit(body.keys) else ():
        unit = _UNITS.get(value.strip().lower()) if path and _holds_unit(key) else None
        if unit:
            beside.setdefault(path[:-1], {})[_strip_ending(key)] = unit
    alone = Counter(leaf.path[:-1] for leaf in leaves.numbers) if beside else Counter()
    for path, key, value in leaves.numbers:
        if not (path and isinstance(path[-1], str)):
            continue
        base, unit = _split_key(path[-1])
        if not (unit or beside) or not _is_telling(value):
            continue
        units = beside.get(path[:-1], {})
        if not unit:
            base, unit = key, units.get(key, "")
            if not unit and alone[path[:-1]] == 1:
                unit = units.get("", "")
            if base in _VALUE_KEYS and len(path) > 1 and isinstance(path[-2], str):
                base = plain_key(path[-2])
        if unit and len(base) >= _SHORTEST_BASE:
            yield _Measured(base, float(value), unit)


def _is_telling(number: float) -> bool:
    return len(f"{number:g}".replace(".", "").strip("-0")) >= _LEAST_DIGITS


def _was_given(node: Node, number: float) -> bool:
    """Whether a step was given the number: another record may have the same in another unit."""
    return any(leaf.value == number for leaf in node.view.input.first_by_type.numbers)


def _strip_ending(key: str) -> str:
    """`draught` of `draughtunit`; empty for a unit of the one number beside it."""
    if key in _UNIT_KEYS:
        return ""
    ending = next(each for each in _UNIT_ENDINGS if key.endswith(each))
    return key.removesuffix(ending)


@cache
def _split_key(key: str) -> tuple[str, str]:
    """What a key measures and its unit: `draught_m` and `draughtM` are `draught` in `m`."""
    words = _WORDS.findall(key)
    unit = _UNITS.get(words[-1].lower(), "") if len(words) > 1 else ""
    return ("".join(words[:-1]).lower(), unit) if unit else (key, "")


def _build_finding(
    found: _Measured,
    node: Node,
    units: Mapping[str, Node],
    was_given: bool,
    analysis: TraceAnalysis,
) -> Finding:
    unit, source = next(iter(units.items()))
    name, before = one_line(node.name, limit=60), one_line(source.name, limit=60)
    known = "it was given" if source is node else f"{before} had"
    sentence = (
        f"{name} {'was given' if was_given else 'returned'} {found.number:g} {found.unit} for"
        f" {one_line(found.base, limit=40)}, where {known} {found.number:g} {unit}: the number was"
        " not converted."
    )
    asked = asking_call(node, analysis) if was_given else None
    nodes = [*([asked] if asked is not None else []), node, source]
    return build_finding(Category.DOUBTFUL_RESULT, _CONFIDENCE, sentence, nodes)
