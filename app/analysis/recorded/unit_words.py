"""Units of measure and currencies, as fields and texts spell them."""

import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from app.analysis.recorded.leaves import Path, innermost_key
from app.analysis.recorded.spellings import kept_by_keys, key_set

_MEASURES = {
    "mass": "mg; g gram grams; kg kilogram kilograms; lb lbs pound pounds; oz ounce; t tonnes",
    "temperature": "C celsius; F fahrenheit; K kelvin",
    "power": "W watt watts; kW kilowatt kilowatts; MW megawatt megawatts; GW",
    "energy": "Wh; kWh; MWh; GWh; kJ; MJ; kcal",
    "length": "mm; cm; m metre metres meter meters; km; inch inches; ft foot feet; mi mile miles",
    "volume": "ml; l litre litres liter liters; gal gallon gallons",
    "pressure": "Pa; hPa; kPa; bar; psi",
    "speed": "kmh kph; mph; kn knots",
    "money": "EUR; USD; GBP; CHF; PLN; JPY; CNY; INR; SEK; NOK; DKK; CZK; HUF; BRL; CAD; AUD"
    "; TRY; KRW",
}
_TIMES = {
    "s": "sec secs second seconds sekunde sekunden sekunder seconde secondes segundo segundos"
    " secondi seconden sekundy sekund sekuntia saniye 秒 초",
    "min": "minute minutes minuten minuto minutos minuti minuut minuter minutter minuty minut"
    " minuuttia dakika 分 分钟 분",
    "h": "hr hrs hour hours std stunde stunden uur uren timer timme timmar heure heures hora horas"
    " ora ore godzina godziny godzin hodina hodiny hodin tunti tuntia saat час часа часов 時間 小时"
    " 시간",
    "day": "days tag tage tagen dag dagen dage dager dagar jour jours día días dia dias giorno"
    " giorni dzień dni den dny dnů päivä päivää gün день дня дней 日 天 일",
    "week": "weeks woche wochen semaine semaines semana semanas settimana settimane weken uge"
    " uger uke uker vecka veckor tydzień tygodnie tygodni týden týdny týdnů viikko viikkoa hafta"
    " 週間 周 주",
    "month": "months monat monate monaten mois mes meses mês mese mesi maand maanden måned"
    " måneder månad månader miesiąc miesiące miesięcy měsíc měsíce měsíců kuukausi kuukautta か月"
    " 个月 개월",
}
_MONEY_WORDS = {
    "EUR": "€ euro euros",
    "USD": "$ us$ dollar dollars",
    "GBP": "£ pounds",
    "CHF": "franken francs franchi",
    "PLN": "zł złoty złotych",
    "JPY": "¥ 円 yen",
    "CNY": "¥ 元 yuan",
    "INR": "₹ rupees",
    "SEK": "kr kronor",
    "NOK": "kr kroner",
    "DKK": "kr kroner",
    "CZK": "kč korun",
    "HUF": "ft forint",
    "BRL": "r$ reais",
    "CAD": "$ ca$ dollars",
    "AUD": "$ a$ dollars",
    "TRY": "₺ tl lira",
    "KRW": "₩ 원 won",
}
"""A sign that stands for several currencies is each of them."""
UNITS = {
    each.casefold(): (dimension, unit.split()[0])
    for dimension, units in _MEASURES.items()
    for unit in units.split(";")
    for each in unit.split()
}
"""Dimension and usual sign of each spelling, in lower case."""
_PARTS = {
    **UNITS,
    "in": ("length", "inch"),
    **{each: ("time", unit) for unit in _TIMES for each in (unit, *_TIMES[unit].split())},
}
_IN_NAMES = {word for word in UNITS if len(word) > 1} | {"c", "f"}
"""Units that count at the end of a name; other single letters stand there for something else."""
_NAME_ENDS = tuple(_IN_NAMES)
UNIT_KEYS = key_set(
    "unit units uom unit_of_measure unit_of_measurement currency currency_code einheit eenheid"
    " unité unidad unidade unità jednostka jednotka enhed enhet yksikkö birim 単位 单位 단위"
    " währung waehrung devise moneda moeda valuta munteenheid waluta měna valuutta para_birimi 通貨"
    " 货币 통화"
)
_PART = re.compile(r"[^\W\d_]+")
NAME_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
LONGEST_UNIT = 20  # characters of a text that is nothing but a unit, or names one


class Unit(NamedTuple):
    """What is measured, and the usual sign: `length` in `mm`, `length/time` in `mm/s`."""

    dimension: str
    sign: str


def read_unit(text: str) -> Unit | None:
    """The unit that the value of a field for units names; of a ratio that of both parts."""
    text = text.strip()[:LONGEST_UNIT]
    parts = [_read_part(part) for part in text.split("/")]
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return None
    return Unit("/".join(each.dimension for each in known), "/".join(each.sign for each in known))


def _read_part(text: str) -> Unit | None:
    words = _PART.findall(text.casefold())
    if not words or words[0] not in _PARTS:
        return None
    return Unit(*_PARTS[words[0]])


def unit_of_name(path: Path) -> Unit | None:
    """The unit at the end of a name: kg of `weight_kg`, not of `background`; a currency may be
    all of it."""
    words = [each.casefold() for each in NAME_WORDS.findall(innermost_key(path)[-LONGEST_UNIT:])]
    if not words or words[-1] not in _IN_NAMES:
        return None
    unit = Unit(*UNITS[words[-1]])
    return unit if len(words) > 1 or (unit.dimension == "money" and words != ["try"]) else None


def units_in(words: Iterable[str]) -> frozenset[Unit]:
    """The units of measure, but for those of time, that are among the words."""
    return frozenset(Unit(*UNITS[each]) for each in UNITS.keys() & set(map(str.casefold, words)))


@kept_by_keys
def keep_unit_keys(keys: frozenset[str]) -> frozenset[str]:
    """The keys whose values may be amounts or their units."""
    return frozenset(key for key in keys if key in UNIT_KEYS or key.endswith(_NAME_ENDS))


def units_beside(before: str, after: str) -> frozenset[Unit]:
    """The units of which a text means one beside a number: before it stands the one text, behind
    it the other one. A compound (`7 vakantie-uren`) ends with its unit."""
    behind = _AFTER.match(after)
    if behind is not None:
        word = behind[1].casefold()
        for start in (word, word.rpartition("-")[2], "" if word[0].isascii() else word[0]):
            if start in _read_words():
                return _read_words()[start]
    ahead = _AHEAD.search(before)
    return _read_words().get(ahead[1].casefold(), frozenset()) if ahead else frozenset()


def names_unit(text: str, unit: Unit) -> bool:
    """Whether a text names a unit in any spelling, also within a compound."""
    low = text.casefold()
    return any(
        unit in units and word in low and (len(word) > 1 or _stands(word, low))
        for word, units in _read_words().items()
    )


def _stands(letter: str, text: str) -> bool:
    """Whether a text has a letter behind a number, as a unit, or one that is a sign."""
    return not letter.isascii() or re.search(rf"\d\s?{re.escape(letter)}(?!\w)", text) is not None


_AFTER = re.compile(
    r"[\s\u00a0\u202f-]?((?:[^\W\d_]{3,20}-)?[^\W\d_]{1,20}\$?|[€$£¥₹₺₩])(?![\w²³/])"
)
_AHEAD = re.compile(r"(?<!\w)([a-z]{2,3}\$?|[€$£¥₹₺₩])[\s\u00a0\u202f]?$", re.IGNORECASE)


@cache
def _read_words() -> dict[str, frozenset[Unit]]:
    """The units that each word or sign of a text may mean."""
    found: dict[str, set[Unit]] = {}
    for word, (dimension, sign) in UNITS.items():
        if dimension != "temperature":
            found.setdefault(word, set()).add(Unit(dimension, sign))
    for code, spellings in _MONEY_WORDS.items():
        for word in spellings.split():
            found.setdefault(word, set()).add(Unit("money", code))
    for sign, spellings in _TIMES.items():
        for word in (sign, *spellings.split()):
            found.setdefault(word, set()).add(Unit("time", sign))
    return {word: frozenset(units) for word, units in found.items()}
