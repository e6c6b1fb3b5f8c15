"""Numbers with a name and a unit, as records hold them: `gust_kmh: 38`, `weight: 27.6` beside
`unit: "kg"`, `draught: "27.6 ft"`.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from app.analysis.recorded.body import Body
from app.analysis.recorded.leaves import Leaf, Path, innermost_key
from app.analysis.recorded.names import spell_name
from app.analysis.recorded.spellings import word_set

Units = tuple[tuple[str, str], ...]
"""What a spelling may mean: what is measured, and the unit (`ms` is both of time and of speed)."""

_TABLE = """
mass mg mg milligram milligrams
mass g g gr gram grams gramm gramos grammi grammes gramas 克
mass kg kg kgs kilo kilos kilogram kilograms kilogramm kilogramos chilogrammi kilogrammes 公斤
mass t t ton tons tonne tonnes toneladas tonnen tonnellate ton 吨 トン
mass lb lb lbs pound pounds libras
mass oz oz ounce ounces
length mm mm millimeter millimeters millimetre millimetres
length cm cm centimeter centimeters centimetre centimetres
length m m meter meters metre metres metros metri
length km km kilometer kilometers kilometre kilometres kilómetros
length in inch inches pulgadas zoll pollici
length ft ft feet foot pies fuß
length mi mi mile miles millas
length nm nmi
speed m/s m/s ms mps m_s
speed km/h km/h kmh kph kmph km_h
speed kn kn kt kts knot knots knoten nudos noeuds nodi
speed mph mph
temperature °c °c c celsius degc ℃
temperature °f °f f fahrenheit degf ℉
time ms ms msec millis milliseconds millisecond
time s s sec secs second seconds segundos sekunden secondes secondi sekund
time min mins minute minutes minuten minutos minuti minuter
time h h hr hrs hour hours stunden horas heures ore timer uren
time d d day days tage días jours giorni dagen
volume ml ml milliliter milliliters millilitre millilitres
volume l l liter liters litre litres litros litri
volume m³ m3 m³
volume gal gal gallon gallons
power w w watt watts
power kw kw kilowatt kilowatts
power mw megawatt megawatts
energy wh wh
energy kwh kwh
energy mwh mwh
pressure pa pa
pressure hpa hpa mbar
pressure kpa kpa
pressure bar bar
pressure psi psi
data b bytes byte
data kb kb kib
data mb mb mib
data gb gb gib
"""
"""What is measured, the unit, and how it is spelt: `min` alone is a minimum as often."""


def _read_table() -> dict[str, Units]:
    found: dict[str, Units] = {}
    for row in _TABLE.split("\n"):
        measured, _, rest = row.partition(" ")
        for spelling in rest.split()[1:]:
            found[spelling] = (*found.get(spelling, ()), (measured, rest.split()[0]))
    return found


_UNITS = _read_table()
_LONGEST_UNIT = max(map(len, _UNITS))
_UNIT_KEYS = word_set(
    "unit units uom unidad unidades unidade unité unite unités unità unita um einheit eenheid"
    " enhed enhet jednostka jm yksikkö mértékegység birim 単位 单位 단위 from to de a von nach src"
)
"""Keys of units: under others a letter alone is a size, a grade, or a sex."""
_WITH_UNIT = re.compile(r"([-+]?\d+(?:[.,]\d+)?)\s?([^\W\d_][\w/³]*|°[CFcf])")
_IN_TEXT = re.compile(
    r"(?<![\w.,])(\d+(?:[.,]\d+)?)[\s\u00a0\u202f]?(km/h|m/s|°[CF]|[^\W\d_][\w/³]*)"
)
_NUMBER_STARTS = frozenset("+-0123456789")
_LONGEST_TEXT = 24  # characters of a number with its unit
_FEWEST_DIGITS = 2  # of a number: single digits are equal by chance
_DIGITS_OF_TIME = 3  # programs note many durations and time-outs under one name
_KEYS_KEPT = 4_096
_Place = tuple[Path, str]


class Measure(NamedTuple):
    """A number under a name without its unit; `shown` is how the record has it."""

    number: float
    name: str
    units: Units
    shown: str

    def contradicts(self, other: "Measure") -> bool:
        """Whether both are measures of one thing in units of different size."""
        if not set(self.units).isdisjoint(other.units):
            return False
        both = {what for what, _ in self.units}.intersection(what for what, _ in other.units)
        if both == {"time"} and not has_digits(self.number, _DIGITS_OF_TIME):
            return False
        return bool(both)


def read_measures(body: Body) -> Iterator[Measure]:
    """The numbers among the first leaves of a body that have a name and a unit."""
    leaves = body.first_by_type
    for leaf in leaves.texts:
        text = leaf.value[: _LONGEST_TEXT + 1]
        if text[:1] in _NUMBER_STARTS and (found := _WITH_UNIT.fullmatch(text.strip())):
            units = _UNITS.get(found[2].casefold(), ())
            number = float(found[1].replace(",", "."))
            name = spell_name(innermost_key(leaf.path))
            if units and name and has_digits(number, _FEWEST_DIGITS):
                yield Measure(number, name, units, f"{name} {leaf.value}")
    beside = _read_units(leaves.texts, leaves.numbers) if leaves.numbers else {}
    for leaf in leaves.numbers:
        key = innermost_key(leaf.path)
        name, units = _split_key(key)
        spelling = ""
        if not units and beside:
            place = leaf.path[:-1]
            units, spelling = beside.get((place, name)) or beside.get((place, "")) or ((), "")
        if units and name and has_digits(leaf.value, _FEWEST_DIGITS):
            shown = f"{key} {leaf.value:.12g} {spelling}".rstrip()
            yield Measure(float(leaf.value), name, units, shown)


def _read_units(texts: Sequence[Leaf], numbers: Sequence[Leaf]) -> dict[_Place, tuple[Units, str]]:
    """Units that stand beside numbers, for the number of a name (`loa` and `loa_unit`) or for all;
    the first of several: a conversion is from it to the second."""
    found: dict[_Place, tuple[Units, str]] = {}
    named: set[_Place] = set()
    for leaf in texts:
        text = leaf.value.strip() if len(leaf.value) <= _LONGEST_UNIT else ""
        units = _UNITS.get(text.casefold(), ()) if text else ()
        words = spell_name(innermost_key(leaf.path)).split(" ") if units else []
        if not units or (len(text) == 1 and _UNIT_KEYS.isdisjoint(words)):
            continue
        named = named or {
            (each.path[:-1], spell_name(innermost_key(each.path))) for each in numbers
        }
        own = leaf.path[:-1], " ".join(word for word in words if word not in _UNIT_KEYS)
        found.setdefault(own if own in named else (leaf.path[:-1], ""), (units, text))
    return found


def has_digits(number: float, fewest: int) -> bool:
    """Whether a number has so many digits without the zeros around them."""
    return sum(map(str.isdigit, f"{number:.12g}".strip("-0."))) >= fewest


def find_measures(text: str) -> Iterator[Measure]:
    """The numbers of a text that stand before a unit; they have no name."""
    for found in _IN_TEXT.finditer(text):
        units = _UNITS.get(found[2].casefold(), ())
        if units:
            yield Measure(float(found[1].replace(",", ".")), "", units, found[0])


@lru_cache(_KEYS_KEPT)
def _split_key(key: str) -> tuple[str, Units]:
    """The name in a key, and the unit at its end: `gust_km_h` is a `gust` in km/h."""
    words = spell_name(key).split(" ")
    for length in (2, 1):
        units = _UNITS.get("_".join(words[-length:]), ()) if len(words) > length else ()
        if units:
            return " ".join(words[:-length]), units
    return " ".join(words), ()
